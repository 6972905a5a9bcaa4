// Calls between telephones: every pair of programs, transports mixed, with speech both ways, hold, cancel, busy, several devices.

package peers

import (
	"context"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/baresip"
	"github.com/sipwerk/sipwerk/test/peers/linphonec"
	"github.com/sipwerk/sipwerk/test/peers/peer"
)

// starter runs one of the foreign telephones.
type starter func(testing.TB, peer.Account) (peer.Phone, error)

func startBaresip(t testing.TB, a peer.Account) (peer.Phone, error)   { return baresip.Start(t, a) }
func startLinphonec(t testing.TB, a peer.Account) (peer.Phone, error) { return linphonec.Start(t, a) }

func phone(t *testing.T, start starter, a peer.Account) peer.Phone {
	t.Helper()
	p, err := start(t, a)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.WaitRegistered(soon(t)); err != nil {
		t.Fatalf("%s over %s: %v", p.Name(), a.Transport, err)
	}
	return p
}

// must is for the steps of a flow.
func must(t *testing.T, step string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", step, err)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	need(t, "baresip", "linphonec")
	s := serve(t, "alice", "bob")
	alice, bob := speech(t, aliceSays), speech(t, bobSays)
	for _, c := range []struct {
		name               string
		caller, callee     starter
		callerBy, calleeBy string
	}{
		{"baresip udp to linphonec udp", startBaresip, startLinphonec, "udp", "udp"},
		{"linphonec udp to baresip udp", startLinphonec, startBaresip, "udp", "udp"},
		{"baresip tcp to linphonec tls", startBaresip, startLinphonec, "tcp", "tls"},
		{"linphonec tcp to baresip tls", startLinphonec, startBaresip, "tcp", "tls"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := phone(t, c.caller, s.account("alice", c.callerBy, alice))
			b := phone(t, c.callee, s.account("bob", c.calleeBy, bob))
			connect(t, a, b)
			talk(t, 7*time.Second, 0, ear{a, bob, alice}, ear{b, alice, bob})
		})
	}
}

// connect makes a call from a to bob at b and answers it.
func connect(t *testing.T, a, b peer.Phone) {
	t.Helper()
	connectTo(t, a, b, "bob")
}

// connectTo is connect for whoever b is.
func connectTo(t *testing.T, a, b peer.Phone, user string) {
	t.Helper()
	must(t, "dial", a.Dial("sip:"+user+"@"+domain))
	must(t, "callee rings", b.WaitIncoming(soon(t)))
	must(t, "answer", b.Answer())
	must(t, "callee established", b.WaitEstablished(soon(t)))
	must(t, "caller established", a.WaitEstablished(soon(t)))
}

// talk lets two telephones talk for a while, and longer until each has heard the other; then the first hangs up. With a number, only the last so many seconds count.
func talk(t *testing.T, span time.Duration, seconds int, a, b ear) {
	t.Helper()
	pause(t.Context(), span)
	listen(t, seconds, a, b)
	must(t, "hang up", a.Hangup())
	must(t, "the other side hears the end", b.WaitEnded(soon(t)))
	judge(t, seconds, a, b)
}

// TestHold: each program holds once. linphonec's recording runs across the hold, so its end tells what was heard after it; baresip tells
// whether sound comes in.
func TestHold(t *testing.T) {
	t.Parallel()
	need(t, "baresip", "linphonec")
	s := serve(t, "alice", "bob")
	alice, bob := speech(t, aliceSays), speech(t, bobSays)
	for _, holder := range []string{"baresip", "linphonec"} {
		t.Run(holder+" holds", func(t *testing.T) {
			a, err := baresip.Start(t, s.account("alice", "udp", alice))
			must(t, "start", err)
			must(t, "register", a.WaitRegistered(soon(t)))
			b := phone(t, startLinphonec, s.account("bob", "udp", bob))
			connect(t, a, b)
			pause(t.Context(), 2*time.Second)
			var by peer.Phone = a
			if holder == "linphonec" {
				by = b
			}
			must(t, "hold", by.Hold())
			pause(t.Context(), 2*time.Second)
			must(t, "resume", by.Resume())
			must(t, "baresip hears", a.WaitReceiving(soon(t)))
			pause(t.Context(), 9*time.Second)
			must(t, "hang up", a.Hangup())
			must(t, "callee hears the end", b.WaitEnded(soon(t)))
			judge(t, 8, ear{b, alice, bob})
		})
	}
}

func TestCancelAndBusy(t *testing.T) {
	t.Parallel()
	need(t, "baresip", "linphonec")
	s := serve(t, "alice", "bob")
	a := phone(t, startBaresip, s.account("alice", "udp", speech(t, aliceSays)))
	b := phone(t, startLinphonec, s.account("bob", "udp", speech(t, bobSays)))

	must(t, "dial", a.Dial("sip:bob@"+domain))
	must(t, "callee rings", b.WaitIncoming(soon(t)))
	must(t, "caller gives up", a.Hangup())
	must(t, "callee stops ringing", b.WaitEnded(soon(t)))

	pause(t.Context(), 500*time.Millisecond)
	must(t, "dial again", a.Dial("sip:bob@"+domain))
	must(t, "callee rings again", b.WaitIncoming(soon(t)))
	must(t, "callee refuses", b.Hangup())
	must(t, "caller hears busy", a.WaitEnded(soon(t)))
}

func TestTwoDevicesRing(t *testing.T) {
	t.Parallel()
	need(t, "baresip", "linphonec")
	s := serve(t, "alice", "bob")
	alice, bob := speech(t, aliceSays), speech(t, bobSays)
	a := phone(t, startBaresip, s.account("alice", "udp", alice))
	desk := phone(t, startBaresip, s.account("bob", "tcp", bob))
	soft := phone(t, startLinphonec, s.account("bob", "udp", bob))
	must(t, "dial", a.Dial("sip:bob@"+domain))
	must(t, "desk phone rings", desk.WaitIncoming(soon(t)))
	must(t, "soft phone rings", soft.WaitIncoming(soon(t)))
	must(t, "soft phone answers", soft.Answer())
	must(t, "caller established", a.WaitEstablished(soon(t)))
	must(t, "desk phone stops", desk.WaitEnded(soon(t)))
	talk(t, 7*time.Second, 0, ear{a, bob, alice}, ear{soft, alice, bob})
}
