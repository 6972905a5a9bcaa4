package relay

import (
	"net/netip"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// spray lets m.mallory send to both ports of a, in n steps of 20 ms, while the call goes on: with SSRC and sequence of the call guessed right. It returns how
// many packets of the call it got, and how many of its own bob heard.
func (m *meeting) spray(t *testing.T, first, n int) (taken, injected int) {
	t.Helper()
	for i := range n {
		seq := uint16(first + i)
		for range 3 {
			m.mallory.send(t, m.rtpA, rtpPacket(seq, 7, "spam"))
			m.mallory.send(t, m.rtcpA, rtcpPacket(7))
		}
		m.bob.send(t, m.rtpB, rtpPacket(seq, 9, "to alice"))
		m.alice.send(t, m.rtpA, rtpPacket(seq, 7, "to bob"))
		later(20 * time.Millisecond)
	}
	for _, b := range m.bob.take() {
		if b[12:] != "to bob" {
			injected++
		}
	}
	return len(m.mallory.take()), injected
}

// TestSpray: a third party that sends to our ports from before the call takes at most five packets away, and none once the window has closed, however the honest peer
// is reached. RFC 7362 §5.
func TestSpray(t *testing.T) {
	for name, described := range map[string]string{
		"the description tells the truth": "192.0.2.1:4000",
		"NAT: only signalling does":       "10.0.0.5:4000",
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
				m := meet(t, sim, r)
				for seq := range 5 {
					m.mallory.send(t, m.rtpA, rtpPacket(uint16(seq), 7, "early"))
				}
				m.a.Aim(Peer{RTP: netip.MustParseAddrPort(described), Signalled: netip.MustParseAddr("192.0.2.1")})
				if n, heard := m.spray(t, 10, 100); n > 5 || heard > 0 {
					t.Errorf("%d packets were taken away, or injected ones heard", n)
				}
				if n, heard := m.spray(t, 200, 100); n+heard > 0 {
					t.Errorf("%d packets were taken away or injected after the lock", n)
				}
				later(10 * time.Second) // silence opens nothing for another address
				if n, heard := m.spray(t, 300, 10); n+heard > 0 {
					t.Errorf("%d packets were taken away or injected after silence", n)
				}
				m.a.Aim(Peer{RTP: netip.MustParseAddrPort(described), Signalled: netip.MustParseAddr("192.0.2.1")})
				if n, heard := m.spray(t, 400, 100); n > 5 || heard > 0 {
					t.Errorf("%d packets were taken away or injected after a new offer", n)
				}
			})
		})
	}
}

// TestSprayStrangers: where strangers are let in, who comes first is heard until the peer speaks, and no longer. RFC 7362 §5.
func TestSprayStrangers(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		r.Strangers = true
		m := meet(t, sim, r)
		m.mallory.send(t, m.rtpA, rtpPacket(9, 7, "to bob"))
		if n, heard := m.spray(t, 10, 100); n > 5 || heard > 5 {
			t.Errorf("%d packets were taken away, or injected ones heard", n)
		}
		if n, heard := m.spray(t, 200, 100); n+heard > 0 {
			t.Errorf("%d packets were taken away or injected after the lock", n)
		}
	})
}
