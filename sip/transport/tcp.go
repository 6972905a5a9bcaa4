// Messages on a byte stream, TCP or TLS: found by Content-Length, read into a buffer that exists only while there is something in it.
// RFC 3261 §18.3, §7.5; RFC 5626 §3.5.1.

package transport

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// streamBuffer is the size of a pooled read buffer; a longer message grows one of its own.
const streamBuffer = 16 << 10

// byteWire carries messages as bytes, one behind the other.
type byteWire struct {
	conn   net.Conn
	in     io.Reader      // conn, or what was read of it ahead
	direct network.Stream // conn, if it is plain TCP of the operating system
	outlet *outlet        // below conn, if that is TLS above such a one
	quiet  time.Time      // when the idle deadline was last set
	ends   int            // line ends read since the last message or ping
}

func (s *stream) byteWire() *byteWire {
	w := &byteWire{conn: s.carrier, in: s.carrier, outlet: s.outlet}
	if direct, ok := s.carrier.(network.Stream); ok {
		w.direct, w.in = direct, &s.ahead
	}
	return w
}

func (w *byteWire) send(b []byte, _ []int) error {
	if len(b) > 0 {
		if _, err := w.conn.Write(b); err != nil {
			return err
		}
	}
	return w.outlet.flush()
}

func (w *byteWire) try(b []byte, _ []int) (int, bool) {
	switch {
	case w.direct != nil:
		return w.direct.TryWrite(b), false
	case w.outlet == nil:
		return 0, false
	}
	if _, err := w.conn.Write(b); err != nil {
		return 0, true // send meets it again
	}
	return len(b), w.outlet.waits()
}

func (w *byteWire) release() {}

func (w *byteWire) run(s *stream) error {
	for {
		if s.pace.busy(s) {
			w.quiet = time.Time{} // the deadline is to be set anew
		}
		w.allowSilence(s)
		buf, n, err := w.wait(s)
		if err != nil {
			return err
		}
		if err = w.take(s, buf, n); err != nil {
			return err
		}
		s.push()
	}
}

// allowSilence sets the idle deadline, now and then: a timer that is set anew for each message would cost more than it is worth.
func (w *byteWire) allowSilence(s *stream) {
	if idle := s.layer.Limits.Idle; w.quiet.IsZero() || time.Since(w.quiet) > idle/16 {
		w.quiet = time.Now()
		s.setReadDeadline(idle)
	}
}

// wait returns a pooled buffer with the next bytes. While nothing comes, no buffer is held.
func (w *byteWire) wait(s *stream) (buf *[]byte, n int, err error) {
	if w.direct != nil {
		return s.ahead.await()
	}
	// A TLS connection keeps what it decrypted: one byte now, the rest of the record by the next call.
	var first [1]byte
	if n, err = w.conn.Read(first[:]); n == 0 {
		return nil, 0, err
	}
	buf = s.layer.pools.buffers.Get().(*[]byte)
	(*buf)[0] = first[0]
	return buf, 1, nil
}

func newStreamBuffer() any {
	buf := make([]byte, streamBuffer)
	return &buf
}

// take handles the first n bytes of buf and what follows, until nothing is left over, and gives buf back.
func (w *byteWire) take(s *stream, buf *[]byte, n int) error {
	defer s.layer.pools.buffers.Put(buf)
	limits := &s.layer.Limits
	frame := sip.Framer{Limits: sip.FrameLimits{Header: limits.Header, Message: limits.Message}}
	room := *buf
	used, err := w.deliver(s, room[:n], &frame)
	for err == nil && used < n {
		if used > 0 || !w.quiet.IsZero() {
			// The time of a message starts with its first byte, however slowly the others come.
			w.quiet = time.Time{}
			s.setReadDeadline(limits.Partial)
		}
		if n = copy(room, room[used:n]); n == len(room) {
			room = append(room, make([]byte, len(room))...)
		}
		var more int
		if more, err = w.in.Read(room[n:]); more == 0 {
			continue
		}
		n += more
		used, err = w.deliver(s, room[:n], &frame)
	}
	return err
}

// deliver hands over every complete message at the front of b and says how many bytes that took.
func (w *byteWire) deliver(s *stream, b []byte, frame *sip.Framer) (used int, err error) {
	l := s.layer
	out := l.outbox(nil, nil)
	p := l.packet(s, out)
	p.Waited = s.ahead.waited
	defer func() {
		l.giveBack(p)
		l.Flush(out)
		l.pools.outboxes.Put(out)
	}()
	for {
		used += w.keepAlive(s, b[used:], out)
		if used == len(b) {
			return used, nil
		}
		if !startsLikeMessage(b[used:]) {
			return used, errNotSIP
		}
		n, err := frame.Next(b[used:])
		if errors.Is(err, sip.ErrShort) {
			return used, nil
		}
		if err != nil {
			return used, s.fault(b[used:], n, err, p)
		}
		l.take(p, s.flow, b[used:used+n], nil)
		used += n
	}
}

// fault delivers a message that cannot be framed, for its answer: its header part of n bytes, or what there is of it.
func (s *stream) fault(b []byte, n int, cause error, p *Packet) error {
	if !resemblesRequest(b) && !sip.IsResponse(b) {
		return errNotSIP
	}
	if n > 0 {
		b = b[:n]
	}
	s.layer.take(p, s.flow, b, cause)
	return errFraming
}

// keepAlive takes line ends from the front of b and answers each double CRLF, which is a ping, by a single one, which is a pong. RFC 5626 §3.5.1.
func (w *byteWire) keepAlive(s *stream, b []byte, out *Outbox) int {
	for i, c := range b {
		switch c {
		case '\r':
		case '\n':
			if s.pinged.CompareAndSwap(true, false) {
				continue
			}
			if w.ends++; w.ends == 2 {
				w.ends = 0
				s.layer.Stats.KeepAlives.Add(1)
				_ = s.layer.collect(out, s.flow, []byte("\r\n"))
			}
		default:
			w.ends = 0
			return i
		}
	}
	return len(b)
}
