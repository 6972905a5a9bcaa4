package video

// What was forwarded lately, for those who ask for it again. RFC 4585 §6.2.1.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

const (
	pastLength = 256 // packets of one stream: about a second
	askAgain   = 100 * time.Millisecond
	maxPacket  = 1500 // longer ones are not kept
)

// past is a ring of packets by their number. The zero past is empty; it takes memory with the first packet.
type past struct {
	packets [][]byte
	asked   []time.Time // when the source was asked for the one in this place
}

// keep takes a packet of a source.
func (r *past) keep(sequence uint16, b []byte) {
	if len(b) > maxPacket {
		return
	}
	if r.packets == nil {
		r.packets, r.asked = make([][]byte, pastLength), make([]time.Time, pastLength)
	}
	i := sequence % pastLength
	r.packets[i] = append(r.packets[i][:0], b...)
}

// find returns a packet; it is valid until the next call of keep.
func (r *past) find(ssrc uint32, sequence uint16) ([]byte, bool) {
	if r.packets == nil {
		return nil, false
	}
	b := r.packets[sequence%pastLength]
	p, err := rtp.Parse(b)
	return b, err == nil && p.Sequence == sequence && p.SSRC == ssrc
}

// wants tells whether the source is to be asked for a packet that has never come: once in a while, however many ask.
func (r *past) wants(sequence uint16, now time.Time) bool {
	if r.packets == nil {
		return false
	}
	at := &r.asked[sequence%pastLength]
	if now.Sub(*at) < askAgain {
		return false
	}
	*at = now
	return true
}
