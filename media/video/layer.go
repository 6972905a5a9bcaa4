package video

// One stream of a source: one of its qualities.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

const (
	meterTime   = time.Second            // over which a rate is measured
	quietTime   = 2 * time.Second        // after which a stream is not there any more
	refreshTime = 500 * time.Millisecond // between two demands for a whole picture
	patient     = 6                      // demands in vain after which one waits twice as long
)

// layer is one stream of a source. Its source guards it.
type layer struct {
	rid       string
	ssrc      uint32
	heard     time.Time // last packet
	since     time.Time // of octets
	octets    int
	rate      int // bit/s lately
	past      past
	refreshed time.Time // last demand
	demands   int       // in vain
}

// take takes note of a packet.
func (l *layer) take(p *rtp.Packet, size int, now time.Time) {
	if l.ssrc != p.SSRC || l.heard.IsZero() {
		l.ssrc, l.since, l.octets, l.rate = p.SSRC, now, 0, 0
	}
	l.heard = now
	l.octets += size
	if d := now.Sub(l.since); d >= meterTime {
		l.rate = int(int64(l.octets) * 8 * int64(time.Second) / int64(d))
		l.since, l.octets = now, 0
	}
}

// there tells whether the stream is being sent.
func (l *layer) there(now time.Time) bool { return !l.heard.IsZero() && now.Sub(l.heard) < quietTime }

// due tells whether a whole picture may be asked for now, and takes note that it is.
func (l *layer) due(now time.Time) bool {
	if l.heard.IsZero() || now.Sub(l.refreshed) < refreshTime<<min(l.demands/patient, 3) {
		return false
	}
	l.refreshed = now
	l.demands++
	return true
}
