package transport_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// A source is answered keep-alives and malformed messages up to a rate; its good messages always, and others do not notice.
func TestNoise(t *testing.T) {
	simulated(t, func(t *testing.T, s *network.Sim, a, b *node) {
		b.Limits.Noise = 10
		b.echo = true
		to := b.listen(t, "udp://192.0.2.2:5060")
		a.listen(t, "udp://192.0.2.1:5060")
		other := rawPeer(t, s.Host(addrB6.Next().Next(), addrA.Prev()), "192.0.2.0:5060")
		f := a.flow(t, sip.UDP, to, "")
		good := request("SIP/2.0/UDP 192.0.2.1", 0)
		broken := []byte(strings.Replace(string(good), "Content-Length: 0", "Content-Length: x", 1))
		stun := []byte(unhex(t, "0001 0000 2112a442 000102030405060708090a0b"))
		for _, tc := range []struct {
			name            string
			send            []byte
			after           time.Duration
			answered, lying uint64
		}{
			{"two seconds' worth at once", broken, 0, 21, 79},
			{"nothing more", stun, 0, 0, 100},
			{"not even that", []byte("\r\n\r\n"), 0, 0, 100},
			{"after a second", broken, time.Second, 10, 90},
			{"good ones", good, 0, 100, 0},
		} {
			time.Sleep(tc.after)
			before, ignored := b.Stats.Sent[sip.UDP].Load(), b.Stats.Ignored.Load()
			for range 100 {
				a.send(t, f, tc.send)
			}
			time.Sleep(15 * time.Millisecond)
			synctest.Wait()
			if sent, ig := b.Stats.Sent[sip.UDP].Load()-before, b.Stats.Ignored.Load()-ignored; sent != tc.answered || ig != tc.lying {
				t.Errorf("%s: %d answered, %d ignored", tc.name, sent, ig)
			}
		}
		if answers := exchange(t, other, to, "\r\n\r\n"); len(answers) != 1 {
			t.Errorf("another source is answered %q", answers)
		}
	})
}
