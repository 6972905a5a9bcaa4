// Tests of the real network, on loopback.

package network_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/sipwerk/sipwerk/internal/mmsg"
	"github.com/sipwerk/sipwerk/network"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func listen(t *testing.T, addr string, n int) []network.PacketConn {
	t.Helper()
	conns, err := network.OS{}.ListenPacket(t.Context(), netip.MustParseAddrPort(addr), n)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range conns {
		t.Cleanup(func() { c.Close() })
	}
	return conns
}

func read(t *testing.T, c network.PacketConn) network.Datagram {
	t.Helper()
	ms := []network.Datagram{{Buf: make([]byte, 65535)}}
	if n, err := c.ReadBatch(ms); n != 1 || err != nil {
		t.Fatalf("ReadBatch = %d, %v", n, err)
	}
	return ms[0]
}

// A server on the wildcard address answers from the address that was asked, for IPv4 and IPv6, on both kinds of socket.
func TestReplyLeavesFromAddressAsked(t *testing.T) {
	for _, tc := range []struct {
		listen, client, to string
		sockets            int
	}{
		{"0.0.0.0:0", "127.0.0.1:0", "127.0.0.3", 1},
		{"0.0.0.0:0", "127.0.0.1:0", "127.0.0.3", 2},
		{"[::]:0", "127.0.0.1:0", "127.0.0.4", 1},
		{"[::]:0", "127.0.0.1:0", "127.0.0.4", 2},
		{"[::]:0", "[::1]:0", "::1", 2},
		{"[::1]:0", "[::1]:0", "::1", 1},
	} {
		server := listen(t, tc.listen, tc.sockets)
		port := server[0].LocalAddr().Port()
		for _, s := range server {
			go func() {
				ms := make([]network.Datagram, 4)
				for i := range ms {
					ms[i].Buf = make([]byte, 65535)
				}
				for {
					n, err := s.ReadBatch(ms)
					if err != nil {
						return
					}
					for i := range n {
						s.WriteBatch([]network.Datagram{{Buf: ms[i].Buf[:ms[i].N], Peer: ms[i].Peer, Local: ms[i].Local}})
					}
				}
			}()
		}
		client := listen(t, tc.client, 1)[0]
		to := netip.AddrPortFrom(netip.MustParseAddr(tc.to), port)
		for _, size := range []int{1, 1300, 65000} {
			if n, err := client.WriteBatch([]network.Datagram{{Buf: bytes.Repeat([]byte{7}, size), Peer: to}}); n != 1 || err != nil {
				t.Fatalf("WriteBatch = %d, %v", n, err)
			}
			got := read(t, client)
			if got.Peer != to || got.N != size {
				t.Errorf("%s asked at %s: %d bytes from %s", tc.listen, to, got.N, got.Peer)
			}
		}
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	addr := listen(t, "127.0.0.1:0", 2)[0].LocalAddr()
	for _, n := range []int{0, 1, 2} {
		_, err := network.OS{}.ListenPacket(t.Context(), addr, n)
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("ListenPacket(%d) = %v, want EADDRINUSE", n, err)
		}
	}
	l, err := network.OS{}.ListenStream(t.Context(), netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = network.OS{}.ListenStream(t.Context(), l.Addr().(*net.TCPAddr).AddrPort())
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("ListenStream = %v, want EADDRINUSE", err)
	}
}

func TestCloseEndsReader(t *testing.T) {
	for _, n := range []int{0, 1, 2} {
		for _, c := range listen(t, "[::]:0", n) {
			ended := make(chan error)
			go func() {
				_, err := c.ReadBatch([]network.Datagram{{Buf: make([]byte, 10)}})
				ended <- err
			}()
			c.Close()
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("ReadBatch after Close = %v", err)
			}
			if _, err := c.WriteBatch([]network.Datagram{{Buf: []byte("x"), Peer: c.LocalAddr()}}); !errors.Is(err, net.ErrClosed) {
				t.Errorf("WriteBatch after Close = %v", err)
			}
		}
	}
}

// The reader of a socket that is one of several may have its thread, the only one of a phone has none. It ends with the socket.
func TestDedicate(t *testing.T) {
	if _, ok := listen(t, "127.0.0.1:0", 1)[0].(network.Dedicated); ok {
		t.Error("the reader of a single socket has a thread")
	}
	if !mmsg.CanShare {
		return
	}
	conns := listen(t, "127.0.0.1:0", 2)
	took := make(chan int, len(conns))
	for _, c := range conns {
		go func() {
			c.(network.Dedicated).Dedicate()
			n, _ := c.ReadBatch([]network.Datagram{{Buf: make([]byte, 10)}})
			took <- n
		}()
	}
	if _, err := conns[0].WriteBatch([]network.Datagram{{Buf: []byte("hello"), Peer: conns[0].LocalAddr()}}); err != nil {
		t.Fatal(err)
	}
	if n := <-took; n != 1 { // whichever of the two the system chose
		t.Errorf("%d datagrams read", n)
	}
	for _, c := range conns {
		c.Close()
	}
	if n := <-took; n != 0 {
		t.Errorf("%d datagrams read after the end", n)
	}
}

// A datagram that the system refuses does not hold up its neighbours.
func TestWriteBatchSkipsRefused(t *testing.T) {
	for _, n := range []int{1, 2} {
		from, to := listen(t, "127.0.0.1:0", n)[0], listen(t, "127.0.0.1:0", 1)[0]
		sent, err := from.WriteBatch([]network.Datagram{
			{Buf: make([]byte, 70000), Peer: to.LocalAddr()},
			{Buf: []byte("v6"), Peer: netip.MustParseAddrPort("[::1]:9")},
			{Buf: []byte("good"), Peer: to.LocalAddr()},
		})
		if sent != 1 || !errors.Is(err, syscall.EMSGSIZE) {
			t.Errorf("WriteBatch = %d, %v", sent, err)
		}
		if got := read(t, to); string(got.Buf[:got.N]) != "good" {
			t.Errorf("read %q", got.Buf[:got.N])
		}
	}
}

