//go:build linux && (amd64 || arm64)

package mmsg

import (
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func newSweep(t *testing.T, h *Hub) *Sweep {
	t.Helper()
	w, err := h.NewSweep()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// beat reads and flushes.
func (w *Sweep) beat() { w.Flush(w.Read()) }

// pinged sends a datagram; over the loopback it lies in the socket when that returns.
func pinged(t *testing.T, c *net.UDPConn, to netip.AddrPort) {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort([]byte("ping"), to); err != nil {
		t.Fatal(err)
	}
}

func answered(t *testing.T, c *net.UDPConn, want int) {
	t.Helper()
	b := make([]byte, 100)
	for range want {
		if n, _, err := c.ReadFromUDPAddrPort(b); err != nil || string(b[:n]) != "ping!" {
			t.Fatalf("got %q, %v", b[:n], err)
		}
	}
}

// TestSweep: more sockets than a round holds are read when the owner says so, all of them and all that lies in them, and by their hub before and after.
func TestSweep(t *testing.T) {
	h := newHub(t)
	w := newSweep(t, h)
	c := dial(t)
	var conns []*HubConn
	var echoes []*echo
	for range roundSize + 3 {
		conn, e := listenEcho(t, h)
		ask(t, c, conn.LocalAddr())
		if err := w.Enlist(conn); err != nil {
			t.Fatal(err)
		}
		conns, echoes = append(conns, conn), append(echoes, e)
	}
	for range 3 {
		for i, conn := range conns {
			pinged(t, c, conn.LocalAddr())
			if i%10 == 0 {
				pinged(t, c, conn.LocalAddr())
			}
		}
	}
	for i, e := range echoes {
		if n := e.got.Load(); n != 1 {
			t.Fatalf("socket %d was read %d times before the beat", i, n-1)
		}
	}
	w.beat()
	answered(t, c, 3*(len(conns)+(len(conns)+9)/10))
	w.beat()
	for i, conn := range conns {
		if want := int64(4 + 3*btoi(i%10 == 0)); echoes[i].got.Load() != want {
			t.Errorf("socket %d was read %d times, want %d", i, echoes[i].got.Load(), want)
		}
		w.Dismiss(conn)
		w.Dismiss(conn)
		ask(t, c, conn.LocalAddr())
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := w.Enlist(conns[0]); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a closed socket enlisted: %v", err)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestSweepSends: what the owner sends leaves with the beat, more than the round has room for as well.
func TestSweepSends(t *testing.T) {
	h := newHub(t)
	w := newSweep(t, h)
	conn, _ := listenEcho(t, h)
	c := dial(t)
	to := c.LocalAddr().(*net.UDPAddr).AddrPort()
	const many = 100 // beyond that the socket of the receiver may be full
	r := w.Read()
	r.used = len(r.memories[0]) - many/2*align(512+16)
	for i := range many {
		b := r.Space(512)
		if len(b) != 512 || cap(b) < 512+16 {
			t.Fatalf("%d bytes, room for %d", len(b), cap(b))
		}
		b[0] = byte(i)
		r.Send(conn, b, to)
	}
	w.Flush(r)
	b := make([]byte, 600)
	for i := range many {
		if n, _, err := c.ReadFromUDPAddrPort(b); err != nil || n != 512 || b[0] != byte(i) {
			t.Fatalf("datagram %d: %d bytes, %d, %v", i, n, b[0], err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

// TestSweepFlood: a socket that gets more than belongs to a beat is read by its hub until it is calm, and nothing is lost.
func TestSweepFlood(t *testing.T) {
	h := newHub(t)
	w := newSweep(t, h)
	conn, _ := listenEcho(t, h)
	calmer, _ := listenEcho(t, h)
	for _, c := range []*HubConn{conn, calmer} {
		if err := w.Enlist(c); err != nil {
			t.Fatal(err)
		}
	}
	c := dial(t)
	for range 5 * flood {
		pinged(t, c, conn.LocalAddr())
	}
	w.last = time.Now().Add(-5 * flood * pace) // so much belongs to a beat that comes late
	w.beat()
	answered(t, c, 5*flood)
	if len(w.strays) != 0 {
		t.Fatal("a late beat was taken for a flood")
	}
	for range 5 * flood {
		pinged(t, c, conn.LocalAddr())
	}
	w.last = time.Now().Add(time.Hour)
	w.beat()
	answered(t, c, 5*flood)
	ask(t, c, conn.LocalAddr()) // without a beat
	if where(conn) != &h.watched || where(calmer) != &w.set || len(w.strays) != 1 {
		t.Fatalf("%d strays", len(w.strays))
	}
	w.strayed = w.strayed.Add(-calm)
	w.beat()
	if where(conn) != &w.set || len(w.strays) != 0 {
		t.Fatalf("%d strays when it is calm", len(w.strays))
	}
	w.strays = append(w.strays, conn)
	w.Dismiss(conn)
	if where(conn) != &h.watched || len(w.strays) != 0 {
		t.Fatal("a stray was not dismissed")
	}
	w.Close()
	if where(calmer) != &h.watched {
		t.Fatal("the end of a sweep does not give its sockets back")
	}
	for _, c := range []*HubConn{conn, calmer} {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	w.set.poll = -1 // closed
}

func where(c *HubConn) *set {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.set
}

// TestSweepStamps: the system says when a datagram arrived, however late it is read.
func TestSweepStamps(t *testing.T) {
	h := newHub(t)
	w := newSweep(t, h)
	conn, _ := listenEcho(t, h)
	if err := w.Enlist(conn); err != nil {
		t.Fatal(err)
	}
	c := dial(t)
	pinged(t, c, conn.LocalAddr())
	r := w.Read()
	head := (*unix.Cmsghdr)(unsafe.Pointer(&r.control))
	if head.Type != unix.SO_TIMESTAMPNS || r.message.Controllen == 0 {
		t.Fatalf("no time came with the datagram: %+v", head)
	}
	stamp := (*unix.Timespec)(unsafe.Add(unsafe.Pointer(&r.control), unix.SizeofCmsghdr))
	for _, c := range []struct{ waited, want time.Duration }{{15 * time.Millisecond, 15 * time.Millisecond}, {-time.Hour, 0}, {time.Hour, oldest}} {
		*stamp = unix.NsecToTimespec(r.At.Add(-c.waited).UnixNano())
		if got := r.At.Sub(r.stamped()); got != c.want {
			t.Errorf("waited %v: %v before the beat", c.waited, got)
		}
	}
	head.Type = 0
	if r.stamped() != r.At {
		t.Error("without a time the datagram has not arrived with the beat")
	}
	w.Flush(r)
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}

// TestSweepAllocates: a beat allocates nothing, and returns its round.
func TestSweepAllocates(t *testing.T) {
	h := newHub(t)
	w := newSweep(t, h)
	conn, e := listenEcho(t, h)
	e.conn.Store(nil)
	if err := w.Enlist(conn); err != nil {
		t.Fatal(err)
	}
	to := conn.LocalAddr()
	n := testing.AllocsPerRun(100, func() {
		r := w.Read()
		r.Send(conn, r.Space(100), to)
		w.Flush(r)
	})
	if n != 0 {
		t.Errorf("%v allocations a beat", n)
	}
	if e.got.Load() < 100 {
		t.Errorf("%d datagrams came", e.got.Load())
	}
	if len(h.rounds.free) != 1 {
		t.Errorf("%d rounds for one sweep", len(h.rounds.free))
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}
