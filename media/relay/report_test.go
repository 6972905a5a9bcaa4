package relay

import (
	"math"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/network"
)

// TestReports: the round trip is that between us and the peer, however far the other side is: RFC 3550 §6.4.1. What is lost and how it sounds: RFC 3611 §4.7.
func TestReports(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		m := meet(t, sim, r)
		m.a.Aim(Peer{RTP: m.alice.conn.LocalAddr(), RTCP: m.alice.conn.LocalAddr(), Clock: 8000})
		for _, seq := range []uint16{1, 2, 3, 4, 5, 6, 8, 9, 10, 11} { // 7 is lost
			m.alice.send(t, m.rtpA, rtpPacket(seq, 7, ""))
			later(19 * time.Millisecond)
		}
		now := rtp.NTP(time.Now())
		m.bobControl.send(t, m.rtcpB, (&rtp.SenderReport{SSRC: 9, NTP: now}).AppendTo(nil))
		later(100 * time.Millisecond)
		answer := &rtp.ReceiverReport{SSRC: 7, Reports: []rtp.ReceptionReport{
			{SSRC: 9, Lost: 3, Jitter: 80, LastReport: uint32(now >> 16), Delay: 65536 * 60 / 1000},
		}}
		m.alice.send(t, m.rtcpA, answer.AppendTo(nil)) // from the RTP port: not heard, for the latch of the other socket
		m.a.Mux(true)
		m.alice.send(t, m.rtpA, answer.AppendTo(nil))
		c := m.a.Counters()
		trip := c.RoundTrip.Round(time.Millisecond)
		if trip < 40*time.Millisecond || trip > 45*time.Millisecond || c.PeerLost != 3 || c.PeerJitter != 10*time.Millisecond {
			t.Errorf("round trip %v, lost at the peer %d, jitter %v", c.RoundTrip, c.PeerLost, c.PeerJitter)
		}
		if c.Packets != 10 || c.Lost != 1 || c.MOS < 3 || c.MOS > 3.5 {
			t.Errorf("counters %+v", c)
		}
		if m.b.Counters().MOS != 0 {
			t.Error("an opinion about silence")
		}
		stale := &rtp.ReceiverReport{SSRC: 7, Reports: []rtp.ReceptionReport{{SSRC: 9, LastReport: 1, Delay: math.MaxUint32}}}
		m.alice.send(t, m.rtpA, stale.AppendTo(nil))
		if got := m.a.Counters().RoundTrip; got != c.RoundTrip {
			t.Errorf("round trip %v by a report on nothing of ours", got)
		}
	})
}
