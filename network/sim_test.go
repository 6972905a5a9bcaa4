// Tests of the simulated network.

package network_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

var (
	addrA = netip.MustParseAddr("192.0.2.1")
	addrB = netip.MustParseAddr("192.0.2.2")
	addr6 = netip.MustParseAddr("2001:db8::2")
)

// world runs f in a bubble with two hosts.
func world(t *testing.T, c network.Conditions, f func(t *testing.T, s *network.Sim, a, b *network.SimHost)) {
	synctest.Test(t, func(t *testing.T) {
		s := &network.Sim{Seed: 1}
		s.SetConditions(c)
		a, b := s.Host(addrA), s.Host(addrB, addr6)
		f(t, s, a, b)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func packets(t *testing.T, h *network.SimHost, addr string) network.PacketConn {
	t.Helper()
	conns, err := h.ListenPacket(t.Context(), netip.MustParseAddrPort(addr), 4)
	if err != nil || len(conns) != 1 {
		t.Fatal(conns, err)
	}
	return conns[0]
}

func send(t *testing.T, c network.PacketConn, to string, data string) {
	t.Helper()
	ms := []network.Datagram{{Buf: []byte(data), Peer: netip.MustParseAddrPort(to)}}
	if n, err := c.WriteBatch(ms); n != 1 || err != nil {
		t.Fatalf("WriteBatch = %d, %v", n, err)
	}
}

func TestSimDatagram(t *testing.T) {
	world(t, network.Conditions{Delay: 30 * time.Millisecond}, func(t *testing.T, _ *network.Sim, a, b *network.SimHost) {
		from, to := packets(t, a, "192.0.2.1:5060"), packets(t, b, "[::]:5060")
		start := time.Now()
		send(t, from, "192.0.2.2:5060", "hello")
		got := read(t, to)
		if string(got.Buf[:got.N]) != "hello" || got.Peer != from.LocalAddr() || got.Local != addrB {
			t.Errorf("read %+v", got)
		}
		if d := time.Since(start); d != 30*time.Millisecond {
			t.Errorf("arrived after %s", d)
		}
		_, err := from.WriteBatch([]network.Datagram{{Buf: []byte("x"), Peer: netip.AddrPortFrom(addr6, 5060)}})
		if !errors.Is(err, syscall.EAFNOSUPPORT) {
			t.Errorf("IPv4 to IPv6: %v", err)
		}
		if _, err := b.ListenPacket(t.Context(), netip.MustParseAddrPort("192.0.2.2:5060"), 1); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("second socket: %v", err)
		}
	})
}

// faults sends n datagrams and returns what arrived, in order, and how many the observer saw dropped.
func faults(t *testing.T, c network.Conditions, n int) (got []string, dropped int) {
	world(t, c, func(t *testing.T, s *network.Sim, a, b *network.SimHost) {
		s.Observe = func(x network.Transmission) {
			if x.Dropped {
				dropped++
			}
		}
		from, to := packets(t, a, "192.0.2.1:5060"), packets(t, b, "192.0.2.2:5060")
		for i := range n {
			send(t, from, "192.0.2.2:5060", fmt.Sprint(i))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		ms := make([]network.Datagram, 2*n)
		for i := range ms {
			ms[i].Buf = make([]byte, 8)
		}
		got = nil
		if dropped < n {
			k, err := to.ReadBatch(ms)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range ms[:k] {
				got = append(got, string(m.Buf[:m.N]))
			}
		}
	})
	return got, dropped
}

func TestSimFaults(t *testing.T) {
	inOrder := func(got []string) bool {
		return slices.IsSortedFunc(got, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	}
	if got, dropped := faults(t, network.Conditions{}, 300); len(got) != 300 || dropped != 0 || !inOrder(got) {
		t.Errorf("perfect network: %d arrived, %d dropped", len(got), dropped)
	}
	if got, dropped := faults(t, network.Conditions{Loss: 0.2}, 300); dropped < 40 || dropped > 80 || len(got) != 300-dropped || !inOrder(got) {
		t.Errorf("loss 20%%: %d arrived, %d dropped", len(got), dropped)
	}
	if got, _ := faults(t, network.Conditions{Duplicate: 0.2}, 300); len(got) < 340 || len(got) > 380 {
		t.Errorf("duplication 20%%: %d arrived", len(got))
	}
	if got, _ := faults(t, network.Conditions{Delay: 5 * time.Millisecond, Reorder: 0.2}, 300); len(got) != 300 || inOrder(got) {
		t.Errorf("reordering: %d arrived, in order: %v", len(got), inOrder(got))
	}
	if got, _ := faults(t, network.Conditions{Jitter: 20 * time.Millisecond}, 300); len(got) != 300 || inOrder(got) {
		t.Errorf("jitter: %d arrived, in order: %v", len(got), inOrder(got))
	}
}

func TestSimSeedDecides(t *testing.T) {
	c := network.Conditions{Delay: 10 * time.Millisecond, Jitter: 20 * time.Millisecond, Loss: 0.3, Duplicate: 0.1, Reorder: 0.1}
	first, _ := faults(t, c, 200)
	second, _ := faults(t, c, 200)
	if !slices.Equal(first, second) {
		t.Errorf("same seed, different order:\n%v\n%v", first, second)
	}
}

func TestSimStream(t *testing.T) {
	world(t, network.Conditions{Delay: 10 * time.Millisecond, Jitter: 5 * time.Millisecond, Loss: 0.5, Reorder: 0.5}, func(t *testing.T, _ *network.Sim, a, b *network.SimHost) {
		l, err := b.ListenStream(t.Context(), netip.MustParseAddrPort("0.0.0.0:5060"))
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			c, err := l.Accept()
			if err == nil {
				io.Copy(c, c)
				c.Close()
			}
		}()
		c, err := a.DialStream(t.Context(), netip.Addr{}, netip.MustParseAddrPort("192.0.2.2:5060"))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Repeat("0123456789", 50000) // several windows
		go func() {
			for i := 0; i < len(want); i += 1000 {
				if _, err := io.WriteString(c, want[i:i+1000]); err != nil {
					t.Error(err)
				}
			}
		}()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
			t.Errorf("echo differs, %v", err)
		}
		c.SetReadDeadline(time.Now().Add(time.Minute))
		start := time.Now()
		if _, err := c.Read(got); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Errorf("Read = %v after %s", err, time.Since(start))
		}
		c.Close()
		if _, err := c.Read(got); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read after Close = %v", err)
		}
	})
}