func TestReadBatchTakesMany(t *testing.T) {
	for _, n := range []int{1, 2} {
		conns := listen(t, "127.0.0.1:0", n)
		from := listen(t, "127.0.0.1:0", 1)[0]
		batch := make([]network.Datagram, 20)
		for i := range batch {
			batch[i] = network.Datagram{Buf: []byte{byte(i)}, Peer: conns[0].LocalAddr()}
		}
		if sent, err := from.WriteBatch(batch); sent != len(batch) || err != nil {
			t.Fatalf("WriteBatch = %d, %v", sent, err)
		}
		if n > 1 {
			continue // which of the sockets gets them is up to the system
		}
		ms := make([]network.Datagram, 32)
		for i := range ms {
			ms[i].Buf = make([]byte, 10)
		}
		got, err := conns[0].ReadBatch(ms)
		if got != len(batch) || err != nil {
			t.Fatalf("ReadBatch = %d, %v", got, err)
		}
		for i := range got {
			if ms[i].N != 1 || ms[i].Buf[0] != byte(i) || ms[i].Peer != from.LocalAddr() || ms[i].Local != from.LocalAddr().Addr() {
				t.Errorf("datagram %d: %+v", i, ms[i])
			}
		}
	}
}

// Neighbours that go to one peer may be handed to the system as one, and come as they were: each whole, in order, from the address that was asked for.
func TestBatchOfEqualLengths(t *testing.T) {
	for _, at := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0"} {
		from, a, b := listen(t, at, 2)[0], listen(t, "127.0.0.1:0", 1)[0], listen(t, "127.0.0.1:0", 1)[0]
		var batch []network.Datagram
		want := map[network.PacketConn][]string{}
		add := func(to network.PacketConn, local string, sizes ...int) {
			for _, n := range sizes {
				text := bytes.Repeat([]byte{byte('a' + len(batch)%26)}, n)
				want[to] = append(want[to], local+string(text))
				batch = append(batch, network.Datagram{Buf: text, Peer: to.LocalAddr(), Local: netip.MustParseAddr(local)})
			}
		}
		add(a, "127.0.0.1", 300, 300, 300, 200, 300, 0, 0, 301)
		add(b, "127.0.0.1", 300, 300)
		add(a, "127.0.0.1", 1300, 1300, 1300) // longer than every link takes
		if at != "127.0.0.1:0" {
			add(b, "127.0.0.1", 500)
			add(b, "127.0.0.2", 500, 500, 500)
		}
		for range 70 {
			add(a, "127.0.0.1", 100)
		}
		for range 2 {
			if sent, err := from.WriteBatch(batch); sent != len(batch) || err != nil {
				t.Fatalf("%s: WriteBatch = %d, %v", at, sent, err)
			}
			for to, all := range want {
				expectAll(t, to, all)
			}
		}
	}
}

// expectAll reads datagrams: each the address it comes from and the text.
func expectAll(t *testing.T, to network.PacketConn, all []string) {
	t.Helper()
	for i, want := range all {
		got := read(t, to)
		if text := got.Peer.Addr().String() + string(got.Buf[:got.N]); text != want {
			t.Fatalf("datagram %d is %.20q with %d bytes, want %.20q with %d", i, text, len(text), want, len(want))
		}
	}
}

// What the system refuses of a run is refused one by one.
func TestBatchOfRefused(t *testing.T) {
	from, to := listen(t, "127.0.0.1:0", 2)[0], listen(t, "127.0.0.1:0", 1)[0]
	away := netip.MustParseAddrPort("[::1]:9")
	sent, err := from.WriteBatch([]network.Datagram{
		{Buf: []byte("one"), Peer: to.LocalAddr()}, {Buf: []byte("two"), Peer: to.LocalAddr()},
		{Buf: []byte("off"), Peer: away}, {Buf: []byte("and"), Peer: away},
		{Buf: []byte("six"), Peer: to.LocalAddr()}, {Buf: []byte("ten"), Peer: to.LocalAddr()},
	})
	if sent != 4 || err == nil {
		t.Errorf("WriteBatch = %d, %v", sent, err)
	}
	for _, want := range []string{"one", "two", "six", "ten"} {
		if got := read(t, to); string(got.Buf[:got.N]) != want {
			t.Errorf("read %q, want %q", got.Buf[:got.N], want)
		}
	}
}

func TestBatchesDoNotAllocate(t *testing.T) {
	for _, n := range []int{1, 2} {
		a := listen(t, "127.0.0.1:0", n)[0]
		b := listen(t, "127.0.0.1:0", 1)[0]
		one := network.Datagram{Buf: []byte("x"), Peer: b.LocalAddr(), Local: b.LocalAddr().Addr()}
		out := []network.Datagram{one, one, one}
		in := []network.Datagram{{Buf: make([]byte, 10)}}
		if got := testing.AllocsPerRun(100, func() {
			a.WriteBatch(out)
			for range out {
				b.ReadBatch(in)
			}
		}); got > 0 {
			t.Errorf("n=%d: %v allocations per datagram", n, got)
		}
	}
}

func TestLocalAddr(t *testing.T) {
	for _, a := range []string{"127.0.0.1", "::1"} {
		if got, err := (network.OS{}).LocalAddr(netip.MustParseAddr(a)); err != nil || got.String() != a {
			t.Errorf("LocalAddr(%s) = %s, %v", a, got, err)
		}
	}
}
