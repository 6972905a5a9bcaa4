// What one reader has to send: collected while a batch is handled, flushed once.

package transport

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// Outbox collects what is to be sent and is flushed once a batch. Each reader has one. Not for use by two goroutines at once.
type Outbox struct {
	home   *listener          // of the reader, and its socket: what leaves by this listener leaves by this socket
	socket network.PacketConn // nil if the reader reads a stream

	now time.Time // when the batch was read

	bytes     []byte             // the chunk that is being filled; a full one is left to those who point into it
	datagrams []network.Datagram // by the socket of the reader
	lanes     []uint8            // who sent each
	gathering gathering
	strays    []stray
	batch     []network.Datagram // of one other socket, while it is flushed
	ends      []int              // of the messages for one stream, while it is flushed
	gathered  []byte

	// Lane is who sends: of what goes to one peer, messages of one lane leave in the order in which they were sent.
	Lane uint8
	// Room is memory that whoever handles the messages of the reader uses again and again; nil at first. It stays in the processor's cache, which that of each
	// stripe would not.
	Room any
}

// stray is a message that does not leave by the socket of the reader: for another socket, for a stream, or for ourselves.
type stray struct {
	flow   sip.Flow
	socket network.PacketConn
	stream *stream
	inside bool
	bytes  []byte
}

// longestDatagram is what fits IPv4: 65,535 less 20 of IP and 8 of UDP.
const longestDatagram = 65507

// keptOutbox is how many bytes an outbox holds on to between batches.
const keptOutbox = 256 << 10

func (l *Layer) outbox(home *listener, socket network.PacketConn) *Outbox {
	out, _ := l.pools.outboxes.Get().(*Outbox)
	if out == nil {
		out = new(Outbox)
	}
	out.home, out.socket, out.now = home, socket, time.Time{}
	return out
}

// Time is when the batch was read whose answers a reader collects here; the zero Time elsewhere, and without an outbox.
func (out *Outbox) Time() time.Time {
	if out == nil {
		return time.Time{}
	}
	return out.now
}

// usualMessage is what most messages are shorter than; outboxChunk what an outbox starts with.
const (
	usualMessage = 2 << 10
	outboxChunk  = 8 << 10
)

// Tail returns the free room behind what out holds: a message that is appended to it and given to [Layer.Send] with the same outbox before anything else is, is not
// copied. A nil outbox has none.
func (out *Outbox) Tail() []byte {
	if out == nil {
		return nil
	}
	out.room(usualMessage)
	return out.bytes[len(out.bytes):]
}

// room makes room for n bytes. What is held already stays where it is.
func (out *Outbox) room(n int) {
	if cap(out.bytes)-len(out.bytes) < n {
		out.bytes = make([]byte, 0, max(n, outboxChunk, min(2*cap(out.bytes), keptOutbox)))
	}
}

// hold puts b behind what is held, unless it lies there already, and returns where it lies.
func (out *Outbox) hold(b []byte) []byte {
	start := len(out.bytes)
	if room := out.bytes[:cap(out.bytes)]; len(b) > 0 && start+len(b) <= len(room) && &room[start] == &b[0] {
		out.bytes = room[:start+len(b)]
	} else {
		out.room(len(b))
		start = len(out.bytes)
		out.bytes = append(out.bytes, b...)
	}
	return out.bytes[start:len(out.bytes):len(out.bytes)]
}

// collect puts a message into out, if its flow is there to take it.
func (l *Layer) collect(out *Outbox, f sip.Flow, b []byte) error {
	switch f.Transport {
	case sip.UDP:
	case sip.Inside:
		return l.collectInside(out, f, b)
	default:
		return l.collectStream(out, f, b)
	}
	ln := out.home
	if ln == nil || out.socket == nil || !ln.owns(f.Local) {
		if ln = l.datagramListener(f.Local); ln == nil {
			return sip.ErrFlowLost
		}
	}
	if len(b) > longestDatagram {
		return fmt.Errorf("transport: %d bytes do not fit a datagram: %w", len(b), sip.ErrNoRoute)
	}
	held := out.hold(b)
	if ln == out.home && out.socket != nil {
		out.datagrams = append(out.datagrams, network.Datagram{Buf: held, Peer: f.Remote, Local: f.Local.Addr()})
		out.lanes = append(out.lanes, out.Lane)
	} else {
		out.strays = append(out.strays, stray{flow: f, socket: ln.packets[0], bytes: held})
	}
	return nil
}

