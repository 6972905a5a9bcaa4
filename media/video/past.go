package video

// What was forwarded lately, for those who ask for it again. RFC 4585 §6.2.1.

import (
	"bytes"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// KeepTime is how long what was forwarded can be sent again. It is for rtx-time, RFC 4588 §8.1.
const KeepTime = time.Second

const (
	pastLength = 256 // packets of one stream: about a second
	askAgain   = 100 * time.Millisecond
	maxPacket  = 1500 // longer ones are not kept
)

// past is a ring of packets by their number. The zero past is empty; it takes memory with the first packet.
type past struct {
	packets [][]byte
	kept    []time.Time // since when the one in this place is there
	asked   []time.Time // when the source was asked for the one in this place
}

// keep takes a packet of a source. One that is there already does not become younger.
func (r *past) keep(sequence uint16, b []byte, now time.Time) {
	if len(b) > maxPacket {
		return
	}
	if r.packets == nil {
		r.packets, r.kept, r.asked = make([][]byte, pastLength), make([]time.Time, pastLength), make([]time.Time, pastLength)
	}
	i := sequence % pastLength
	if !bytes.Equal(r.packets[i], b) {
		r.kept[i] = now
	}
	r.packets[i] = append(r.packets[i][:0], b...)
}

// find returns a packet, nil if it never came; it is valid until the next call of keep. fresh tells whether it may still be sent again.
func (r *past) find(ssrc uint32, sequence uint16, now time.Time) (b []byte, fresh bool) {
	if r.packets == nil {
		return nil, false
	}
	i := sequence % pastLength
	if p, err := rtp.Parse(r.packets[i]); err != nil || p.Sequence != sequence || p.SSRC != ssrc {
		return nil, false
	}
	return r.packets[i], now.Sub(r.kept[i]) <= KeepTime
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
