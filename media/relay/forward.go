package relay

// The way of a packet: heard by one stream, sent by its partner. Nothing here allocates.

import (
	"net/netip"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// room is for one datagram; longer ones are dropped, for they would be passed on cut.
const room = 2048

// take brings a datagram that came to k where it belongs. The memory of b goes on for Overhead.
func (k *socket) take(o outlet, b []byte, a arrival) {
	s := k.stream
	if f := s.aside.Load(); f != nil && isAside(b) {
		(*f)(b, a.from, k.component == control)
		return
	}
	p, ok := s.hear(k.component, b, a)
	if !ok {
		return
	}
	for _, f := range [...]*Listener{s.tap.Load(), s.record.Load()} {
		if f != nil {
			(*f)(p.b, s.relay.started.Add(a.at), p.component == control)
		}
	}
	if p.to != nil {
		p.to.speak(o, p.component, p.b)
	}
}

// passage is a packet that was heard.
type passage struct {
	b         []byte
	component component // as which it was heard
	to        *Stream   // its partner, if any
}

// hear decides whether b, which came to c, is listened to, and takes its protection off.
func (s *Stream) hear(c component, b []byte, a arrival) (passage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	size := len(b)
	b, ok := s.admit(c, b, &a)
	if !ok {
		s.counters.Refused++
		return passage{}, false
	}
	s.counters.PacketsIn++
	s.counters.BytesIn += uint64(size)
	if s.mux && a.kind == report {
		c = control
	}
	return passage{b: b, component: c, to: s.partner}, true
}

// admit returns the plain packet, if it is one to be heard, and completes a.
func (s *Stream) admit(c component, b []byte, a *arrival) ([]byte, bool) {
	if len(b) >= room {
		return nil, false
	}
	h, k := parse(b)
	switch {
	case s.opaque:
		h, k = rtp.Header{}, foreign
	case k == foreign:
		return nil, false
	case s.cipher != nil:
		if b, a.proven = s.cipher.Open(b, k == report); !a.proven {
			return nil, false
		}
	}
	l := &s.latches[c]
	if s.own && a.from != l.described || !s.own && l.phase != locked && s.relay.owns(a.from) {
		return nil, false // what is ours is where it says, and nothing else of ours is to be learned
	}
	a.kind, a.ssrc, a.seq = k, h.SSRC, h.Sequence
	if !l.step(*a) {
		return nil, false
	}
	switch k {
	case sound:
		s.receiver.Receive(&rtp.Packet{Header: h}, s.relay.started.Add(a.at))
	case report:
		s.hearing.receive(b, a.at)
	}
	return b, true
}

// speak sends b, a plain packet of component c, to the peer of s. The memory of b goes on for Overhead.
func (s *Stream) speak(o outlet, c component, b []byte) {
	s.mu.Lock()
	k, to, b := s.prepare(c, b)
	s.mu.Unlock()
	if k == nil {
		return
	}
	o.send(k, b, to)
}

// prepare returns the socket for a packet, where it goes, and its protected form; no socket if it goes nowhere.
func (s *Stream) prepare(c component, b []byte) (*socket, netip.AddrPort, []byte) {
	if s.mux {
		c = media
	}
	to := s.latches[c].target()
	if !to.IsValid() || s.closed {
		return nil, to, nil
	}
	isReport := !s.opaque && rtp.IsRTCP(b)
	if isReport {
		s.hearing.send(b, s.relay.now())
	}
	if s.cipher != nil {
		var ok bool
		if b, ok = s.cipher.Seal(b, isReport); !ok {
			return nil, to, nil
		}
	}
	s.counters.PacketsOut++
	s.counters.BytesOut += uint64(len(b))
	return &s.sockets[c], to, b
}

// Send sends one RTP packet to the peer; it is dropped if nobody knows yet where that is, or if it is longer than 2047 bytes. b is neither kept nor
// changed.
func (s *Stream) Send(b []byte) { s.send(media, b) }

// SendControl is [Stream.Send] for an RTCP packet.
func (s *Stream) SendControl(b []byte) { s.send(control, b) }

func (s *Stream) send(c component, b []byte) {
	if len(b) >= room {
		return
	}
	m := s.relay.batch()
	s.speak(m, c, m.buf[:copy(m.buf[:], b)])
	s.relay.batches.Put(m)
}
