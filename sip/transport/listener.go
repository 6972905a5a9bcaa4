// Listeners: their URLs, what peers see of them, and which addresses are ours. RFC 3261 §18.2.1, §16.4.

package transport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// listener is one address listened on.
type listener struct {
	url       string
	transport sip.Transport
	addr      netip.AddrPort
	host      string // advertised instead of the address, if not ""
	port      uint16 // advertised instead of the port, if host is set

	packets []network.PacketConn // UDP
	stream  net.Listener         // all others
}

// defaultPort is the port of a transport where none is written. RFC 3261 §19.1.2, RFC 7118 §5.
func defaultPort(t sip.Transport) uint16 {
	switch t {
	case sip.TLS:
		return 5061
	case sip.WS:
		return 80
	case sip.WSS:
		return 443
	}
	return 5060
}

// Listen opens the listener named by a URL such as "udp://:5060", "tls://192.0.2.1:5061", "ws://[::1]:0"; "?advertise=host:port" names what peers see.
// No host means every address, IPv4 and IPv6 where the system has that. It returns the address bound.
func (l *Layer) Listen(ctx context.Context, rawURL string) (netip.AddrPort, error) {
	l.begin()
	l.listening.Lock()
	defer l.listening.Unlock()
	if l.ctx.Err() != nil {
		return netip.AddrPort{}, net.ErrClosed
	}
	ln, err := l.parseListener(ctx, rawURL)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("transport: listen on %q: %w", rawURL, err)
	}
	if err = l.open(ctx, ln); errors.Is(err, syscall.EAFNOSUPPORT) && ln.addr.Addr() == netip.IPv6Unspecified() {
		ln.addr = netip.AddrPortFrom(netip.IPv4Unspecified(), ln.addr.Port()) // every address of a system without IPv6
		err = l.open(ctx, ln)
	}
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("transport: listen on %q: %w", rawURL, err)
	}
	all := append([]*listener(nil), *l.listeners.Load()...)
	all = append(all, ln)
	l.listeners.Store(&all)
	for _, socket := range ln.packets {
		l.running.Go(func() { l.read(ln, socket) })
	}
	if ln.stream != nil {
		l.running.Go(func() { l.accept(ln) })
	}
	return ln.addr, nil
}

// open opens the sockets of a listener.
func (l *Layer) open(ctx context.Context, ln *listener) (err error) {
	if ln.transport == sip.UDP {
		if ln.packets, err = l.Network.ListenPacket(ctx, ln.addr, l.Readers); err == nil {
			ln.addr = ln.packets[0].LocalAddr()
		}
	} else if ln.stream, err = l.Network.ListenStream(ctx, ln.addr); err == nil {
		ln.addr = addrPort(ln.stream.Addr())
	}
	return err
}

func (l *Layer) parseListener(ctx context.Context, rawURL string) (*listener, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	ln := &listener{url: rawURL, transport: sip.ParseTransport(u.Scheme)}
	switch {
	case ln.transport == sip.TransportNone:
		return nil, errors.New("scheme must be udp, tcp, tls, ws or wss")
	case ln.transport.Secure() && l.TLS == nil:
		return nil, errors.New("no TLS certificate configured")
	}
	port := defaultPort(ln.transport)
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return nil, errors.New("port: value out of range")
		}
		port = uint16(n)
	}
	addr, err := l.listenAddr(ctx, u.Hostname())
	if err != nil {
		return nil, err
	}
	ln.addr = netip.AddrPortFrom(addr, port)
	return ln, ln.parseAdvertise(u.Query().Get("advertise"))
}

// listenAddr returns the address to bind for the host of a listener's URL.
func (l *Layer) listenAddr(ctx context.Context, host string) (netip.Addr, error) {
	if host == "" {
		return netip.IPv6Unspecified(), nil
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap(), nil
	}
	addrs, err := l.Resolver.LookupAddr(ctx, host)
	if err == nil && len(addrs) == 0 {
		err = errors.New("no such host")
	}
	if err != nil {
		return netip.Addr{}, err
	}
	return addrs[0], nil
}

// parseAdvertise reads "host", "host:port", "[v6]" or "[v6]:port".
func (ln *listener) parseAdvertise(s string) error {
	if s == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		host, port = strings.Trim(s, "[]"), ""
	}
	if port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return errors.New("advertise: port out of range")
		}
		ln.port = uint16(n)
	}
	if a, err := netip.ParseAddr(host); err == nil {
		host = hostOf(a)
	} else if strings.ContainsAny(host, "[]:/ ") || host == "" {
		return errors.New("advertise: want host or host:port")
	}
	ln.host = host
	return nil
}

// hostOf writes an address as a host of SIP: IPv6 in brackets, no zone.
func hostOf(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.WithZone("").String() + "]"
	}
	return a.String()
}

func (ln *listener) close() {
	for _, socket := range ln.packets {
		_ = socket.Close()
	}
	if ln.stream != nil {
		_ = ln.stream.Close()
	}
}

// covers reports whether what comes to a reaches ln.
func (ln *listener) covers(a netip.Addr) bool {
	own := ln.addr.Addr()
	return own == a || own == netip.IPv6Unspecified() || own.IsUnspecified() && a.Is4()
}

