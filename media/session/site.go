package session

// Where media sockets are opened, and under which address peers reach them.

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/sipwerk/sipwerk/media/carriage"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// A Site is the place of all legs of a server. Fill its fields before first use; they are only read.
type Site struct {
	Relay *relay.Relay
	// Bind are the local addresses of media sockets, at most one of each family. For a family without one the address is
	// used at which the peer reached us, or from which it is reached.
	Bind []netip.Addr
	// Advertise are the addresses to write into descriptions instead of the bound ones, at most one of each family: behind
	// a NAT that forwards the ports unchanged.
	Advertise []netip.Addr
	// FullICE makes us look for the way ourselves. A server with an address that everybody reaches leaves that to its peers (RFC 8445 §2.5).
	FullICE bool
	// Music is what somebody hears who is put on hold; nil: what the other side sends, if it sends anything.
	Music Music
	// Formats are the codecs in which we can speak ourselves, the preferred first; nil: G.722, PCMA and PCMU.
	Formats []codec.Format

	identity carriage.Identity
}

func (s *Site) formats() []codec.Format {
	if s.Formats != nil {
		return s.Formats
	}
	return []codec.Format{codec.G722(), codec.PCMA(), codec.PCMU()}
}

// errFamily: the peer wants an address family that we have not.
var errFamily = errors.New("no local address of the peer's address family")

// Peer is what signalling knows of the other end.
type Peer struct {
	Remote netip.Addr // where its SIP messages come from, or go to
	Local  netip.Addr // the address of ours that they use, if known
	Kind   Kind       // how its media is carried, until it says so itself
	Digits Digits     // how digits go to it; DigitsInfo and DigitsTones whatever it says itself
	// Music is what it hears when it is put on hold; nil: that of the site. The Music may be nil: then it hears nothing of ours.
	Music *Music
	// Inside says that the other end is a leg or an endpoint of this server, of another call: both speak over the loopback, and nothing is advertised.
	Inside bool
}

// address returns where a description wants packets, invalid if that is no IP address, or one to which nobody may direct us: a group, or our own
// host unless the peer is on it.
func (p Peer) address(a sdp.Address) netip.AddrPort {
	to, ok := a.AddrPort()
	ip := to.Addr()
	if p.Inside {
		return to
	}
	if !ok || ip.IsMulticast() || ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || ip.IsLoopback() && !p.Remote.IsLoopback() {
		return netip.AddrPort{}
	}
	return to
}

// bind returns the local address for media with a peer at remote, which may be unknown.
func (s *Site) bind(p Peer, remote netip.Addr) (netip.Addr, error) {
	if p.Inside {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1}), nil
	}
	if !remote.IsValid() {
		if len(s.Bind) > 0 {
			return s.Bind[0], nil
		}
		remote = p.Local
	}
	a, err := s.facing(p, remote)
	if err != nil && p.Remote.IsValid() && p.Remote.Is4() != remote.Is4() {
		// We have not the family of its description, but that in which we talk about it: there it can be heard, if it speaks there too.
		return s.facing(p, p.Remote)
	}
	return a, err
}

// facing returns the local address that faces remote.
func (s *Site) facing(p Peer, remote netip.Addr) (netip.Addr, error) {
	if a := ofFamily(s.Bind, remote); a.IsValid() {
		return a, nil
	}
	if p.Local.IsValid() && !p.Local.IsUnspecified() && p.Local.Is4() == remote.Is4() {
		return p.Local, nil
	}
	a, err := s.Relay.Network.LocalAddr(remote)
	if err != nil {
		return a, fmt.Errorf("session: local address: %w", err)
	}
	if a.Is4() != remote.Is4() {
		return a, fmt.Errorf("session: %w", errFamily)
	}
	return a, nil
}

// open opens a stream. found says that ICE finds its peer: then it shares a port, if we answer checks and make none, for those name us.
func (s *Site) open(ctx context.Context, local netip.Addr, found bool) (*relay.Stream, error) {
	if found && !s.FullICE {
		return s.Relay.OpenShared(ctx, local)
	}
	return s.Relay.Open(ctx, local)
}

// transport is what the transport over a stream has to know; seen is where its peer sees that, and failed is told when keys or a way will not come.
func (s *Site) transport(stream *relay.Stream, seen netip.AddrPort, failed func(error)) carriage.Config {
	return carriage.Config{Stream: stream, Local: seen, Identity: &s.identity, FullICE: s.FullICE, Failed: failed}
}

// advertise returns the address to write for a bound one, for a peer. Zones mean nothing to others.
func (s *Site) advertise(p Peer, bound netip.AddrPort) netip.AddrPort {
	if p.Inside {
		return bound
	}
	if a := ofFamily(s.Advertise, bound.Addr()); a.IsValid() {
		return netip.AddrPortFrom(a, bound.Port())
	}
	return netip.AddrPortFrom(bound.Addr().WithZone(""), bound.Port())
}

func ofFamily(list []netip.Addr, like netip.Addr) netip.Addr {
	for _, a := range list {
		if a.Is4() == like.Is4() {
			return a
		}
	}
	return netip.Addr{}
}
