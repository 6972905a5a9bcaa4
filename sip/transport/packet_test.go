// The life of a packet and of the outbox of its reader.

package transport_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// What is kept outlives Handle, whatever comes behind it, and a malformed request keeps its fault.
func TestKeptPacketOutlivesHandle(t *testing.T) {
	for _, tr := range []sip.Transport{sip.UDP, sip.TCP, sip.WS} {
		simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
			var kept []*transport.Packet
			b.Handle = func(p *transport.Packet) {
				kept = append(kept, p.Keep())
				p.Release()
			}
			to := b.listen(t, tr.Param()+"://192.0.2.2:5060")
			a.listen(t, "udp://192.0.2.1:5060")
			f := a.flow(t, tr, to, "")
			first := request("SIP/2.0/"+tr.String()+" 10.0.0.1;rport", 10)
			a.send(t, f, first)
			a.send(t, f, []byte(strings.Replace(string(first), "CSeq: 1", "CSeq: x", 1)))
			a.send(t, f, []byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKy\r\nContent-Length: 0\r\n\r\n"))
			time.Sleep(time.Second)
			synctest.Wait()
			if len(kept) != 3 {
				t.Fatalf("%s: kept %d", tr, len(kept))
			}
			for _, p := range kept[:2] {
				if via := p.Request.Get(sip.HeaderVia); via != p.Via.String() || !strings.Contains(via, ";received=192.0.2.1;rport=") || p.Out != nil {
					t.Errorf("%s: Via %q, %q", tr, via, p.Via)
				}
				if p.Size() != len(first) || len(p.Request.Body()) != 10 {
					t.Errorf("%s: %d bytes, body %q", tr, p.Size(), p.Request.Body())
				}
			}
			if kept[2].Response.Status != sip.StatusOK || kept[2].Via.Branch() != "z9hG4bKy" {
				t.Errorf("%s: response %q, Via %q", tr, kept[2].Response.Status, kept[2].Via)
			}
			for _, p := range kept {
				p.Release()
			}
		})
	}
}

// A message composed in the tail of an outbox leaves as it is, beside those that are copied there, however long all are together.
func TestTail(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		b.Handle = func(p *transport.Packet) {
			for range 20 {
				text := append(p.Out.Tail(), "SIP/2.0 200 composed\r\nContent-Length: 1000\r\n\r\n"...)
				text = append(text, strings.Repeat("x", 1000)...)
				if err := b.Send(p.Out, p.Flow, text); err != nil {
					t.Error(err)
				}
				if err := b.Send(p.Out, p.Flow, []byte("SIP/2.0 200 copied\r\nContent-Length: 0\r\n\r\n")); err != nil {
					t.Error(err)
				}
			}
		}
		to := b.listen(t, "udp://192.0.2.2:5060")
		a.listen(t, "udp://192.0.2.1:5060")
		a.send(t, a.flow(t, sip.UDP, to, ""), request("SIP/2.0/UDP 192.0.2.1", 0))
		got := make(map[string]int)
		for range 40 {
			g := <-a.got
			got[g.response.Reason]++
		}
		if got["composed"] != 20 || got["copied"] != 20 {
			t.Errorf("%v", got)
		}
		if (*transport.Outbox)(nil).Tail() != nil {
			t.Error("no outbox has a tail")
		}
	})
}

// What cannot be written down is not said.
func TestBarrierThatFails(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		failing := true
		b.echo = true
		b.Barrier = func() error {
			if failing {
				return errors.New("disk full")
			}
			return nil
		}
		a.listen(t, "udp://192.0.2.1:5060")
		f := a.flow(t, sip.UDP, b.listen(t, "udp://192.0.2.2:5060"), "")
		s := a.flow(t, sip.TCP, b.listen(t, "tcp://192.0.2.2:5060"), "")
		for _, f := range []sip.Flow{f, s} {
			a.send(t, f, request("SIP/2.0/UDP 192.0.2.1", 0))
			<-b.got
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if len(a.got) != 0 || b.Stats.Unsent.Load() != 2 {
			t.Errorf("%d answers, %d unsent", len(a.got), b.Stats.Unsent.Load())
		}
		failing = false // the bubble rests
		a.send(t, f, request("SIP/2.0/UDP 192.0.2.1", 0))
		<-a.got
	})
}

// RFC 7339 §5.3: who asks is told, in place of what it wrote.
func TestOverloadFeedback(t *testing.T) {
	for _, tc := range []struct{ via, want string }{
		{";branch=z9hG4bKx;oc", ";branch=z9hG4bKx;received=192.0.2.1;oc=7"},
		{";branch=z9hG4bKx;oc;oc-algo=\"rate,loss\";rport", ";branch=z9hG4bKx;received=192.0.2.1;rport=5060;oc=7"},
		{";branch=z9hG4bKx;oc;oc-algo=\"rate\"", ";branch=z9hG4bKx;oc;oc-algo=\"rate\""},
		{";branch=z9hG4bKx;oc=50", ";branch=z9hG4bKx;oc=50"},
	} {
		simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
			b.Feedback = func(b []byte, now time.Time) []byte {
				if now != time.Now() {
					t.Errorf("at %s", now)
				}
				return append(b, ";oc=7"...)
			}
			to := b.listen(t, "udp://192.0.2.2:5060")
			a.listen(t, "udp://192.0.2.1:5060")
			text := strings.Replace(string(request("SIP/2.0/UDP 192.0.2.1", 0)), ";branch=z9hG4bKx", tc.via, 1)
			a.send(t, a.flow(t, sip.UDP, to, ""), []byte(text))
			if got := (<-b.got).request.Get(sip.HeaderVia); got != "SIP/2.0/UDP 192.0.2.1"+tc.want {
				t.Errorf("%s: %s", tc.via, got)
			}
		})
	}
}

// From the socket to Handle and back nothing is allocated.
func TestDatagramAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	for _, listen := range []string{"127.0.0.1:0", "[::]:0"} {
		l := &transport.Layer{Network: network.OS{}}
		answer := []byte("SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n")
		l.Handle = func(p *transport.Packet) {
			if p.Err != nil || p.Via.Branch() != "z9hG4bKx" {
				t.Errorf("Via %q, %v", p.Via, p.Err)
			}
			if err := l.Send(p.Out, p.Flow, append(p.Out.Tail(), answer...)); err != nil {
				t.Error(err)
			}
		}
		to, err := l.Listen(t.Context(), "udp://"+listen)
		if err != nil {
			t.Fatal(err)
		}
		peer := rawPeer(t, network.OS{}, "127.0.0.1:0")
		out := []network.Datagram{{Buf: request("SIP/2.0/UDP 10.0.0.1:5060;rport", 300), Peer: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), to.Port())}}
		in := []network.Datagram{{Buf: make([]byte, 2000)}}
		if n := testing.AllocsPerRun(500, func() {
			for range 3 {
				if _, err := peer.WriteBatch(out); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 {
				if _, err := peer.ReadBatch(in); err != nil {
					t.Fatal(err)
				}
			}
		}); n >= 1 {
			t.Errorf("%s: %v allocations for three messages", listen, n)
		}
		peer.Close()
		l.Close()
	}
}
