package relay

// The way of a packet: heard by one stream, sent by its partner. Nothing here allocates.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/network"
)

const (
	// room is for one datagram; longer ones are dropped, for they would be passed on cut.
	room = 2048
	// burst is how many datagrams of one socket are taken at once: few, for each socket has memory of its own. RTCP comes singly.
	burst = 2
)

// batch is the memory of one reader.
type batch struct {
	in  []network.Datagram
	out []network.Datagram // of what came, what is listened to
}

func newBatch(c component) *batch {
	n := burst
	if c == control {
		n = 1
	}
	b := &batch{in: make([]network.Datagram, n), out: make([]network.Datagram, 0, n)}
	for i := range b.in {
		b.in[i].Buf = make([]byte, room)
	}
	return b
}

// read brings what comes to k where it belongs until k is closed. The system reports nothing else for a socket
// without a fixed peer; should it, the stream falls silent, which whoever watches its counters sees.
func (r *Relay) read(k *socket) {
	defer r.readers.Done()
	pool := &r.batches[k.component]
	b, _ := pool.Get().(*batch)
	if b == nil {
		b = newBatch(k.component)
	}
	defer pool.Put(b)
	for {
		n, err := k.conn.ReadBatch(b.in)
		if err != nil {
			return
		}
		k.pass(b, n)
	}
}

// pass takes the first n datagrams of b, which came to k, where they belong.
func (k *socket) pass(b *batch, n int) {
	s := k.stream
	partner := s.hear(k.component, b, n)
	if len(b.out) == 0 {
		return
	}
	if f := s.tap.Load(); f != nil {
		for i := range b.out {
			(*f)(b.out[i].Buf, k.component == control)
		}
	}
	if partner != nil {
		partner.speak(k.component, b.out)
	}
}

// hear puts what is listened to into b.out and returns whom it is for.
func (s *Stream) hear(c component, b *batch, n int) *Stream {
	now := s.relay.now()
	b.out = b.out[:0]
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b.in[:n] {
		m := &b.in[i]
		if m.N < room && s.admit(c, m, now) {
			b.out = append(b.out, network.Datagram{Buf: m.Buf[:m.N]})
			continue
		}
		s.counters.Refused++
	}
	return s.partner
}

func (s *Stream) admit(c component, m *network.Datagram, now time.Duration) bool {
	h, k := parse(m.Buf[:m.N])
	if s.opaque {
		h, k = rtp.Header{}, foreign
	} else if k == foreign {
		return false
	}
	if s.latches[c].phase != locked && s.relay.owns(m.Peer) {
		return false
	}
	if !s.latches[c].step(arrival{from: m.Peer, at: now, kind: k, ssrc: h.SSRC, seq: h.Sequence}) {
		return false
	}
	s.counters.PacketsIn++
	s.counters.BytesIn += uint64(m.N)
	if k == sound {
		s.receiver.Receive(&rtp.Packet{Header: h}, s.relay.started.Add(now))
	}
	return true
}

// speak sends ms to the peer of s; their Buf is what is sent.
func (s *Stream) speak(c component, ms []network.Datagram) {
	s.mu.Lock()
	to := s.latches[c].target()
	if !to.IsValid() || s.closed {
		s.mu.Unlock()
		return
	}
	s.counters.PacketsOut += uint64(len(ms))
	for i := range ms {
		ms[i].Peer = to
		s.counters.BytesOut += uint64(len(ms[i].Buf))
	}
	s.mu.Unlock()
	// An unreachable peer is noticed by the silence it leaves; there is nobody to tell here.
	_, _ = s.sockets[c].conn.WriteBatch(ms)
}

// Send sends one RTP packet to the peer; it is dropped if nobody knows yet where that is. One goroutine at a time may call it.
func (s *Stream) Send(b []byte) { s.sockets[media].send(b) }

// SendControl is [Stream.Send] for an RTCP packet.
func (s *Stream) SendControl(b []byte) { s.sockets[control].send(b) }

func (k *socket) send(b []byte) {
	k.single[0] = network.Datagram{Buf: b}
	k.stream.speak(k.component, k.single[:])
}
