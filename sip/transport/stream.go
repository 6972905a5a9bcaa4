// One stream connection of any kind: its life, its bounded queue toward the peer, its time-outs. RFC 3261 §18.

package transport

import (
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// stream is a connection. One goroutine reads it; another exists only while something waits to be written.
type stream struct {
	layer    *Layer
	flow     sip.Flow
	target   *Target // of a dialed connection, or its alias; or nil; guarded by the flow table
	accepted bool
	peer     *x509.Certificate // verified; nil if the peer showed none
	conn     net.Conn          // the TCP connection: deadlines are set on it, and closing it ends all above
	outlet   *outlet           // above conn, where TLS or WebSocket stand on it and the system allows it; nil otherwise
	carrier  net.Conn          // what the wire runs on: conn, the outlet, or TLS above one of them
	wire     wire
	ahead    ahead       // of the reader
	pace     pace        // of the reader
	pinged   atomic.Bool // the next line end is a pong

	mu      sync.Mutex // guards all below
	pending []byte     // waits to be written
	ends    []int      // where each message in pending ends
	writing bool       // a goroutine is at it
	closed  bool
	drained chan struct{} // set by who waits for writing to end; closed then
}

// wire is how messages travel on a connection: bytes with Content-Length, or WebSocket frames.
type wire interface {
	// run reads and delivers until the connection ends.
	run(s *stream) error
	// try writes as much of some messages as goes without waiting, which may be nothing; it is called while nothing else writes. If something is left
	// inside, send is to be called.
	try(b []byte, ends []int) (n int, left bool)
	// send writes messages that lie one behind the other in b, of which there may be none, and what was left inside. It may block.
	send(b []byte, ends []int) error
	// release frees what the wire holds after the connection was closed.
	release()
}

// Faults of a peer that end its connection.
var (
	errFraming = errors.New("transport: message has no end")
	errNotSIP  = errors.New("transport: peer does not speak SIP")
)

// lingerTime is how long a connection that ends waits for its queue.
const lingerTime = time.Second

// serve runs a connection to its end: handshake, reading, good-bye. The caller's goroutine is the reader. While it waits its stack is most of what
// the connection costs, so what comes before and after has frames of its own.
func (s *stream) serve(handshake func(*stream) error, ready func(error)) {
	if s.open(handshake, ready) {
		turn := network.Ticket(s.layer.Network)
		err := s.guarded()
		turn() // a host that crashes ends many at once
		s.end(err)
	}
}

// open runs the handshake and makes the flow known.
func (s *stream) open(handshake func(*stream) error, ready func(error)) bool {
	l := s.layer
	l.Stats.Connections.Add(1)
	s.setDeadline(l.Limits.Handshake)
	if err := handshake(s); err != nil {
		l.Stats.Handshake.Add(1)
		s.close()
		s.ahead.drop()
		s.leave()
		ready(err)
		return false
	}
	_ = s.conn.SetDeadline(time.Time{})
	s.outlet.pass()
	l.flows.ready(s)
	ready(nil)
	return true
}

// end closes a connection that has been read to its end, and tells.
func (s *stream) end(err error) {
	s.account(err)
	s.ahead.drop()
	s.linger()
	s.close()
	s.wire.release()
	s.leave()
	if lost := s.layer.FlowLost; lost != nil {
		lost(s.flow)
	}
}

func (s *stream) leave() {
	s.layer.flows.leave(s)
	s.layer.Stats.Connections.Add(-1)
}

// guarded runs the wire behind a firewall of its own: what is not caught message by message ends this connection only.
func (s *stream) guarded() error {
	defer s.firewall()
	return s.wire.run(s)
}

func (s *stream) firewall() {
	if cause := recover(); cause != nil {
		s.layer.caught(cause, s.flow)
	}
}

// account counts why a connection ended.
func (s *stream) account(err error) {
	stats := &s.layer.Stats
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		stats.TimedOut.Add(1)
	case errors.Is(err, errNotSIP):
		stats.Junk.Add(1)
	case errors.Is(err, errFraming): // counted with the message
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed):
		s.layer.Log.Debug("transport: connection ended", "transport", s.flow.Transport.String(), "source", s.flow.Remote.String(), "err", err)
	}
}

// linger lets what is queued, such as the answer to a fault, leave before the connection is closed. Nothing more is read.
func (s *stream) linger() {
	s.mu.Lock()
	if s.closed || !s.writing {
		s.mu.Unlock()
		return
	}
	drained := make(chan struct{})
	s.drained = drained
	s.mu.Unlock()
	select {
	case <-drained:
	case <-time.After(lingerTime):
	case <-s.layer.ctx.Done():
	}
}

// setDeadline limits reading and writing to d from now.
func (s *stream) setDeadline(d time.Duration) { _ = s.conn.SetDeadline(time.Now().Add(d)) }

// setReadDeadline limits the next reads to d from now.
func (s *stream) setReadDeadline(d time.Duration) { _ = s.conn.SetReadDeadline(time.Now().Add(d)) }

// admit reports whether n more bytes fit the queue. If not, the peer has not read for long, and its connection is closed.
func (s *stream) admit(n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return sip.ErrFlowLost
	}
	if len(s.pending)+n <= s.layer.Limits.Queue {
		return nil
	}
	s.overflowLocked()
	return sip.ErrOverload
}

func (s *stream) overflowLocked() {
	s.layer.Stats.Overflow.Add(1)
	s.closeLocked()
}

// write queues messages that lie one behind the other in b and end at ends. What does not fit closes the connection: a peer that does not read blocks itself only.
func (s *stream) write(b []byte, ends []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if len(s.pending)+len(b) > s.layer.Limits.Queue {
		s.overflowLocked()
		return
	}
	done, left := 0, false
	if !s.writing {
		if done, left = s.wire.try(b, ends); done == len(b) && !left {
			return
		}
	}
	before := len(s.pending) - done
	s.pending = append(s.pending, b[done:]...)
	for _, end := range ends {
		if end > done {
			s.ends = append(s.ends, before+end)
		}
	}
	s.drainLocked()
}

// push lets go what reading has left in the outlet.
func (s *stream) push() {
	if s.outlet.waits() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.drainLocked()
	}
}

func (s *stream) drainLocked() {
	if !s.writing && !s.closed {
		s.writing = true
		s.layer.inTurn(s.drain)
	}
}

// drain writes until nothing waits.
func (s *stream) drain() {
	var pending []byte
	var ends []int
	for first := true; ; first = false {
		s.mu.Lock()
		if len(s.pending) == 0 && !first || s.closed {
			s.writing = false
			_ = s.conn.SetWriteDeadline(time.Time{})
			if s.drained != nil {
				close(s.drained)
				s.drained = nil
			}
			s.mu.Unlock()
			return
		}
		pending, s.pending = s.pending, pending[:0]
		ends, s.ends = s.ends, ends[:0]
		s.mu.Unlock()
		_ = s.conn.SetWriteDeadline(time.Now().Add(s.layer.Limits.Write))
		if err := s.wire.send(pending, ends); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				s.layer.Stats.Overflow.Add(1)
			}
			s.close()
		}
	}
}

// close ends the connection; its reader notices and does the rest.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closeLocked()
}

func (s *stream) closeLocked() {
	if !s.closed {
		s.closed = true
		s.ahead.closed.Store(true)
		s.pending, s.ends = nil, nil
		_ = s.conn.Close()
	}
}
