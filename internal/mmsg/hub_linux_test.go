//go:build linux && (amd64 || arm64)

package mmsg

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// echo sends everything back, in the round or at once.
type echo struct {
	t    *testing.T
	conn atomic.Pointer[HubConn]
	got  atomic.Int64
}

func (e *echo) Near(int) {}

func (e *echo) Take(r *Round, b []byte, from netip.AddrPort) {
	e.got.Add(1)
	c := e.conn.Load()
	if c == nil {
		return
	}
	if cap(b)-len(b) < 16 {
		e.t.Error("no room behind the datagram")
	}
	r.Send(c, append(b, "!"...), from)
}

func newHub(t *testing.T) *Hub {
	t.Helper()
	h, err := NewHub(HubConfig{Room: 512, Spare: 16})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func listenEcho(t *testing.T, h *Hub) (*HubConn, *echo) {
	t.Helper()
	e := &echo{t: t}
	c, err := h.Listen(netip.AddrPortFrom(loopback, 0), e)
	if err != nil {
		t.Fatal(err)
	}
	e.conn.Store(c)
	return c, e
}

func dial(t *testing.T) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// ask sends a datagram until it is answered: the system may drop any.
func ask(t *testing.T, c *net.UDPConn, to netip.AddrPort) {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort([]byte("ping"), to); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != "ping!" || from != to {
		t.Fatalf("got %q from %v, %v", b[:n], from, err)
	}
}

// TestHub: more sockets than a round holds, each answers for itself.
func TestHub(t *testing.T) {
	h := newHub(t)
	c := dial(t)
	var conns []*HubConn
	for range 2*roundSize + 3 {
		conn, _ := listenEcho(t, h)
		conns = append(conns, conn)
	}
	for range 3 {
		for _, conn := range conns {
			ask(t, c, conn.LocalAddr())
		}
	}
	if err := conns[0].Send([]byte("hello"), c.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
		t.Error(err)
	}
	b := make([]byte, 100)
	if n, from, err := c.ReadFromUDPAddrPort(b); err != nil || from != conns[0].LocalAddr() || string(b[:n]) != "hello" {
		t.Errorf("got %q from %v, %v", b[:n], from, err)
	}
	for _, conn := range conns {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := conns[0].Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed twice: %v", err)
	}
	if err := conns[0].Send(nil, conns[1].LocalAddr()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("sent after the end: %v", err)
	}
}

// gate counts what it gets, and holds the thread of the hub at the first.
type gate struct {
	entered, open chan struct{}
	got           chan string
}

func (g *gate) Near(int) {}

func (g *gate) Take(_ *Round, b []byte, _ netip.AddrPort) {
	select {
	case <-g.open:
	default:
		close(g.entered)
		<-g.open
	}
	g.got <- string(b)
}

// TestHubBacklog: what has gathered in a socket is read to the end and in order, although nothing comes after it.
func TestHubBacklog(t *testing.T) {
	h := newHub(t)
	g := &gate{entered: make(chan struct{}), open: make(chan struct{}), got: make(chan string, 10)}
	conn, err := h.Listen(netip.AddrPortFrom(loopback, 0), g)
	if err != nil {
		t.Fatal(err)
	}
	c := dial(t)
	send := func(s string) {
		t.Helper()
		if _, err := c.WriteToUDPAddrPort([]byte(s), conn.LocalAddr()); err != nil {
			t.Fatal(err)
		}
	}
	send("0")
	<-g.entered
	for _, s := range []string{"1", "2", "3", "4", "5", "6", "7"} {
		send(s)
	}
	close(g.open)
	for _, want := range []string{"0", "1", "2", "3", "4", "5", "6", "7"} {
		if got := <-g.got; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

func TestHubAddressInUse(t *testing.T) {
	h := newHub(t)
	conn, e := listenEcho(t, h)
	if _, err := h.Listen(conn.LocalAddr(), e); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("error %v, want EADDRINUSE", err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

// TestHubSlots: a closed socket leaves its slot to another, and hears nothing of what comes to that.
func TestHubSlots(t *testing.T) {
	h := newHub(t)
	c := dial(t)
	var heard []*echo
	for range 100 {
		conn, e := listenEcho(t, h)
		ask(t, c, conn.LocalAddr())
		heard = append(heard, e)
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	for i, e := range heard {
		if n := e.got.Load(); n != 1 {
			t.Errorf("socket %d heard %d datagrams", i, n)
		}
	}
	if n := len(h.watched.slots); n != 1 {
		t.Errorf("%d slots for one socket at a time", n)
	}
}

// TestHubCloseUnderFire: sockets come and go while datagrams arrive, and others send from them.
func TestHubCloseUnderFire(t *testing.T) {
	h := newHub(t)
	var target atomic.Pointer[HubConn]
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		c := dial(t)
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if to := target.Load(); to != nil {
					_, _ = c.WriteToUDPAddrPort([]byte("ping"), to.LocalAddr())
					_ = to.Send([]byte("pong"), c.LocalAddr().(*net.UDPAddr).AddrPort())
				}
			}
		})
	}
	for range 300 {
		conn, _ := listenEcho(t, h)
		target.Store(conn)
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

// TestHubAllocates: neither reading nor sending a datagram allocates.
func TestHubAllocates(t *testing.T) {
	r := newRound(HubConfig{Room: 512, Spare: 16}, few)
	h := newHub(t)
	conn, e := listenEcho(t, h)
	e.conn.Store(nil)
	to := conn.LocalAddr()
	b := []byte("ping")
	n := testing.AllocsPerRun(100, func() {
		r.Send(conn, b, to)
		r.flush()
		r.ready = append(r.ready[:0], conn)
		r.readEdge(&h.watched)
		r.take()
	})
	if n != 0 {
		t.Errorf("%v allocations a datagram", n)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	if conn.state.Load() != 0 {
		t.Error("the descriptor is still in use")
	}
}

// TestFlush: what a round sends leaves from the sockets it should and whole, with the system's queue and without; what cannot be sent holds nothing up.
func TestFlush(t *testing.T) {
	r := newRound(HubConfig{Room: 512, Spare: 16}, 1)
	defer r.close()
	t.Logf("the system's queue is in use: %v", r.ring != nil)
	h := newHub(t)
	var conns []*HubConn
	for range 20 {
		conn, e := listenEcho(t, h)
		e.conn.Store(nil)
		conns = append(conns, conn)
	}
	c := dial(t)
	to := c.LocalAddr().(*net.UDPAddr).AddrPort()
	for _, ring := range []*ring{r.ring, nil, r.ring} {
		r.ring = ring
		for i, conn := range conns {
			r.Send(conn, make([]byte, 70000), to) // too long
			r.Send(conn, []byte{byte(i)}, to)
		}
		r.flush()
		for i, conn := range conns {
			b := make([]byte, 10)
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil || n != 1 || b[0] != byte(i) || from != conn.LocalAddr() {
				t.Fatalf("datagram %d: %x from %v, %v", i, b[:n], from, err)
			}
		}
	}
	for _, conn := range conns {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if conn.state.Load() != 0 {
			t.Error("a descriptor is still in use")
		}
	}
}

// TestHubIPv6: addresses of both families come and go as they are.
func TestHubIPv6(t *testing.T) {
	var name unix.RawSockaddrInet6
	for _, s := range []string{"[2001:db8::1]:5000", "192.0.2.1:4000"} {
		for _, v6 := range []bool{true, false} {
			a := netip.MustParseAddrPort(s)
			if !v6 && a.Addr().Is6() {
				continue
			}
			putPeer(&name, a, v6)
			if got := getPeer(&name); got != a {
				t.Errorf("%v became %v", a, got)
			}
		}
	}
}
