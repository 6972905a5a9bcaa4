//go:build linux && (amd64 || arm64)

package mmsg

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// came says what came to a socket, from where, and whether by its pin.
type came struct {
	text   string
	from   netip.AddrPort
	pinned bool
}

// diary keeps what comes, and answers in the round.
type diary struct {
	conn chan *HubConn // one
	came chan came
}

func (d *diary) Near(int) {}

func (d *diary) Take(r *Round, b []byte, from netip.AddrPort) {
	d.came <- came{string(b), from, r.Pinned}
	conn := <-d.conn
	r.Send(conn, b, from)
	d.conn <- conn
}

func listenDiary(t *testing.T, h *Hub) (*HubConn, *diary) {
	t.Helper()
	d := &diary{conn: make(chan *HubConn, 1), came: make(chan came, 1000)}
	conn, err := h.Listen(netip.AddrPortFrom(loopback, 0), d)
	if err != nil {
		t.Fatal(err)
	}
	d.conn <- conn
	t.Cleanup(func() { _ = conn.Close() })
	return conn, d
}

func addrOf(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

// say lets c send to conn, and tells whether the pin has got it. It is answered either way, and from the same port.
func say(t *testing.T, c *net.UDPConn, conn *HubConn, d *diary) bool {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort([]byte("hello"), conn.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	got := <-d.came
	if got.text != "hello" || got.from != addrOf(c) {
		t.Fatalf("%q came from %v", got.text, got.from)
	}
	b := make([]byte, 100)
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil || string(b[:n]) != "hello" || from != conn.LocalAddr() {
		t.Fatalf("got %q from %v, %v", b[:n], from, err)
	}
	return got.pinned
}

// TestPin: a peer that has a pin is heard by it, and everybody else as before; another peer may get it, or nobody.
func TestPin(t *testing.T) {
	h := newHub(t)
	conn, d := listenDiary(t, h)
	a, b := dial(t), dial(t)
	expect := func(step string, pinnedA, pinnedB bool) {
		t.Helper()
		for range 3 {
			if gotA, gotB := say(t, a, conn, d), say(t, b, conn, d); gotA != pinnedA || gotB != pinnedB {
				t.Fatalf("%s: pinned %v and %v", step, gotA, gotB)
			}
		}
	}
	expect("before", false, false)
	conn.Pin(addrOf(a))
	first := conn.pin.Load()
	expect("pinned to a", true, false)
	conn.Pin(addrOf(a))
	if conn.pin.Load() != first {
		t.Error("the same pin was made twice")
	}
	conn.Pin(addrOf(b))
	expect("pinned to b", false, true)
	conn.Unpin()
	expect("unpinned", false, false)
	conn.Pin(addrOf(a))
	last := conn.pin.Load()
	expect("pinned again", true, false)
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	conn.Pin(addrOf(a))
	if conn.pin.Load() != nil || !last.shut.Load() || !first.shut.Load() {
		t.Error("a pin is left behind")
	}
	again, err := h.Listen(conn.LocalAddr(), d)
	for errors.Is(err, syscall.EADDRINUSE) { // a round may be at it still
		runtime.Gosched()
		again, err = h.Listen(conn.LocalAddr(), d)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

// TestPinIsPrivate: whether there is a pin or not, no other socket gets the port, even one that would share it.
func TestPinIsPrivate(t *testing.T) {
	h := newHub(t)
	conn, _ := listenDiary(t, h)
	thief := func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		for _, option := range []int{unix.SO_REUSEADDR, unix.SO_REUSEPORT} {
			if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, option, 1); err != nil {
				t.Fatal(err)
			}
		}
		return unix.Bind(fd, &unix.SockaddrInet4{Port: int(conn.LocalAddr().Port()), Addr: loopback.As4()})
	}
	for _, step := range []func(){func() {}, func() { conn.Pin(addrOf(dial(t))) }, func() { conn.Pin(addrOf(dial(t))) }, conn.Unpin} {
		if step(); !errors.Is(thief(), syscall.EADDRINUSE) {
			t.Fatal("another socket has the port")
		}
	}
}

// TestPinUnreachable: that nobody takes what a pin sends ends nothing: the peer is heard when it is there again, and gets all that is sent from then on.
func TestPinUnreachable(t *testing.T) {
	h := newHub(t)
	conn, d := listenDiary(t, h)
	r := newRound(HubConfig{Room: 512, Spare: 16}, 1)
	defer r.close()
	peer := dial(t)
	at := addrOf(peer)
	conn.Pin(at)
	_ = peer.Close()
	for i := range 50 {
		if err := conn.Send([]byte("lost"), at); err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
			t.Fatal(err)
		}
		for range i % 5 { // by the system's queue, where there is one
			r.Send(conn, []byte("lost"), at)
		}
		r.flush()
	}
	peer, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	b := make([]byte, 100)
	for got := ""; got != "found"; { // the system may still be at what was lost
		if err := conn.Send([]byte("found"), at); err != nil {
			continue
		}
		n, err := peer.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got = string(b[:n])
	}
	for range 5 {
		if _, err := peer.WriteToUDPAddrPort([]byte("hello"), conn.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		if got := <-d.came; !got.pinned {
			t.Error("the pin hears nothing")
		}
	}
}

// TestPinWithout: who has all local addresses, a peer of the other family, or is read at a beat has no pin, and is served all the same.
func TestPinWithout(t *testing.T) {
	h := newHub(t)
	conn, d := listenDiary(t, h)
	c := dial(t)
	conn.Pin(netip.MustParseAddrPort("[::1]:4000"))
	if say(t, c, conn, d) {
		t.Error("a pin to another family")
	}
	conn.Unpin()
	w := newSweep(t, h)
	conn.Pin(addrOf(c))
	if err := w.Enlist(conn); err != nil {
		t.Fatal(err)
	}
	conn.Pin(addrOf(c))
	if conn.pin.Load() != nil {
		t.Error("a pin beside the beat")
	}
	if _, err := c.WriteToUDPAddrPort([]byte("hello"), conn.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	w.Flush(w.Read())
	if got := <-d.came; got.pinned {
		t.Error("heard by a pin")
	}
	wild, err := h.Listen(netip.AddrPortFrom(netip.IPv4Unspecified(), 0), d)
	if err != nil {
		t.Fatal(err)
	}
	wild.Pin(addrOf(c))
	if wild.pin.Load() != nil {
		t.Error("a pin to all addresses")
	}
	_ = wild.Close()
	h.spare = 0
	poor, _ := listenDiary(t, h)
	poor.Pin(addrOf(c))
	if poor.pin.Load() != nil || !poor.alone.Load() {
		t.Error("a pin takes the last descriptors")
	}
}

// TestPinUnderFire: pins come and go while both sides send.
func TestPinUnderFire(t *testing.T) {
	h := newHub(t)
	conn, e := listenEcho(t, h)
	stop := make(chan struct{})
	var talk sync.WaitGroup
	var peers []netip.AddrPort
	for range 2 {
		c := dial(t)
		peers = append(peers, addrOf(c))
		talk.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_, _ = c.WriteToUDPAddrPort([]byte("ping"), conn.LocalAddr())
					_ = conn.Send([]byte("pong"), addrOf(c))
				}
			}
		})
	}
	for i := range 300 {
		conn.Pin(peers[i%2])
		if i%7 == 0 {
			conn.Unpin()
		}
	}
	for was := e.got.Load(); e.got.Load() == was; { // somebody is heard still
		runtime.Gosched()
	}
	close(stop)
	talk.Wait()
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}
