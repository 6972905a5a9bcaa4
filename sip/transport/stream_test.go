package transport_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// rawStream is a connection beside the layers.
func rawStream(t *testing.T, n network.Network, to netip.AddrPort) net.Conn {
	t.Helper()
	if to.Addr().IsUnspecified() {
		to = netip.AddrPortFrom(addrB, to.Port())
	}
	c, err := n.DialStream(t.Context(), netip.Addr{}, to)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Messages may come in any pieces, and several at once.
func TestStreamPieces(t *testing.T) {
	one := string(request("SIP/2.0/TCP 192.0.2.1", 10))
	large := string(request("SIP/2.0/TCP 192.0.2.1", 100_000))
	for _, tc := range []struct {
		name  string
		data  string
		piece int
		want  int
	}{
		{"one", one, 1 << 20, 1},
		{"byte by byte", one + one, 1, 2},
		{"odd pieces", strings.Repeat(one, 50), 77, 50},
		{"many at once", strings.Repeat(one, 200), 1 << 20, 200},
		{"large", large + one + large, 3000, 3},
		{"line ends between", "\r\n" + one + "\r\n\r\n\r\n" + one, 5, 2},
		{"bare line feeds", strings.ReplaceAll(one, "\r\n", "\n"), 10, 1},
		{"compact length", strings.Replace(one, "Content-Length:", "l :", 1), 10, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
				c := rawStream(t, a.Network, b.listen(t, "tcp://:5060"))
				for at := 0; at < len(tc.data); at += tc.piece {
					if _, err := io.WriteString(c, tc.data[at:min(at+tc.piece, len(tc.data))]); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(time.Second)
				if len(b.got) != tc.want {
					t.Errorf("%d messages, want %d", len(b.got), tc.want)
				}
				for range len(b.got) {
					if g := <-b.got; g.err != nil {
						t.Error(g.err)
					}
				}
				c.Close()
			})
		})
	}
}

// readAll returns what comes until the connection ends.
func readAll(c net.Conn) string {
	b, _ := io.ReadAll(c)
	return string(b)
}

// A message whose end cannot be found is answered, and the connection closed. What is no SIP is only closed.
func TestStreamFaults(t *testing.T) {
	good := string(request("SIP/2.0/TCP 192.0.2.1", 0))
	for _, tc := range []struct {
		name, data, answer string
	}{
		{"no length", strings.Replace(good, "Content-Length", "X-Length", 1), "SIP/2.0 400 "},
		{"bad length", strings.Replace(good, "Length: 0", "Length: x", 1), "SIP/2.0 400 "},
		{"length too large", strings.Replace(good, "Length: 0", "Length: 999999", 1), "SIP/2.0 400 "},
		{"header too long", strings.Replace(good, "CSeq", "X: "+strings.Repeat("x", 70000)+"\r\nCSeq", 1), "SIP/2.0 400 "},
		{"HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", ""},
		{"TLS", "\x16\x03\x01\x02\x00", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
				b.echo = true
				c := rawStream(t, a.Network, b.listen(t, "tcp://:5060"))
				start := time.Now()
				go io.WriteString(c, good+tc.data+good)
				answers := strings.SplitAfter(readAll(c), "Content-Length: 0\r\n\r\n")
				if len(answers) == 0 || !strings.HasPrefix(answers[0], "SIP/2.0 200 ") {
					t.Fatalf("answers %q", answers)
				}
				if rest := strings.Join(answers[1:], ""); !strings.HasPrefix(rest, tc.answer) || strings.Contains(rest, " 200 ") {
					t.Errorf("answer %q, want %q", rest, tc.answer)
				}
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("closed after %s", d)
				}
				if <-b.lost; b.Stats.Junk.Load()+b.Stats.Malformed.Load() == 0 {
					t.Error("not counted")
				}
				c.Close()
			})
		})
	}
}

// RFC 5626 §3.5.1, in any pieces.
func TestStreamPing(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		c := rawStream(t, a.Network, b.listen(t, "tcp://:5060"))
		buf := make([]byte, 10)
		for _, pieces := range [][]string{{"\r\n\r\n"}, {"\r", "\n", "\r", "\n"}, {"\r\n", "\r\n"}} {
			for _, piece := range pieces {
				io.WriteString(c, piece)
				time.Sleep(time.Second)
			}
			if n, err := c.Read(buf); string(buf[:n]) != "\r\n" || err != nil {
				t.Errorf("%q: answer %q, %v", pieces, buf[:n], err)
			}
		}
		c.Close()
	})
}

