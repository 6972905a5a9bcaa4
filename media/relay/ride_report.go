package relay

// Whom RTCP on a shared transport is for. RFC 9143 §9.2, RFC 3550 §6.1.

import (
	"encoding/binary"
	"math/bits"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// concerned is the set of lanes that a datagram of RTCP speaks of, a bit each: those whose sources speak, and those whose sources are reported on or asked for something. One that speaks of none,
// a report without blocks, say, is for the first.
func (l *lanes) concerned(b []byte) (set uint64) {
	for len(b) > 0 {
		c, rest, err := rtp.SplitRTCP(b)
		if err != nil {
			break
		}
		if c.IsDescription() {
			set |= l.describe(c.Body)
		} else if len(c.Body) >= 4 {
			set |= mark(&l.heard, binary.BigEndian.Uint32(c.Body))
		}
		for i := 0; ; i++ {
			ssrc, ok := c.About(i)
			if !ok {
				break
			}
			set |= mark(&l.sent, ssrc)
		}
		b = rest
	}
	return max(set, 1)
}

// describe takes the lines that a source description names for its sources, and returns which lanes these are of. RFC 9143 §9.2, RFC 9143 §15.1.
func (l *lanes) describe(body []byte) (set uint64) {
	for len(body) > 0 {
		c, rest, ok := rtp.SplitChunk(body)
		if !ok {
			break
		}
		if mid, named := c.Item(rtp.ItemMID); named {
			if at := l.named(mid); at >= 0 {
				l.heard.learn(c.SSRC, at)
			}
		}
		set |= mark(&l.heard, c.SSRC)
		body = rest
	}
	return set
}

func mark(s *sources, ssrc uint32) uint64 {
	if lane, ok := s.find(ssrc); ok {
		return 1 << lane
	}
	return 0
}

// share gives RTCP that came on a shared transport to each stream that it concerns. What becomes of it leaves at once: the memory is used again for the next.
func (s *Stream) share(b []byte, a arrival) {
	r := s.relay
	m := r.batch()
	defer r.batches.Put(m)
	s.mu.Lock()
	l := s.lanes
	if l == nil {
		s.mu.Unlock()
		return
	}
	set := l.concerned(b)
	s.mu.Unlock()
	for ; set != 0; set &= set - 1 {
		member := l.all[bits.TrailingZeros64(set)].stream
		p := passage{b: m.buf[:copy(m.buf[:], b)], component: control} // whoever passes it on seals it where it lies
		s.mu.Lock()
		p = member.heardLocked(p, nil, &a)
		s.mu.Unlock()
		p.pass(m, a)
	}
}
