package session

// One source for the ears of a peer: music and the far side's sound under one SSRC and in one row of numbers. RFC 3550 §5.1.
// A browser that was not told of sources hears the newest alone, and would not go back to one from before.

import (
	"encoding/binary"
	"sync"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// numbering is what was sent to one peer, and how what comes is to be numbered.
type numbering struct {
	mu     sync.Mutex // guards what follows
	ssrc   uint32     // of the far side's sound
	last   uint16     // sequence number sent last
	offset uint16     // added to those of the far side
	heard  bool       // something of the far side was sent
	own    bool       // what is sent is ours
	behind bool       // something of ours was sent since
}

// begin returns SSRC and sequence number for what we say in the place of the far side; false if nothing of it was sent.
func (n *numbering) begin(h *rtp.Header) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.heard {
		h.SSRC, h.Sequence = n.ssrc, n.last+1
		n.own = true
	}
	return n.heard
}

// end gives the place back.
func (n *numbering) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.behind = n.behind || n.own
	n.own = false
}

// number takes note of an RTP packet that is sent, and changes its number where ours are in between.
func (n *numbering) number(b []byte) {
	n.mu.Lock()
	defer n.mu.Unlock()
	seq, ssrc := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[8:])
	switch {
	case n.own:
		n.last = seq
		return
	case !n.heard || ssrc != n.ssrc:
		n.ssrc, n.last, n.offset, n.heard, n.behind = ssrc, seq-1, 0, true, false
	case n.behind:
		n.offset, n.behind = n.last+1-seq, false
	}
	seq += n.offset
	binary.BigEndian.PutUint16(b[2:], seq)
	if int16(seq-n.last) > 0 {
		n.last = seq
	}
}
