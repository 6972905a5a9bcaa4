package relay

// The way of a packet: heard by one stream, sent by its partner. Nothing here allocates.

import (
	"encoding/binary"
	"net/netip"

	"github.com/sipwerk/sipwerk/internal/mmsg"
	"github.com/sipwerk/sipwerk/media/rtp"
)

const (
	// room is for one datagram; longer ones are dropped, for they would be passed on cut.
	room = 2048
	// spare is behind each, for what is added to it.
	spare = Overhead + stampRoom
)

// take brings a datagram that came to k where it belongs. The memory of b goes on for spare.
func (k *socket) take(o outlet, b []byte, a arrival) {
	s := k.stream
	if f := s.aside.Load(); f != nil && isAside(b) {
		(*f)(b, a.from, k.component == control)
		return
	}
	p, ok := s.hear(k.component, b, &a)
	if a.steady && k.line != nil && k.component == media && !s.ask(&a) && !a.pinned {
		k.line.Pin(a.from)
		if k.line.socket.Load() != k { // the stream was closed meanwhile: whoever has the line next wants nothing of its peer
			k.line.Unpin()
		}
	}
	switch {
	case !ok:
	case p.by == nil:
		s.share(p.b, a)
	default:
		p.pass(o, a)
	}
}

// near has the memory fetched that a packet will need: first of the stream that hears it, then of the one that sends it, then of its socket. The pointers on the way are the same for whoever has the mutexes,
// or are read again by them.
func (k *socket) near(step int) {
	switch step {
	case 1:
		mmsg.Fetch(k)
		return
	case 2:
		k.stream.fetch(k.component)
		mmsg.Fetch(&k.stream.receiver)
		return
	}
	to := k.stream.partner.Load()
	if to == nil {
		return
	}
	switch out := to.sockets[k.component].line; {
	case step == 3:
		to.fetch(k.component)
	case out == nil:
	case step == 4:
		mmsg.Fetch(out)
	case step == 5:
		mmsg.Fetch(out.HubConn)
	default:
		out.FetchPin()
	}
}

func (s *Stream) fetch(c component) {
	mmsg.Fetch(&s.mu)
	mmsg.Fetch(&s.counters)
	mmsg.Fetch(&s.sockets[c])
	mmsg.Fetch(&s.latches[c])
	mmsg.Fetch(&s.lanes)
	mmsg.Fetch(&s.own)
	mmsg.Fetch(&s.number)
}

// passage is a packet that was heard.
type passage struct {
	b         []byte
	component component // as which it was heard
	by        *Stream   // nil: RTCP on a shared transport, which may be for several
	to        *Stream   // its partner, if any
}

// pass gives a packet to whoever listens, and to the partner.
func (p *passage) pass(o outlet, a arrival) {
	for _, f := range [...]*Listener{p.by.tap.Load(), p.by.record.Load()} {
		if f != nil {
			(*f)(p.b, p.by.relay.started.Add(a.at), p.component == control)
		}
	}
	if p.to == nil {
		return
	}
	if f := p.by.filter.Load(); f != nil {
		if p.b = (*f)(p.b, p.component == control); p.b == nil {
			return
		}
	}
	p.to.speak(o, p.component, p.b)
}

// hear decides whether b, which came to c, is listened to, takes its protection off, and completes a.
func (s *Stream) hear(c component, b []byte, a *arrival) (passage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.collectLocked()
	b, h, ok := s.admit(c, b, a)
	if x != nil && c == media {
		s.besideLocked(x, a, ok)
	}
	a.plain, a.express = s.relay.express != nil && s.plainLocked(a.at), x != nil && x.entry.Running()
	by := s
	if l := s.lanes; ok && l != nil {
		if a.kind == report {
			return passage{b: b}, true
		}
		by = l.find(&h, b)
	}
	if !ok || by == nil {
		s.counters.Refused++
		return passage{}, false
	}
	if s.mux && a.kind == report {
		c = control
	}
	return by.heardLocked(passage{b: b, component: c}, &h, a), true
}

// heardLocked takes note of a packet that is for s. The mutex is that of the base.
func (s *Stream) heardLocked(p passage, h *rtp.Header, a *arrival) passage {
	s.counters.PacketsIn++
	s.counters.BytesIn += uint64(a.size)
	s.last = a.at
	switch a.kind {
	case sound:
		s.receiver.Receive(&rtp.Packet{Header: *h}, s.relay.started.Add(a.at))
	case report:
		s.hearing.receive(p.b, a.at)
	}
	p.by, p.to = s, s.partner.Load()
	return p
}

// admit returns the plain packet and what its header says, if it is one to be heard, and completes a.
func (s *Stream) admit(c component, b []byte, a *arrival) ([]byte, rtp.Header, bool) {
	if len(b) >= room {
		return nil, rtp.Header{}, false
	}
	a.size = len(b)
	h, k := parse(b)
	switch {
	case s.opaque:
		h, k = rtp.Header{}, foreign
	case k == foreign:
		return nil, h, false
	case s.cipher != nil:
		if b, a.proven = s.cipher.Open(b, k == report); !a.proven {
			return nil, h, false
		}
		a.claim.prove()
	}
	l := &s.latches[c]
	if s.own && a.from != l.described || !s.own && l.phase != locked && s.relay.owns(a.from) {
		return nil, h, false // what is ours is where it says, and nothing else of ours is to be learned
	}
	a.kind, a.ssrc, a.seq = k, h.SSRC, h.Sequence
	heard := l.step(*a)
	a.steady = heard && s.sweep == nil && l.steady(a.at)
	return b, h, heard
}

// speak sends b, a plain packet of component c, to the peer of s. The memory of b goes on for spare.
func (s *Stream) speak(o outlet, c component, b []byte) {
	t := s.base()
	t.mu.Lock()
	k, to, b := s.prepareLocked(c, b)
	t.mu.Unlock()
	if k == nil {
		return
	}
	o.send(k, b, to)
}

// prepareLocked returns the socket for a packet, where it goes, and its protected form; no socket if it goes nowhere.
func (s *Stream) prepareLocked(c component, b []byte) (*socket, netip.AddrPort, []byte) {
	t := s.base()
	if t.mux {
		c = media
	}
	to := t.latches[c].target()
	if !to.IsValid() || s.closed || t.closed {
		return nil, to, nil
	}
	isReport := !t.opaque && rtp.IsRTCP(b)
	switch {
	case isReport:
		if s.hearing.send(b, s.relay.now()); s.stamp != nil {
			b = s.stamp.sign(b)
		}
	case !t.opaque && len(b) >= rtp.HeaderSize:
		b = s.dressLocked(b)
	}
	if t.cipher != nil {
		var ok bool
		if b, ok = t.cipher.Seal(b, isReport); !ok {
			return nil, to, nil
		}
	}
	s.counters.PacketsOut++
	s.counters.BytesOut += uint64(len(b))
	return &t.sockets[c], to, b
}

// dressLocked gives an RTP packet the number and the tag that the peer is to see. It comes back where it was, and may be longer.
func (s *Stream) dressLocked(b []byte) []byte {
	if s.number != nil {
		s.number(b)
	}
	if l := s.base().lanes; l != nil {
		s.hearing.ssrc = binary.BigEndian.Uint32(b[8:])
		l.sending(s, s.hearing.ssrc)
	}
	if s.stamp != nil {
		b = s.stamp.put(b)
	}
	return b
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
