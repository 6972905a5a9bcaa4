package relay

// The place of a stream on a shared port: by which names and from which addresses it is reached.

import (
	"context"
	"net"
	"net/netip"
	"slices"
)

const (
	// maxNames is how many user name fragments a stream has: those of now, and those of before a restart.
	maxNames = 4
	// maxClaims is how many addresses of its peer a stream is heard from: those of its network interfaces, and new ones as it moves.
	maxClaims = 8
)

// berth is the place of a stream on a shared port. What is in it is guarded by the mutex of the port.
type berth struct {
	port    *port
	names   []string
	claimed []netip.AddrPort // the one that was checked last comes last
	fixed   netip.AddrPort
}

// OpenShared is [Relay.Open] for a stream whose peer ICE finds, by checks of the peer's that name it ([Stream.Called]): it goes over the one port of its local address ([Relay.Shared]). If there is none, the
// stream gets ports of its own.
func (r *Relay) OpenShared(ctx context.Context, local netip.Addr) (*Stream, error) {
	if !r.begin() {
		return nil, net.ErrClosed
	}
	defer r.opening.Done()
	s := &Stream{relay: r, ip: local}
	s.prepare()
	if !s.board(ctx) {
		return r.Open(ctx, local)
	}
	r.add(s)
	return s, nil
}

// Share lets a stream of [Relay.Open] go over the shared port of its local address, and gives its own ports back. It reports false if there is none. Nobody has been told of its ports yet.
func (s *Stream) Share(ctx context.Context) bool {
	if s.carrier != nil || s.berth != nil {
		return s.berth != nil
	}
	if !s.relay.begin() {
		return false
	}
	defer s.relay.opening.Done()
	former := &Stream{relay: s.relay, ip: s.ip, hub: s.hub, pair: s.pair, sockets: s.sockets}
	if !s.board(ctx) {
		return false
	}
	s.relay.disown(former)
	former.release(true)
	s.hub, s.pair = nil, 0
	return true
}

// board gives s a place on the shared port of its address.
func (s *Stream) board(ctx context.Context) bool {
	p := s.relay.shared(ctx, s.ip)
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.berths == maxBerths {
		return false
	}
	p.berths++
	s.berth = &berth{port: p}
	for c := range s.sockets {
		s.sockets[c].line, s.sockets[c].conn = nil, p.conns[p.berths%len(p.conns)]
	}
	return true
}

// Called says by which user name fragments the checks of the peer call s, at most four; none: they do not call it any more. It means nothing to a stream that has ports of its own. RFC 8445 §7.2.2.
func (s *Stream) Called(names ...string) {
	s = s.base()
	if s.berth == nil {
		return
	}
	p := s.berth.port
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renameLocked(s, names[:min(len(names), maxNames)])
}

func (p *port) renameLocked(s *Stream, names []string) {
	b := s.berth
	for _, name := range b.names {
		delete(p.names, name)
	}
	b.names = b.names[:0]
	for _, name := range names {
		if p.names[name] == nil {
			p.names[name] = s
			b.names = append(b.names, name)
		}
	}
}

// Checked says that a check has shown that the peer of s is, or was, at an address: what comes from there to a shared port is for s. It means nothing to a stream that has ports of its own.
func (s *Stream) Checked(from netip.AddrPort) {
	s = s.base()
	if s.berth != nil && !s.relay.owns(from) {
		s.berth.port.claim(s, from, true)
	}
}

// claim lets s have what comes from an address, unless another has it that does not yield.
func (p *port) claim(s *Stream, from netip.AddrPort, checked bool) {
	now := p.relay.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.claims[from]
	switch {
	case c == nil:
	case c.stream == s && !checked:
		return
	case c.stream == s:
		c.checked, c.at = true, now
		s.berth.touch(from)
		return
	case !c.yields(checked, now):
		return
	default:
		c.stream.berth.forget(from)
	}
	p.claims[from] = &claim{stream: s, checked: checked, at: now}
	if old := s.berth.touch(from); old.IsValid() {
		delete(p.claims, old)
	}
}

// touch makes an address the one that was checked last, and returns the one that it pushes out, if any.
func (b *berth) touch(from netip.AddrPort) (out netip.AddrPort) {
	b.forget(from)
	b.claimed = append(b.claimed, from)
	if len(b.claimed) <= maxClaims {
		return out
	}
	i := 0
	if b.claimed[0] == b.fixed {
		i = 1
	}
	out = b.claimed[i]
	b.claimed = slices.Delete(b.claimed, i, i+1)
	return out
}

func (b *berth) forget(from netip.AddrPort) {
	b.claimed = slices.DeleteFunc(b.claimed, func(a netip.AddrPort) bool { return a == from })
}

// describe takes the address that the description of the peer names, for one that does not check after all: a claim that every checked one takes away.
func (b *berth) describe(s *Stream, at netip.AddrPort) {
	if at.IsValid() && !at.Addr().IsUnspecified() && at.Port() != discard {
		b.port.claim(s, at, false)
	}
}

// discard is the port that descriptions of browsers name until they know one.
const discard = 9

// fix notes which address is in use: it is not pushed out.
func (b *berth) fix(to netip.AddrPort) {
	b.port.mu.Lock()
	defer b.port.mu.Unlock()
	b.fixed = to
}

// leave frees the place.
func (b *berth) leave(s *Stream) {
	p := b.port
	p.mu.Lock()
	defer p.mu.Unlock()
	p.renameLocked(s, nil)
	for _, from := range b.claimed {
		delete(p.claims, from)
	}
	b.claimed = nil
	p.berths--
}
