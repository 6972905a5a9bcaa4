// The transports over the operating system's loopback.

package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// Every transport carries small and large messages both ways, over IPv4 and IPv6, to a listener on every address.
func TestRealRoundTrip(t *testing.T) {
	ca := newAuthority(t)
	for _, tr := range []sip.Transport{sip.UDP, sip.TCP, sip.TLS, sip.WS, sip.WSS} {
		for _, host := range []string{"127.0.0.1", "127.0.0.5", "::1"} {
			t.Run(tr.String()+" "+host, func(t *testing.T) {
				server, client := newNode(t, network.OS{}), newNode(t, network.OS{})
				defer server.close(t)
				defer client.close(t)
				server.echo = true
				server.TLS = ca.config(t, "127.0.0.1", "127.0.0.5", "::1")
				client.TLS = ca.config(t)
				to := netip.AddrPortFrom(netip.MustParseAddr(host), server.listen(t, tr.Param()+"://:0").Port())
				if tr == sip.UDP {
					client.listen(t, "udp://:0")
				}
				f := client.flow(t, tr, to, host)
				for _, size := range []int{0, 1000, 20000, 64000} {
					client.send(t, f, request("SIP/2.0/"+tr.String()+" client.example;rport", size))
					g := <-server.got
					if g.err != nil || len(g.request.Body()) != size {
						t.Fatalf("server got %v, body %d", g.err, len(g.request.Body()))
					}
					if v, _ := g.request.Via(); v.Received() != f.Local.Addr() {
						t.Errorf("Via %s, client sends from %s", v, f.Local)
					}
					res := <-client.got
					if res.response == nil || res.response.Status != sip.StatusOK || res.flow.Remote != to {
						t.Errorf("client got %+v", res)
					}
				}
				if host, port := server.Advertised(f); port != to.Port() || host == "" {
					t.Errorf("Advertised = %s:%d", host, port)
				}
			})
		}
	}
}

func TestRealSecondServerIsRefused(t *testing.T) {
	a, b := newNode(t, network.OS{}), newNode(t, network.OS{})
	defer a.close(t)
	defer b.close(t)
	for _, scheme := range []string{"udp", "tcp"} {
		at := a.listen(t, scheme+"://127.0.0.1:0")
		if _, err := b.Listen(t.Context(), scheme+"://"+at.String()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s: %v", scheme, err)
		}
	}
}

// dedicated notes that readers ask for their threads.
type dedicated struct {
	network.OS
	asked atomic.Int32
}

func (d *dedicated) ListenPacket(ctx context.Context, addr netip.AddrPort, n int) ([]network.PacketConn, error) {
	conns, err := d.OS.ListenPacket(ctx, addr, n)
	for i, c := range conns {
		conns[i] = dedicatedSocket{c, d}
	}
	return conns, err
}

type dedicatedSocket struct {
	network.PacketConn
	net *dedicated
}

func (s dedicatedSocket) Dedicate() { s.net.asked.Add(1) }

// Every reader of datagrams asks for its thread, once.
func TestRealReadersAreDedicated(t *testing.T) {
	own := new(dedicated)
	server, client := newNode(t, own), newNode(t, network.OS{})
	defer server.close(t)
	defer client.close(t)
	server.Readers, server.echo = 1, true
	to := server.listen(t, "udp://127.0.0.1:0")
	client.listen(t, "udp://127.0.0.1:0")
	f := client.flow(t, sip.UDP, to, "")
	for range 3 {
		client.send(t, f, request("SIP/2.0/UDP client.example;rport", 0))
		<-server.got
		<-client.got
	}
	if n := own.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// More than the system takes at once leaves in order, through the queue.
func TestRealLargeBurst(t *testing.T) {
	server, client := newNode(t, network.OS{}), newNode(t, network.OS{})
	defer server.close(t)
	defer client.close(t)
	client.Limits.Queue = 64 << 20
	f := client.flow(t, sip.TCP, server.listen(t, "tcp://127.0.0.1:0"), "")
	const n = 200
	for i := range n {
		client.send(t, f, request(fmt.Sprintf("SIP/2.0/TCP host%d.example", i), 200_000))
	}
	for i := range n {
		g := <-server.got
		if v, err := g.request.Via(); err != nil || g.err != nil || v.Host != fmt.Sprintf("host%d.example", i) || len(g.request.Body()) != 200_000 {
			t.Fatalf("message %d: %v, %v", i, v, g.err)
		}
	}
}

// Streams on which much happens carry the same as quiet ones: one by one, in heaps, and to a peer that is slow to read.
func TestRealBusyStreams(t *testing.T) {
	ca := newAuthority(t)
	for _, tr := range []sip.Transport{sip.TCP, sip.TLS, sip.WS, sip.WSS} {
		t.Run(tr.String(), func(t *testing.T) {
			server, client := newNode(t, network.OS{}), newNode(t, network.OS{})
			defer server.close(t)
			defer client.close(t)
			server.echo = true
			server.TLS, client.TLS = ca.config(t, "127.0.0.1"), ca.config(t)
			f := client.flow(t, tr, server.listen(t, tr.Param()+"://127.0.0.1:0"), "127.0.0.1")
			small, long := request("SIP/2.0/"+tr.String()+" client.example", 0), request("SIP/2.0/"+tr.String()+" client.example", 9000)
			for range 200 {
				client.send(t, f, small)
				if res := <-client.got; res.response == nil || res.response.Status != sip.StatusOK {
					t.Fatalf("client got %+v", res)
				}
			}
			for range 30 {
				for range 10 {
					client.send(t, f, long)
				}
				for range 10 {
					if res := <-client.got; res.response == nil || res.response.Status != sip.StatusOK {
						t.Fatalf("client got %+v", res)
					}
				}
			}
		})
	}
}
