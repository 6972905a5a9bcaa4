package relay

// What RTCP tells in passing: how long packets take to the peer and back, and how ours arrive there. RFC 3550 §6.4.1.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// hearing is what the peer's reports say of what we send. It is plain data.
type hearing struct {
	asked     uint32 // middle of the NTP time of the last sender report that went to the peer; 0: none
	askedAt   time.Duration
	roundTrip time.Duration
	ssrc      uint32 // of what we send, where others go the same way; 0: nobody else does
	fraction  uint8  // lost of late, in 1/256
	reported  bool   // RTCP has come from the peer
	lost      int32
	jitter    uint32 // in ticks of the stream we send
}

// send takes note of RTCP that goes to the peer.
func (h *hearing) send(b []byte, now time.Duration) {
	for len(b) > 0 {
		p, rest, err := rtp.SplitRTCP(b)
		if err != nil {
			return
		}
		if at, ok := p.SenderTime(); ok {
			h.asked, h.askedAt = at, now
		}
		b = rest
	}
}

// receive takes note of RTCP that comes from the peer. Of several reports in a packet that on what we send counts, or the first.
func (h *hearing) receive(b []byte, now time.Duration) {
	h.reported = true
	for len(b) > 0 {
		p, rest, err := rtp.SplitRTCP(b)
		if err != nil {
			return
		}
		if r, ok := h.own(p); ok {
			h.fraction, h.lost, h.jitter = r.FractionLost, r.Lost, r.Jitter
			held := time.Duration(r.Delay) * time.Second >> 16
			if trip := now - h.askedAt - held; r.LastReport != 0 && r.LastReport == h.asked && trip >= 0 {
				h.roundTrip = trip
			}
		}
		b = rest
	}
}

// own returns the report on what we send.
func (h *hearing) own(p rtp.RawControl) (rtp.ReceptionReport, bool) {
	r, ok := p.Report(0)
	for i := 1; ok && h.ssrc != 0 && r.SSRC != h.ssrc; i++ {
		r, ok = p.Report(i)
	}
	return r, ok
}

// fill completes c. clock is that of the stream that we send.
func (h *hearing) fill(c *Counters, clock uint32) {
	c.RoundTrip, c.PeerLost, c.Reported = h.roundTrip, int64(h.lost), h.reported
	if clock > 0 {
		c.PeerJitter = time.Duration(h.jitter) * time.Second / time.Duration(clock)
	}
	if c.Packets == 0 {
		return
	}
	c.MOS = rtp.MOS(rtp.R(float64(c.Lost)/float64(c.Packets+c.Lost), c.RoundTrip, c.Jitter))
}