// Who is silent, or does not end what it began, is closed in time.
func TestStreamTimeouts(t *testing.T) {
	one := string(request("SIP/2.0/TCP 192.0.2.1", 0))
	for _, tc := range []struct {
		name, url, data string
		every           time.Duration // between bytes of data
		want            time.Duration
	}{
		{"silent from the start", "tcp://:5060", "", 0, 15 * time.Minute},
		{"silent after a message", "tcp://:5060", one, 0, 15 * time.Minute},
		{"half a message", "tcp://:5060", one[:100], 0, 30 * time.Second},
		{"one and a half messages", "tcp://:5060", one + one[:100], 0, 30 * time.Second},
		{"a byte a second", "tcp://:5060", one, time.Second, 30 * time.Second},
		{"no TLS handshake", "tls://:5061", "", 0, 10 * time.Second},
		{"no upgrade", "ws://:80", "GET / HTTP/1.1\r\n", time.Second, 10 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
				b.TLS = newAuthority(t).config(t, "b.example")
				c := rawStream(t, a.Network, b.listen(t, tc.url))
				start := time.Now()
				var writer sync.WaitGroup
				defer writer.Wait()
				writer.Go(func() {
					if tc.every == 0 {
						io.WriteString(c, tc.data)
						return
					}
					for i := range len(tc.data) {
						if _, err := io.WriteString(c, tc.data[i:i+1]); err != nil {
							return
						}
						time.Sleep(tc.every)
					}
				})
				readAll(c)
				if d := time.Since(start); d < tc.want || d > tc.want+time.Second {
					t.Errorf("closed after %s, want %s", d, tc.want)
				}
				c.Close()
			})
		})
	}
}

// A connection that says something now and then stays.
func TestStreamStaysWhileUsed(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		c := rawStream(t, a.Network, b.listen(t, "tcp://:5060"))
		for range 20 {
			time.Sleep(14 * time.Minute)
			if _, err := io.WriteString(c, "\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 2)); err != nil {
				t.Fatal(err)
			}
		}
		c.Close()
	})
}

func TestStreamCaps(t *testing.T) {
	simulated(t, func(t *testing.T, s *network.Sim, a, b *node) {
		b.Limits.PerSource, b.Limits.Connections = 3, 4
		to := b.listen(t, "tcp://192.0.2.2:5060")
		other := s.Host(netip.MustParseAddr("192.0.2.3"))
		open := func(n network.Network) bool {
			c := rawStream(t, n, to)
			t.Cleanup(func() { c.Close() })
			io.WriteString(c, "\r\n\r\n")
			_, err := c.Read(make([]byte, 2))
			return err == nil
		}
		for i, want := range []bool{true, true, true, false, false} {
			if got := open(a.Network); got != want {
				t.Errorf("connection %d from one source: %v", i, got)
			}
		}
		if !open(other) || open(other) {
			t.Error("cap of all connections")
		}
		if b.Stats.Refused.Load() != 3 || b.Stats.Connections.Load() != 4 {
			t.Errorf("refused %d, open %d", b.Stats.Refused.Load(), b.Stats.Connections.Load())
		}
		a.Network.(*network.SimHost).Cut()
		synctest.Wait()
		if !open(a.Network) {
			t.Error("no room after the others ended")
		}
	})
}

// A peer that does not read blocks itself only.
func TestSlowPeerIsClosed(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		b.Limits.Queue = 200_000
		to := b.listen(t, "tcp://192.0.2.2:5060")
		slow := rawStream(t, a.Network, to)
		slow.Write(request("SIP/2.0/TCP 192.0.2.1", 0))
		f := (<-b.got).flow
		var err error
		for i := 0; err == nil; i++ {
			if i > 100 {
				t.Fatal("the queue has no end")
			}
			err = b.Send(nil, f, make([]byte, 10_000))
		}
		if !errors.Is(err, sip.ErrOverload) {
			t.Error(err)
		}
		if g := <-b.lost; g != f || b.Stats.Overflow.Load() != 1 {
			t.Errorf("lost %+v, overflow %d", g, b.Stats.Overflow.Load())
		}
		if err := b.Send(nil, f, []byte("x")); !errors.Is(err, sip.ErrFlowLost) {
			t.Error(err)
		}
		slow.Close()
	})
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		slow := rawStream(t, a.Network, b.listen(t, "tcp://192.0.2.2:5060"))
		slow.Write(request("SIP/2.0/TCP 192.0.2.1", 0))
		f := (<-b.got).flow
		start := time.Now()
		b.send(t, f, make([]byte, 100_000))
		if <-b.lost; time.Since(start) != 30*time.Second {
			t.Errorf("stuck write ended after %s", time.Since(start))
		}
		slow.Close()
	})
}