func (l *Layer) collectStream(out *Outbox, f sip.Flow, b []byte) error {
	s := l.flows.get(f.ID)
	if s == nil {
		return sip.ErrFlowLost
	}
	if err := s.admit(len(b)); err != nil {
		return err
	}
	out.strays = append(out.strays, stray{flow: f, stream: s, bytes: out.hold(b)})
	return nil
}

// Flush calls Barrier and sends what out holds; nothing, if the barrier fails.
func (l *Layer) Flush(out *Outbox) {
	if len(out.datagrams) == 0 && len(out.strays) == 0 {
		return
	}
	if l.Barrier != nil {
		if err := l.Barrier(); err != nil {
			l.Stats.Unsent.Add(uint64(len(out.datagrams) + len(out.strays)))
			out.empty()
			return
		}
	}
	if len(out.datagrams) > 0 {
		l.flushHome(out)
	}
	for i := range out.strays {
		switch s := &out.strays[i]; {
		case s.socket != nil:
			l.flushSocket(out, out.strays[i:])
		case s.stream != nil:
			l.flushStream(out, out.strays[i:])
		case s.inside:
			l.flushInside(s.bytes)
		}
	}
	out.empty()
}

func (out *Outbox) empty() {
	clear(out.strays)
	clear(out.datagrams)
	clear(out.gathering.sorted)
	out.strays, out.datagrams, out.lanes, out.bytes = out.strays[:0], out.datagrams[:0], out.lanes[:0], out.bytes[:0]
	out.gathering.sorted = out.gathering.sorted[:0]
	if cap(out.bytes) > keptOutbox {
		out.bytes = nil
	}
	if cap(out.gathered) > keptOutbox {
		out.gathered = nil
	}
}

// flushHome sends what leaves by the socket of the reader.
func (l *Layer) flushHome(out *Outbox) {
	datagrams := out.gathering.gather(out.datagrams, out.lanes)
	if l.Trace != nil {
		port := out.home.addr.Port()
		for i := range datagrams {
			d := &datagrams[i]
			l.trace(sip.Flow{Transport: sip.UDP, Local: netip.AddrPortFrom(d.Local, port), Remote: d.Peer}, true, d.Buf)
		}
	}
	l.write(out.socket, datagrams)
}

// flushSocket sends all datagrams for the socket of the first one in one batch, and takes them out of the list.
func (l *Layer) flushSocket(out *Outbox, strays []stray) {
	socket := strays[0].socket
	out.batch = out.batch[:0]
	for i := range strays {
		if s := &strays[i]; s.socket == socket {
			s.socket = nil
			l.trace(s.flow, true, s.bytes)
			out.batch = append(out.batch, network.Datagram{Buf: s.bytes, Peer: s.flow.Remote, Local: s.flow.Local.Addr()})
		}
	}
	l.write(socket, out.batch)
	clear(out.batch)
}

func (l *Layer) write(socket network.PacketConn, ms []network.Datagram) {
	l.Stats.Sent[sip.UDP].Add(uint64(len(ms)))
	if n, err := socket.WriteBatch(ms); err != nil {
		l.Stats.Unsent.Add(uint64(len(ms) - n))
	}
}

// flushStream writes all messages for the stream of the first one at once, and takes them out of the list.
func (l *Layer) flushStream(out *Outbox, strays []stray) {
	to := strays[0].stream
	out.gathered, out.ends = out.gathered[:0], out.ends[:0]
	b := strays[0].bytes
	for i := range strays {
		s := &strays[i]
		if s.stream != to {
			continue
		}
		s.stream = nil
		l.trace(s.flow, true, s.bytes)
		if len(out.ends) > 0 {
			if len(out.ends) == 1 {
				out.gathered = append(out.gathered, b...)
			}
			out.gathered = append(out.gathered, s.bytes...)
			b = out.gathered
		}
		out.ends = append(out.ends, len(b))
	}
	l.Stats.Sent[to.flow.Transport].Add(uint64(len(out.ends)))
	to.write(b, out.ends)
}
