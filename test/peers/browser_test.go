// A browser with every other kind of telephone: ICE and DTLS-SRTP on its side. RFC 8445, RFC 5763, RFC 8835.

package peers

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/browser"
	"github.com/sipwerk/sipwerk/test/peers/peer"
)

// TestBrowser: speech both ways, at first and after each side has held and resumed.
func TestBrowser(t *testing.T) {
	need(t, "node", "npm", "chromium", "baresip", "linphonec")
	modules, err := browser.Install(within(t, 3*time.Minute), t)
	must(t, "install", err)
	startBrowser := func(t testing.TB, a peer.Account) (peer.Phone, error) { return browser.Start(t, modules, a) }
	alice, bob := speech(t, aliceSays), speech(t, bobSays)
	s := serve(t, "alice", "bob")
	for _, c := range []struct {
		name                     string
		caller, callee           starter
		callerBy, calleeBy       string
		callerMedia, calleeMedia peer.Media
	}{
		{"browser to baresip SDES", startBrowser, startBaresip, "ws", "udp", peer.Plain, peer.SDES},
		{"baresip DTLS to browser", startBaresip, startBrowser, "udp", "wss", peer.DTLS, peer.Plain},
		{"linphonec to browser", startLinphonec, startBrowser, "udp", "ws", peer.Plain, peer.Plain},
		{"browser to browser", startBrowser, startBrowser, "ws", "wss", peer.Plain, peer.Plain},
	} {
		t.Run(c.name, func(t *testing.T) {
			by, to := s.account("alice", c.callerBy, alice), s.account("bob", c.calleeBy, bob)
			by.Media, to.Media = c.callerMedia, c.calleeMedia
			a, b := phone(t, c.caller, by), phone(t, c.callee, to)
			connect(t, a, b)
			pause(t.Context(), 4*time.Second)
			for _, holder := range []peer.Phone{a, b} {
				must(t, holder.Name()+" holds", holder.Hold())
				pause(t.Context(), time.Second)
				must(t, holder.Name()+" resumes", holder.Resume())
				pause(t.Context(), 2*time.Second)
			}
			pause(t.Context(), 4*time.Second)
			must(t, "hang up", a.Hangup())
			must(t, "callee hears the end", b.WaitEnded(within(t, 10*time.Second)))
			bothHeard(t, a, b, alice, bob)
		})
	}
}