func TestConnect(t *testing.T) {
	simulated(t, func(t *testing.T, s *network.Sim, a, b *node) {
		target := transport.Target{Transport: sip.TCP, Addr: netip.AddrPortFrom(addrB, 5060)}
		if _, ok := a.Flow(target); ok {
			t.Error("a flow before any connection")
		}
		if _, err := a.Connect(t.Context(), target); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("nobody listens: %v", err)
		}
		b.listen(t, "tcp://192.0.2.2:5060")
		var wg sync.WaitGroup
		flows := make([]sip.Flow, 5)
		for i := range flows {
			wg.Go(func() { flows[i], _ = a.Connect(t.Context(), target) })
		}
		wg.Wait()
		for _, f := range flows {
			if f != flows[0] || f.ID == 0 || f.Remote != target.Addr {
				t.Errorf("flows %+v", flows)
			}
		}
		if b.Stats.Accepted.Load() != 1 {
			t.Errorf("%d connections for five who asked at once", b.Stats.Accepted.Load())
		}
		if f, ok := a.Flow(target); !ok || f != flows[0] {
			t.Error("the connection is not reused")
		}
		b.Network.(*network.SimHost).Cut()
		if f := <-a.lost; f != flows[0] {
			t.Errorf("lost %+v", f)
		}
		if _, ok := a.Flow(target); ok {
			t.Error("a lost connection is offered")
		}
		again, err := a.Connect(t.Context(), target)
		if err != nil || again.ID == flows[0].ID {
			t.Errorf("again: %+v, %v", again, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		nobody := transport.Target{Transport: sip.TCP, Addr: netip.MustParseAddrPort("192.0.2.77:5060")}
		if _, err := a.Connect(ctx, nobody); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no such host: %v", err)
		}
		a.CloseFlow(again)
		if f := <-a.lost; f != again {
			t.Errorf("lost %+v", f)
		}
	})
}

// Ids of a restarted layer are not those of before.
func TestFlowIDsSurviveRestart(t *testing.T) {
	simulated(t, func(t *testing.T, s *network.Sim, a, b *node) {
		to := b.listen(t, "tcp://192.0.2.2:5060")
		before := a.flow(t, sip.TCP, to, "")
		a.Close()
		again := newNode(t, a.Network)
		after := again.flow(t, sip.TCP, to, "")
		if after.ID <= before.ID {
			t.Errorf("id %d after %d", after.ID, before.ID)
		}
		again.close(t)
	})
}

// Our pings are answered, and the answers are no pings: nothing goes to and fro for ever, and messages pass between.
func TestKeepAlive(t *testing.T) {
	for _, tr := range []sip.Transport{sip.UDP, sip.TCP, sip.WS} {
		t.Run(tr.String(), func(t *testing.T) {
			simulated(t, func(t *testing.T, s *network.Sim, a, b *node) {
				a.listen(t, "udp://192.0.2.1:5060")
				to := b.listen(t, tr.Param()+"://192.0.2.2:5060")
				f := a.flow(t, tr, to, "")
				pings := uint64(0)
				for range 5 {
					if err := a.KeepAlive(f); err != nil {
						t.Fatal(err)
					}
					if tr != sip.WS {
						pings++
					}
					time.Sleep(time.Second)
				}
				a.send(t, f, request("SIP/2.0/"+tr.String()+" 192.0.2.1", 0))
				if g := <-b.got; g.err != nil {
					t.Error(g.err)
				}
				if got := b.Stats.KeepAlives.Load(); got != pings || a.Stats.KeepAlives.Load() != 0 {
					t.Errorf("the peer answered %d of %d, we answered %d", got, pings, a.Stats.KeepAlives.Load())
				}
			})
		})
	}
}

func TestKeepAliveOfLostFlow(t *testing.T) {
	simulated(t, func(t *testing.T, s *network.Sim, a, b *node) {
		if err := a.KeepAlive(sip.Flow{ID: 99, Transport: sip.TCP}); !errors.Is(err, sip.ErrFlowLost) {
			t.Errorf("the error is %v", err)
		}
	})
}