// owns reports whether ln is the datagram listener of a flow with this local address.
func (ln *listener) owns(local netip.AddrPort) bool {
	return ln.transport == sip.UDP && ln.addr.Port() == local.Port() && ln.covers(local.Addr())
}

// reaches reports whether ln can send to a: same family, or a socket of both.
func (ln *listener) reaches(a netip.Addr) bool {
	own := ln.addr.Addr()
	return own == netip.IPv6Unspecified() || own.Is4() == a.Is4()
}

// datagramListener finds the UDP listener of a flow by the flow's local address.
func (l *Layer) datagramListener(local netip.AddrPort) *listener {
	for _, ln := range *l.listeners.Load() {
		if ln.owns(local) {
			return ln
		}
	}
	return nil
}

// datagramFlow chooses a UDP listener to send from: the one bound to the address the route leaves by, otherwise the first that can.
func (l *Layer) datagramFlow(to netip.AddrPort) (sip.Flow, bool) {
	var chosen *listener
	for _, ln := range *l.listeners.Load() {
		if ln.transport != sip.UDP || !ln.reaches(to.Addr()) {
			continue
		}
		if chosen == nil {
			chosen = ln
		}
		if ln.covers(l.routes.local(l.Network, to.Addr())) {
			chosen = ln
			break
		}
	}
	if chosen == nil {
		return sip.Flow{}, false
	}
	local := netip.AddrPortFrom(l.localAddr(chosen, to.Addr()), chosen.addr.Port())
	return sip.Flow{Transport: sip.UDP, Local: local, Remote: to}, true
}

// localAddr returns the address from which ln sends to a peer.
func (l *Layer) localAddr(ln *listener, peer netip.Addr) netip.Addr {
	if own := ln.addr.Addr(); !own.IsUnspecified() {
		return own
	}
	if a := l.routes.local(l.Network, peer); a.IsValid() {
		return a
	}
	return ln.addr.Addr()
}

// Advertised returns host and port to write into Via, Contact and Record-Route of a message sent over f: those of the listener of its transport, so
// that a connection that we opened names the port where new ones are accepted.
func (l *Layer) Advertised(f sip.Flow) (host string, port uint16) {
	l.begin()
	if f.Transport == sip.Inside {
		return insideHost, 0
	}
	ln := l.listenerOf(f)
	switch {
	case ln == nil:
		return l.routes.host(f.Local.Addr()), f.Local.Port()
	case ln.host != "" && ln.port != 0:
		return ln.host, ln.port
	case ln.host != "":
		return ln.host, ln.addr.Port()
	}
	return l.routes.host(f.Local.Addr()), ln.addr.Port()
}

// listenerOf finds the listener that peers of f can reach: the one f came by, otherwise the first of its transport that covers its local address.
func (l *Layer) listenerOf(f sip.Flow) *listener {
	var found *listener
	for _, ln := range *l.listeners.Load() {
		if ln.transport != f.Transport || !ln.covers(f.Local.Addr()) {
			continue
		}
		if ln.addr.Port() == f.Local.Port() {
			return ln
		}
		if found == nil {
			found = ln
		}
	}
	return found
}

// Local reports whether host and port (0: default of the transport) name one of the listeners: a Route or Request-URI meant for ourselves.
func (l *Layer) Local(host string, port uint16) bool {
	l.begin()
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	for _, ln := range *l.listeners.Load() {
		want := port
		if want == 0 {
			want = defaultPort(ln.transport)
		}
		advertised := ln.port
		if advertised == 0 {
			advertised = ln.addr.Port()
		}
		if ln.host != "" && want == advertised && strings.EqualFold(ln.host, host) {
			return true
		}
		if err != nil || want != ln.addr.Port() {
			continue
		}
		if a := addr.Unmap(); ln.addr.Addr() == a || ln.covers(a) && l.routes.local(l.Network, a) == a {
			return true
		}
	}
	return false
}

// routeCache remembers which local address leads where, and how addresses are written. It forgets everything when it is full or old.
type routeCache struct {
	mu    sync.RWMutex
	since time.Time
	from  map[netip.Addr]netip.Addr
	hosts map[netip.Addr]string
}

const (
	routeCacheSize = 4096
	routeCacheAge  = 30 * time.Second
)

// local returns the local address of the route to peer, the zero Addr if there is none.
func (c *routeCache) local(n network.Network, peer netip.Addr) netip.Addr {
	c.mu.RLock()
	a, ok := c.from[peer]
	fresh := time.Since(c.since) < routeCacheAge
	c.mu.RUnlock()
	if ok && fresh {
		return a
	}
	a, _ = n.LocalAddr(peer)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.from == nil || !fresh || len(c.from) >= routeCacheSize {
		c.from, c.since = make(map[netip.Addr]netip.Addr), time.Now()
	}
	c.from[peer] = a
	return a
}

// host returns the address as a host of SIP. Only our own addresses come here, so there are few.
func (c *routeCache) host(a netip.Addr) string {
	c.mu.RLock()
	s, ok := c.hosts[a]
	c.mu.RUnlock()
	if ok {
		return s
	}
	s = hostOf(a)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hosts == nil || len(c.hosts) >= routeCacheSize {
		c.hosts = make(map[netip.Addr]string)
	}
	c.hosts[a] = s
	return s
}
