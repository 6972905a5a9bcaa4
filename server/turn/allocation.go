package turn

// The sockets of relays. RFC 8656 §7.2, RFC 8656 §11.3.

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync/atomic"

	pion "github.com/pion/turn/v5"
)

// tries is how many ports of the range are tried for a relay.
const tries = 50

var (
	errPorts  = errors.New("no relay port is free")
	errFamily = errors.New("this machine has no address of that family")
	errTCP    = errors.New("relays over TCP are not offered")
)

// generator opens the sockets of relays.
type generator struct {
	addresses []netip.Addr // that clients are told, at most one of each family
	ports     Range
	reach     *Reach
	dropped   *atomic.Uint64
}

// Validate implements turn.RelayAddressGenerator.
func (g *generator) Validate() error { return nil }

// AllocatePacketConn implements turn.RelayAddressGenerator.
func (g *generator) AllocatePacketConn(c pion.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	for _, a := range g.addresses {
		if a.Is4() != (c.Network == "udp4") {
			continue
		}
		conn, err := g.listen(c.Network)
		if err != nil {
			return nil, nil, err
		}
		port := conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		return &filter{conn, g.reach, g.dropped}, net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, port)), nil
	}
	return nil, nil, errFamily
}

// listen opens a port at random, so that nobody guesses the next one: RFC 8656 §7.2.
func (g *generator) listen(network string) (net.PacketConn, error) {
	for range tries {
		port := int(g.ports.First) + rand.IntN(int(g.ports.Last)-int(g.ports.First)+1)
		if conn, err := net.ListenPacket(network, fmt.Sprintf(":%d", port)); err == nil {
			return conn, nil
		}
	}
	return nil, errPorts
}

// AllocateListener implements turn.RelayAddressGenerator.
func (g *generator) AllocateListener(pion.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errTCP
}

// AllocateConn implements turn.RelayAddressGenerator.
func (g *generator) AllocateConn(pion.AllocateConnConfig) (net.Conn, error) { return nil, errTCP }

// filter is the socket of a relay, which sends only where it may.
type filter struct {
	net.PacketConn
	reach   *Reach
	dropped *atomic.Uint64
}

// WriteTo drops what may not be sent, as a network would.
func (f *filter) WriteTo(b []byte, to net.Addr) (int, error) {
	if u, ok := to.(*net.UDPAddr); !ok || !f.reach.Peer(u.AddrPort()) {
		f.dropped.Add(1)
		return len(b), nil
	}
	return f.PacketConn.WriteTo(b, to)
}
