// Every kind of leg with every other: sound both ways at first, and after each side has held and resumed. RFC 4568; RFC 5763; RFC 8445; RFC 8835;
// RFC 3264 §8.4.

package peers

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/browser"
	"github.com/sipwerk/sipwerk/test/peers/peer"
)

// end is a telephone and what it is set up to.
type end struct {
	name      string
	start     starter
	media     peer.Media
	transport string
}

func ends(page starter) []end {
	return []end{
		{"baresip RTP", startBaresip, peer.Plain, "udp"},
		{"baresip SDES", startBaresip, peer.SDES, "udp"},
		{"baresip DTLS", startBaresip, peer.DTLS, "udp"},
		{"linphonec", startLinphonec, peer.Plain, "udp"},
		{"browser", page, peer.Plain, "wss"},
	}
}

// receiver is a telephone that tells whether sound comes in: a recording of baresip may end with the first hold.
type receiver interface {
	WaitReceiving(ctx context.Context) error
}

// TestPairs: each telephone with each, and with its like; who calls takes turns.
func TestPairs(t *testing.T) {
	t.Parallel()
	binary(t) // before anything is installed
	need(t, "baresip", "linphonec", "node", "npm", "chromium")
	alice, bob := speech(t, aliceSays), speech(t, bobSays)
	folder, err := modules()
	must(t, "install", err)
	all := ends(func(t testing.TB, a peer.Account) (peer.Phone, error) { return browser.Start(t, folder, a) })
	var users []string // of their own for each pair
	for n := range len(all) * (len(all) + 1) / 2 {
		users = append(users, fmt.Sprint("alice", n), fmt.Sprint("bob", n), fmt.Sprint("dora", n))
	}
	s := serve(t, users...)
	n := 0
	for i := range all {
		for j := range all[:i+1] {
			caller, callee := all[i], all[j]
			if (i+j)%2 == 1 {
				caller, callee = callee, caller
			}
			calling, called := fmt.Sprint("alice", n), fmt.Sprint("bob", n)
			if callee.name == "baresip DTLS" {
				called = fmt.Sprint("dora", n) // of whom the server is told
			}
			n++
			t.Run(caller.name+" to "+callee.name, func(t *testing.T) {
				t.Parallel() // they wait, most of the time
				by, to := s.account(calling, caller.transport, alice), s.account(called, callee.transport, bob)
				by.Media, to.Media = caller.media, callee.media
				a, b := phone(t, caller.start, by), phone(t, callee.start, to)
				connectTo(t, a, b, called)
				caller, callee := ear{a, bob, alice}, ear{b, alice, bob}
				pause(t.Context(), 6*time.Second)
				listen(t, 0, caller, callee)
				for _, holder := range []peer.Phone{a, b} {
					must(t, holder.Name()+" holds", holder.Hold())
					pause(t.Context(), time.Second)
					must(t, holder.Name()+" resumes", holder.Resume())
					pause(t.Context(), time.Second)
				}
				for _, p := range []peer.Phone{a, b} {
					if r, ok := p.(receiver); ok {
						must(t, p.Name()+" hears", r.WaitReceiving(soon(t)))
					}
				}
				pause(t.Context(), 5*time.Second)
				must(t, "hang up", a.Hangup())
				must(t, "callee hears the end", b.WaitEnded(soon(t)))
				judge(t, 0, caller, callee)
			})
		}
	}
}
