package dtls

// An association over a stream whose peer does not use ICE. RFC 5763 §6.7.1, RFC 7362 §4.

import (
	"net/netip"
	"sync"

	"github.com/sipwerk/sipwerk/media/relay"
)

// Stream is the socket that media and handshake share: a *relay.Stream.
type Stream interface {
	Aside(f relay.Aside)
	SendTo(b []byte, to netip.AddrPort, control bool) error
}

// Peer is what signalling knows of the other end.
type Peer struct {
	Described netip.AddrPort // where its description wants packets
	Signalled netip.Addr     // where its SIP messages come from
}

// Over starts an association over s and takes its Aside for it; c.Send is not needed. It hears the described address and any
// port of the described and the signalled host, for the peer may be behind a NAT. The first who is heard is answered
// from then on, unless the described address itself speaks before the keys are agreed.
func Over(s Stream, p Peer, c Config) *Association {
	o := &over{stream: s, peer: p, to: p.Described}
	c.Send = o.send
	o.association = Start(c)
	s.Aside(o.receive)
	return o.association
}

// over guards an association without ICE.
type over struct {
	stream      Stream
	peer        Peer
	association *Association

	mu    sync.Mutex // guards what follows
	to    netip.AddrPort
	heard bool
}

func (o *over) receive(b []byte, from netip.AddrPort, control bool) {
	if _, ok := inspect(b); ok && !control && o.admit(from) {
		o.association.Receive(b)
	}
}

func (o *over) admit(from netip.AddrPort) bool {
	done := o.association.secured()
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case from == o.to && o.heard:
		return true
	case from == o.peer.Described && !done:
	case !o.heard && (from.Addr() == o.peer.Described.Addr() || from.Addr() == o.peer.Signalled):
	default:
		return false
	}
	o.to, o.heard = from, true
	return true
}

func (o *over) send(b []byte) error {
	o.mu.Lock()
	to := o.to
	o.mu.Unlock()
	return o.stream.SendTo(b, to, false)
}
