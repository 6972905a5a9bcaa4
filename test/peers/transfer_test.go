// Calls that change hands: transferred, picked up where they ring, parked. The telephones on both sides need not know how.

package peers

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/linphonec"
	"github.com/sipwerk/sipwerk/test/peers/peer"
)

const carolSays = "Amazingly few discotheques provide jukeboxes, and nobody here knows the reason why that should be so."

// three is a server with three telephones, each with words of its own.
type three struct {
	alice, bob, carol peer.Phone
	words             [3]string
}

func startThree(t *testing.T, a, b, c starter) three {
	t.Helper()
	need(t, "baresip", "linphonec")
	return serve(t, "alice", "bob", "carol").three(t, a, b, c)
}

// three starts the telephones: after everything is set, since they ask for it when they start.
func (s *server) three(t *testing.T, a, b, c starter) (x three) {
	t.Helper()
	x.words = [3]string{speech(t, aliceSays), speech(t, bobSays), speech(t, carolSays)}
	x.alice = phone(t, a, s.account("alice", "udp", x.words[0]))
	x.bob = phone(t, b, s.account("bob", "udp", x.words[1]))
	x.carol = phone(t, c, s.account("carol", "tcp", x.words[2]))
	return x
}

// finish lets two telephones talk until each has heard the other, and hangs up. mine is what the first says.
func finish(t *testing.T, a, b peer.Phone, mine, theirs string) {
	t.Helper()
	talk(t, 9*time.Second, 8, ear{a, theirs, mine}, ear{b, mine, theirs}) // what was said before is of no account
}

// settled waits until a change of the session is a second old: baresip names its recordings by the second, and loses one of two in the same.
func settled(t *testing.T) { pause(t.Context(), 1200*time.Millisecond) }

// TestBlindTransfer: RFC 5589 §6.2.
func TestBlindTransfer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		by, target starter
	}{{"by baresip", startBaresip, startLinphonec}, {"by linphonec", startLinphonec, startBaresip}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			x := startThree(t, c.by, startBaresip, c.target)
			alice, bob, carol, words := x.alice, x.bob, x.carol, x.words
			connect(t, alice, bob)
			settled(t)
			must(t, "transfer", alice.(peer.Transferor).Transfer("sip:carol@"+domain))
			must(t, "target rings", carol.WaitIncoming(soon(t)))
			must(t, "target answers", carol.Answer())
			must(t, "target established", carol.WaitEstablished(soon(t)))
			must(t, "transferor is out", alice.WaitEnded(soon(t)))
			finish(t, bob, carol, words[1], words[2])
		})
	}
}

// TestAttendedTransfer: the two who are left know nothing of REFER and Replaces. baresip's recording ends with the hold, that of linphonec goes on. RFC 5589 §7.3.
func TestAttendedTransfer(t *testing.T) {
	t.Parallel()
	x := startThree(t, startLinphonec, startLinphonec, startBaresip)
	alice, bob, carol, words := x.alice, x.bob, x.carol, x.words
	connect(t, alice, bob)
	settled(t)
	must(t, "hold", alice.Hold())
	connectTo(t, alice, carol, "carol")
	settled(t)
	must(t, "transfer", alice.(*linphonec.Phone).Connect(1, 2))
	must(t, "transferor is out of one", alice.WaitEnded(soon(t)))
	must(t, "transferor is out of both", alice.WaitEnded(soon(t)))
	finish(t, bob, carol, words[1], words[2])
}

// TestPickUp: RFC 5359 §2.16.
func TestPickUp(t *testing.T) {
	t.Parallel()
	x := startThree(t, startBaresip, startLinphonec, startBaresip)
	alice, bob, carol, words := x.alice, x.bob, x.carol, x.words
	must(t, "dial", alice.Dial("sip:bob@"+domain))
	must(t, "callee rings", bob.WaitIncoming(soon(t)))
	must(t, "pick up", carol.Dial("sip:**bob@"+domain))
	must(t, "caller established", alice.WaitEstablished(soon(t)))
	must(t, "callee stops ringing", bob.WaitEnded(soon(t)))
	finish(t, alice, carol, words[0], words[2])
}

// TestPark: RFC 5359 §2.15.
func TestPark(t *testing.T) {
	t.Parallel()
	x := startThree(t, startBaresip, startBaresip, startLinphonec)
	alice, bob, carol, words := x.alice, x.bob, x.carol, x.words
	connect(t, alice, bob)
	settled(t)
	must(t, "park", bob.(peer.Transferor).Transfer("sip:*501@"+domain))
	must(t, "who parks is out", bob.WaitEnded(soon(t)))
	settled(t)
	must(t, "retrieve", carol.Dial("sip:*501@"+domain))
	must(t, "retrieved", carol.WaitEstablished(soon(t)))
	finish(t, alice, carol, words[0], words[2])
}
