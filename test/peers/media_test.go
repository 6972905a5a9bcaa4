// Every kind of leg with every other: sound both ways at first, and after each side has held and resumed. RFC 4568; RFC 5763; RFC 8445; RFC 3264 §8.4.

package peers

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/peer"
)

// end is a telephone and what it is set up to.
type end struct {
	name  string
	start starter
	media peer.Media
}

func ends() []end {
	return []end{
		{"baresip RTP", startBaresip, peer.Plain},
		{"baresip SDES", startBaresip, peer.SDES},
		{"baresip DTLS", startBaresip, peer.DTLS},
		{"linphonec", startLinphonec, peer.Plain},
	}
}

// TestPairs: the calls of one caller go on side by side.
func TestPairs(t *testing.T) {
	need(t, "baresip", "linphonec")
	alice, bob := speech(t, aliceSays), speech(t, bobSays)
	s := serve(t, "alice", "bob", "dora")
	for _, caller := range ends() {
		for _, callee := range ends() {
			t.Run(caller.name+" to "+callee.name, func(t *testing.T) {
				user := "bob"
				if callee.media == peer.DTLS {
					user = "dora" // of whom the server is told
				}
				by, to := s.account("alice", "udp", alice), s.account(user, "udp", bob)
				by.Media, to.Media = caller.media, callee.media
				a, b := phone(t, caller.start, by), phone(t, callee.start, to)
				connectTo(t, a, b, user)
				pause(t.Context(), 4*time.Second)
				for _, holder := range []peer.Phone{a, b} {
					must(t, holder.Name()+" holds", holder.Hold())
					pause(t.Context(), time.Second)
					must(t, holder.Name()+" resumes", holder.Resume())
					pause(t.Context(), time.Second)
				}
				pause(t.Context(), 5*time.Second)
				must(t, "hang up", a.Hangup())
				must(t, "callee hears the end", b.WaitEnded(within(t, 10*time.Second)))
				bothHeard(t, a, b, alice, bob)
			})
		}
	}
}
