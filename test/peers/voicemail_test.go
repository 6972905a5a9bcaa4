// Voicemail between telephones: left by one, fetched by the other with digits, with the lamp on and off again.

package peers

import (
	"os/exec"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/baresip"
	"github.com/sipwerk/sipwerk/test/peers/linphonec"
)

// run runs a command of the program on the data folder of the server, and waits until the server knows what it has changed.
func (s *server) run(t *testing.T, args ...string) {
	t.Helper()
	args = append(args, "--data", s.data, "--domain", domain)
	mark := s.process.Mark()
	if out, err := exec.Command(binary(t), args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", args, err, out)
	}
	_, err := s.process.Wait(soon(t), mark, "the directory has changed")
	must(t, "the server knows", err)
}

func TestVoicemail(t *testing.T) {
	t.Parallel()
	need(t, "baresip", "linphonec")
	s := serve(t, "alice", "bob")
	s.run(t, "mailbox", "add", "bob")
	s.run(t, "account", "set", "bob", "--forward-no-answer", "voicemail", "--ring-time", "1s")
	alice, bob := speech(t, aliceSays), speech(t, bobSays)
	at := s.account("bob", "tcp", bob)
	at.Lamp = true
	desk, err := baresip.Start(t, at)
	must(t, "start", err)
	must(t, "register", desk.WaitRegistered(soon(t)))
	a := phone(t, startBaresip, s.account("alice", "udp", alice))
	b, err := linphonec.Start(t, s.account("bob", "udp", bob))
	must(t, "start", err)
	must(t, "register", b.WaitRegistered(soon(t)))

	must(t, "dial", a.Dial("sip:bob@"+domain))
	must(t, "bob's telephone rings", desk.WaitIncoming(soon(t)))
	must(t, "the voicemail answers", a.WaitEstablished(soon(t)))
	pause(t.Context(), 15*time.Second) // the greeting, and what alice says after it
	must(t, "hang up", a.Hangup())
	must(t, "lamp on", desk.WaitLamp(soon(t), true))

	must(t, "dial the mailbox", b.Dial("sip:*97@"+domain))
	must(t, "the mailbox answers", b.WaitEstablished(soon(t)))
	must(t, "new messages", b.Digit("1"))
	must(t, "it is said to its end, and the lamp goes off", desk.WaitLamp(soon(t), false))
	mark := s.process.Mark()
	must(t, "delete it", b.Digit("7"))
	_, err = s.process.Wait(soon(t), mark, "the directory has changed")
	must(t, "it is gone", err)
	must(t, "hang up", b.Hangup())
	judge(t, 10, ear{b, alice, bob})
}

// TestMenu: a caller chooses by a digit and is sent on to a telephone, which knows nothing of it.
func TestMenu(t *testing.T) {
	t.Parallel()
	need(t, "baresip", "linphonec")
	s := serve(t, "alice", "bob")
	s.run(t, "menu", "add", "500", "--choice", "1=bob")
	alice, bob := speech(t, aliceSays), speech(t, bobSays)
	a, err := baresip.Start(t, s.account("alice", "udp", alice))
	must(t, "start", err)
	must(t, "register", a.WaitRegistered(soon(t)))
	b := phone(t, startLinphonec, s.account("bob", "udp", bob))
	must(t, "dial the menu", a.Dial("sip:500@"+domain))
	must(t, "the menu answers", a.WaitEstablished(soon(t)))
	must(t, "choose", a.Digit("1"))
	must(t, "bob rings", b.WaitIncoming(soon(t)))
	must(t, "answer", b.Answer())
	must(t, "callee established", b.WaitEstablished(soon(t)))
	pause(t.Context(), 7*time.Second)
	must(t, "hang up", a.Hangup())
	must(t, "callee hears the end", b.WaitEnded(soon(t)))
	judge(t, 0, ear{b, alice, bob})
}
