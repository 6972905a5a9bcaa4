// What one reader has to send: collected while a batch is handled, flushed once.

package transport

import (
	"fmt"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// Outbox collects what is to be sent and is flushed once a batch. Each reader has one. Not for use by two goroutines at once.
type Outbox struct {
	home   *listener          // of the reader, and its socket: what leaves by this listener leaves by this socket
	socket network.PacketConn // nil if the reader reads a stream

	bytes     []byte
	sends     []send
	datagrams []network.Datagram
}

// send is one message in an outbox: to a socket, or to a stream.
type send struct {
	flow       sip.Flow
	socket     network.PacketConn
	stream     *stream
	start, end int
}

// longestDatagram is what fits IPv4: 65,535 less 20 of IP and 8 of UDP.
const longestDatagram = 65507

// keptOutbox is how many bytes an outbox holds on to between batches.
const keptOutbox = 256 << 10

func (l *Layer) outbox(home *listener, socket network.PacketConn) *Outbox {
	out, _ := l.outboxes.Get().(*Outbox)
	if out == nil {
		out = new(Outbox)
	}
	out.home, out.socket = home, socket
	return out
}

// collect puts a message into out, if its flow is there to take it.
func (l *Layer) collect(out *Outbox, f sip.Flow, b []byte) error {
	s := send{flow: f}
	if f.Transport == sip.UDP {
		ln := l.datagramListener(f.Local)
		if ln == nil {
			return sip.ErrFlowLost
		}
		if len(b) > longestDatagram {
			return fmt.Errorf("transport: %d bytes do not fit a datagram: %w", len(b), sip.ErrNoRoute)
		}
		if s.socket = out.socket; ln != out.home {
			s.socket = ln.packets[0]
		}
	} else {
		if s.stream = l.flows.get(f.ID); s.stream == nil {
			return sip.ErrFlowLost
		}
		if err := s.stream.admit(len(b)); err != nil {
			return err
		}
	}
	s.start = len(out.bytes)
	out.bytes = append(out.bytes, b...)
	s.end = len(out.bytes)
	out.sends = append(out.sends, s)
	return nil
}

// Flush calls Barrier and sends what out holds.
func (l *Layer) Flush(out *Outbox) {
	if len(out.sends) == 0 {
		return
	}
	if l.Barrier != nil {
		l.Barrier()
	}
	datagrams := 0
	for i := range out.sends {
		s := &out.sends[i]
		b := out.bytes[s.start:s.end]
		l.sent(s.flow, b)
		if s.stream != nil {
			s.stream.write(b)
		} else {
			datagrams++
		}
	}
	for i := 0; datagrams > 0; i++ {
		if socket := out.sends[i].socket; socket != nil {
			datagrams -= l.flushSocket(out, socket)
		}
	}
	clear(out.sends)
	clear(out.datagrams)
	out.sends, out.datagrams, out.bytes = out.sends[:0], out.datagrams[:0], out.bytes[:0]
	if cap(out.bytes) > keptOutbox {
		out.bytes = nil
	}
}

// flushSocket sends all datagrams of one socket in one batch and takes them out of the list.
func (l *Layer) flushSocket(out *Outbox, socket network.PacketConn) int {
	out.datagrams = out.datagrams[:0]
	for i := range out.sends {
		s := &out.sends[i]
		if s.socket == socket {
			s.socket = nil
			out.datagrams = append(out.datagrams, network.Datagram{Buf: out.bytes[s.start:s.end], Peer: s.flow.Remote, Local: s.flow.Local.Addr()})
		}
	}
	if n, err := socket.WriteBatch(out.datagrams); err != nil {
		l.Stats.Unsent.Add(uint64(len(out.datagrams) - n))
	}
	return len(out.datagrams)
}
