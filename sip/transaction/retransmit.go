// What is kept to be sent again: copies in size-classed pooled buffers, given back as soon as the state has no use for them.

package transaction

import "sync"

// buffer is a copy of a message.
type buffer struct {
	b     []byte
	class uint8
}

// The classes double from 512 bytes to 64 KiB; what is longer is left to the garbage collector.
const (
	smallest = 9
	classes  = 8
)

// buffers is a pool for each class. Any goroutine may use it.
type buffers struct {
	pools [classes]sync.Pool
}

// copyOf returns a buffer that holds a copy of b.
func (p *buffers) copyOf(b []byte) *buffer {
	class := uint8(0)
	for class < classes && len(b) > 1<<(smallest+class) {
		class++
	}
	if class == classes {
		return &buffer{b: append([]byte(nil), b...), class: classes}
	}
	buf, ok := p.pools[class].Get().(*buffer)
	if !ok {
		buf = &buffer{b: make([]byte, 0, 1<<(smallest+class)), class: class}
	}
	buf.b = append(buf.b[:0], b...)
	return buf
}

// put gives buf back.
func (p *buffers) put(buf *buffer) {
	if buf.class < classes {
		p.pools[buf.class].Put(buf)
	}
}

// keep remembers b as what r sends again.
func (s *stripe) keep(r *row, b []byte) {
	s.unkeep(r)
	r.sent = s.table.buffers.copyOf(b)
}

// unkeep forgets it.
func (s *stripe) unkeep(r *row) {
	if r.sent != nil {
		s.table.buffers.put(r.sent)
		r.sent = nil
	}
}