// pair connects a to b and returns both ends.
func pair(t *testing.T, a, b *network.SimHost) (near, far net.Conn) {
	t.Helper()
	l, err := b.ListenStream(t.Context(), netip.MustParseAddrPort("192.0.2.2:5060"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if near, err = a.DialStream(t.Context(), netip.Addr{}, netip.MustParseAddrPort("192.0.2.2:5060")); err != nil {
		t.Fatal(err)
	}
	if far, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

func TestSimStreamEnds(t *testing.T) {
	buf := make([]byte, 10)
	world(t, network.Conditions{Delay: time.Millisecond}, func(t *testing.T, s *network.Sim, a, b *network.SimHost) {
		near, far := pair(t, a, b)
		far.Write([]byte("bye"))
		far.Close()
		if n, err := near.Read(buf); n != 3 || err != nil {
			t.Errorf("Read = %d, %v", n, err)
		}
		if _, err := near.Read(buf); err != io.EOF {
			t.Errorf("Read after the peer's Close = %v", err)
		}
		near.Write([]byte("x"))
		time.Sleep(time.Second)
		if _, err := near.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Write to a closed peer = %v", err)
		}

		near, far = pair(t, a, b)
		a.Cut()
		for _, c := range []net.Conn{near, far} {
			if _, err := c.Read(buf); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("Read after Cut = %v", err)
			}
		}

		near, _ = pair(t, a, b)
		b.Crash()
		near.SetReadDeadline(time.Now().Add(time.Hour))
		if _, err := near.Read(buf); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read from a crashed peer = %v", err)
		}
		if _, err := b.ListenStream(t.Context(), netip.MustParseAddrPort("0.0.0.0:1")); !errors.Is(err, syscall.ENETDOWN) {
			t.Errorf("listen on a crashed host: %v", err)
		}
		b.Restart()
		near.SetReadDeadline(time.Time{})
		near.Write([]byte("x"))
		if _, err := near.Read(buf); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("Read from a restarted peer = %v", err)
		}
	})
}

