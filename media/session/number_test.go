package session

import (
	"encoding/binary"
	"testing"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// TestNumbering: what we say and what the far side says, before and after, is one row of numbers from one source; order and loss of the far side stay. RFC 3550 §5.1.
func TestNumbering(t *testing.T) {
	var n numbering
	if n.begin(new(rtp.Header)) {
		t.Error("a place of nobody")
	}
	pass := func(ssrc uint32, seq, want uint16) {
		t.Helper()
		p := rtp.Packet{Header: rtp.Header{SSRC: ssrc, Sequence: seq}}
		b := p.AppendTo(nil)
		n.number(b)
		if got := binary.BigEndian.Uint16(b[2:]); got != want || binary.BigEndian.Uint32(b[8:]) != ssrc {
			t.Errorf("%d became %d, want %d", seq, got, want)
		}
	}
	music := func(want uint16) {
		t.Helper()
		var h rtp.Header
		if !n.begin(&h) || h.SSRC != 7 || h.Sequence != want {
			t.Errorf("begins with %d of %d, want %d", h.Sequence, h.SSRC, want)
		}
		pass(7, h.Sequence, want)
		pass(7, h.Sequence+1, want+1)
		n.end()
	}
	for _, seq := range []uint16{65533, 65535, 65534} {
		pass(7, seq, seq)
	}
	music(0)
	pass(7, 0, 2) // the far side goes on as if nothing had been
	pass(7, 2, 4)
	pass(7, 1, 3)
	music(5)
	pass(7, 100, 7) // it has sent to nobody meanwhile
	pass(8, 9, 9)   // another source
	pass(8, 10, 10)
}
