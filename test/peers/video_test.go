// Pictures: between two browsers, between a browser and a video telephone, and of all three in a room. RFC 7667 §3.7; RFC 7742.

package peers

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/browser"
	"github.com/sipwerk/sipwerk/test/peers/peer"
)

// frames is how many pictures must be shown: some seconds at ten a second.
const frames = 30

// sees fails the test unless a telephone shows pictures on so many lines.
func sees(t *testing.T, p peer.Phone, lines int) {
	t.Helper()
	must(t, p.Name()+" sees", p.(peer.Viewer).WaitFrames(soon(t), lines, frames))
}

func TestVideo(t *testing.T) {
	program := binary(t)
	need(t, "baresip", "node", "npm", "chromium")
	folder, err := modules()
	must(t, "install", err)
	s := serve(t, "alice", "bob", "carol")
	if out, err := exec.Command(program, "room", "add", "4000", "--quiet", "--data", s.data, "--domain", domain).CombinedOutput(); err != nil {
		t.Fatalf("room add: %v: %s", err, out)
	}
	start := func(run starter, user, transport, says string) peer.Phone {
		account := s.account(user, transport, speech(t, says))
		account.Video = true
		return phone(t, run, account)
	}
	page := func(t testing.TB, a peer.Account) (peer.Phone, error) { return browser.Start(t, folder, a) }
	alice, bob, carol := start(page, "alice", "wss", aliceSays), start(page, "bob", "wss", bobSays), start(startBaresip, "carol", "udp", bobSays)

	t.Run("browser to browser", func(t *testing.T) {
		connectTo(t, alice, bob, "bob")
		sees(t, alice, 1)
		sees(t, bob, 1)
		must(t, "hang up", alice.Hangup())
		must(t, "callee hears the end", bob.WaitEnded(soon(t)))
	})
	t.Run("browser to video telephone", func(t *testing.T) {
		must(t, "dial", alice.Dial("sip:carol@"+domain))
		must(t, "callee rings", carol.WaitIncoming(soon(t)))
		must(t, "answer", carol.Answer())
		sees(t, alice, 1)
		sees(t, carol, 1)
		must(t, "hang up", carol.Hangup())
		must(t, "ended", carol.WaitEnded(soon(t)))
	})
	t.Run("room", func(t *testing.T) {
		for _, p := range []peer.Phone{alice, bob, carol} {
			must(t, p.Name()+" dials", p.Dial("sip:4000@"+domain))
		}
		sees(t, alice, 2)
		sees(t, bob, 2)
		sees(t, carol, 1)
		out, err := exec.Command(program, "room", "status", "--data", s.data, "--domain", domain).CombinedOutput()
		must(t, "room status", err)
		if n := strings.Count(string(out), "is seen, sees\n"); n != 3 {
			t.Errorf("%d of three are seen and see:\n%s", n, out)
		}
	})
}

// TestSimulcast: a browser sends its picture in two sizes at once. The room shows another the large one, and the small one while much is lost on the way to it; what was lost comes again as a stream of its own.
// RFC 8853 §5; RFC 4588.
func TestSimulcast(t *testing.T) {
	program := binary(t)
	need(t, "node", "npm", "chromium")
	folder, err := modules()
	must(t, "install", err)
	s := serve(t, "alice", "bob")
	if out, err := exec.Command(program, "room", "add", "4000", "--quiet", "--data", s.data, "--domain", domain).CombinedOutput(); err != nil {
		t.Fatalf("room add: %v: %s", err, out)
	}
	start := func(user, says string, layers bool) *browser.Phone {
		account := s.account(user, "wss", speech(t, says))
		account.Video, account.Layers, account.Detour = true, layers, !layers
		return phone(t, func(t testing.TB, a peer.Account) (peer.Phone, error) { return browser.Start(t, folder, a) }, account).(*browser.Phone)
	}
	alice, bob := start("alice", aliceSays, true), start("bob", bobSays, false)
	for _, p := range []*browser.Phone{alice, bob} {
		must(t, "dial", p.Dial("sip:4000@"+domain))
		must(t, "answer", p.WaitEstablished(soon(t)))
	}
	wide := func(at int) func(browser.Figures) bool {
		return func(f browser.Figures) bool {
			for _, w := range f.Widths {
				if w == at {
					return true
				}
			}
			return false
		}
	}
	must(t, "both layers are sent", alice.WaitFigures(soon(t), func(f browser.Figures) bool {
		return f.Sent["large"] > 30 && f.Sent["small"] > 30
	}))
	must(t, "the large one is shown", bob.WaitFigures(soon(t), wide(640)))
	must(t, "lose", bob.Lose(30))
	must(t, "what was lost comes again", bob.WaitFigures(soon(t), func(f browser.Figures) bool { return f.Lost > 0 && f.Repaired > 0 }))
	must(t, "the small one is shown", bob.WaitFigures(soon(t), wide(320)))
	must(t, "lose nothing", bob.Lose(0))
	must(t, "the large one is shown again", bob.WaitFigures(within(t, 2*time.Minute), wide(640)))
}