func TestSimDialFails(t *testing.T) {
	world(t, network.Conditions{Delay: time.Millisecond}, func(t *testing.T, _ *network.Sim, a, b *network.SimHost) {
		dial := func(ctx context.Context, to string) error {
			_, err := a.DialStream(ctx, netip.Addr{}, netip.MustParseAddrPort(to))
			return err
		}
		if err := dial(t.Context(), "192.0.2.2:1"); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody listens: %v", err)
		}
		if err := dial(t.Context(), "192.0.2.77:1"); !errors.Is(err, syscall.ETIMEDOUT) {
			t.Errorf("no such host: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := dial(ctx, "192.0.2.77:1"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("context: %v", err)
		}
		if err := dial(t.Context(), "[2001:db8::2]:1"); !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("no IPv6: %v", err)
		}
	})
}

func TestZone(t *testing.T) {
	var z network.Zone
	z.AddAddr("Example.org.", addrA, addr6)
	z.AddSRV("_sip._udp.example.org", network.SRV{Port: 5060, Target: "example.org"})
	z.Fail("broken.example", syscall.ETIMEDOUT)
	if got, err := z.LookupAddr(t.Context(), "example.ORG"); len(got) != 2 || err != nil {
		t.Errorf("LookupAddr = %v, %v", got, err)
	}
	if got, err := z.LookupSRV(t.Context(), "_sip._udp.example.org."); len(got) != 1 || err != nil {
		t.Errorf("LookupSRV = %v, %v", got, err)
	}
	if got, err := z.LookupNAPTR(t.Context(), "example.org"); got != nil || err != nil {
		t.Errorf("LookupNAPTR = %v, %v", got, err)
	}
	if _, err := z.LookupAddr(t.Context(), "broken.example"); !errors.Is(err, syscall.ETIMEDOUT) {
		t.Errorf("broken: %v", err)
	}
}

// TestSimFamilies: a host has the families of its addresses; without any of IPv6 it has not even the loopback of that.
func TestSimFamilies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := new(network.Sim)
		four, six := s.Host(addrA), s.Host(addr6)
		for _, c := range []struct {
			name   string
			host   *network.SimHost
			listen netip.Addr
			want   error
		}{
			{"IPv4, wildcard of IPv6", four, netip.IPv6Unspecified(), syscall.EAFNOSUPPORT},
			{"IPv4, loopback of IPv6", four, netip.IPv6Loopback(), syscall.EAFNOSUPPORT},
			{"IPv6, wildcard", six, netip.IPv6Unspecified(), nil},
			{"IPv6, loopback of IPv4", six, netip.MustParseAddr("127.0.0.1"), nil},
			{"no address", s.Host(), netip.IPv6Loopback(), nil},
		} {
			if conns, err := c.host.ListenPacket(t.Context(), netip.AddrPortFrom(c.listen, 0), 1); !errors.Is(err, c.want) {
				t.Errorf("%s: UDP: %v", c.name, err)
			} else if err == nil {
				_ = conns[0].Close()
			}
			if l, err := c.host.ListenStream(t.Context(), netip.AddrPortFrom(c.listen, 0)); !errors.Is(err, c.want) {
				t.Errorf("%s: TCP: %v", c.name, err)
			} else if err == nil {
				_ = l.Close()
			}
		}
		if _, err := four.LocalAddr(netip.IPv6Loopback()); !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("a way to the loopback of IPv6: %v", err)
		}
		if _, err := six.LocalAddr(addrA); !errors.Is(err, syscall.ENETUNREACH) {
			t.Errorf("a way from IPv6 to IPv4: %v", err)
		}
	})
}
