package transport_test

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// RFC 3261 §18.2.1, RFC 3581 §4: what the server writes into the top Via.
func TestVia(t *testing.T) {
	for _, tc := range []struct{ via, want string }{
		{"SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKx"},
		{"SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx"},
		{"SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;received=192.0.2.1"},
		{"SIP/2.0/UDP phone.example:5070;branch=z9hG4bKx", "SIP/2.0/UDP phone.example:5070;branch=z9hG4bKx;received=192.0.2.1"},
		{"SIP/2.0/UDP 10.0.0.1;x=\"a;b\";branch=z9hG4bKx", "SIP/2.0/UDP 10.0.0.1;x=\"a;b\";branch=z9hG4bKx;received=192.0.2.1"},
		{"SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;received=192.0.2.1;rport=5060"},
		{"SIP/2.0/UDP 10.0.0.1;RPORT;branch=z9hG4bKx", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;received=192.0.2.1;rport=5060"},
		// A peer that names a victim: what it wrote does not stay.
		{"SIP/2.0/UDP 192.0.2.1;received=203.0.113.9;branch=z9hG4bKx", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx;received=192.0.2.1"},
		{"SIP/2.0/UDP 10.0.0.1;received=203.0.113.9;rport=99;branch=z9hG4bKx", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKx;received=192.0.2.1;rport=5060"},
	} {
		simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
			a.listen(t, "udp://192.0.2.1:5060")
			to := b.listen(t, "udp://:5060")
			text := strings.Replace(string(request("SIP/2.0/UDP x", 0)), "SIP/2.0/UDP x;branch=z9hG4bKx", tc.via, 1)
			a.send(t, a.flow(t, sip.UDP, netip.AddrPortFrom(addrB, to.Port()), ""), []byte(text))
			g := <-b.got
			if got := g.request.Get(sip.HeaderVia); got != tc.want {
				t.Errorf("%s\n got %s\nwant %s", tc.via, got, tc.want)
			}
			if g.flow.Local.Addr() != addrB || g.flow.Remote.Addr() != addrA {
				t.Errorf("flow %+v", g.flow)
			}
		})
	}
}

func TestResponseFlow(t *testing.T) {
	source := netip.MustParseAddrPort("192.0.2.1:33333")
	for _, tc := range []struct {
		tr        sip.Transport
		via, want string
	}{
		{sip.UDP, "SIP/2.0/UDP 10.0.0.1:5070;rport", "192.0.2.1:33333"},
		{sip.UDP, "SIP/2.0/UDP 192.0.2.1:5070", "192.0.2.1:5070"},
		{sip.UDP, "SIP/2.0/UDP 192.0.2.1", "192.0.2.1:5060"},
		{sip.UDP, "SIP/2.0/UDP phone.example:5070", "192.0.2.1:5070"},
		{sip.UDP, "SIP/2.0/UDP 10.0.0.1:5070", "192.0.2.1:33333"},
		{sip.UDP, "SIP/2.0/UDP 10.0.0.1", "192.0.2.1:33333"},
		{sip.TCP, "SIP/2.0/TCP 10.0.0.1", "192.0.2.1:33333"},
	} {
		via, err := sip.ParseVia(tc.via)
		if err != nil {
			t.Fatal(err)
		}
		if got := transport.ResponseFlow(sip.Flow{Transport: tc.tr, Remote: source}, via); got.Remote.String() != tc.want {
			t.Errorf("%s: %s, want %s", tc.via, got.Remote, tc.want)
		}
	}
	via, _ := sip.ParseVia("SIP/2.0/TLS phone.example")
	got := transport.ResponseTarget(sip.Flow{Transport: sip.TLS, Remote: source}, via)
	if got.Addr.String() != "192.0.2.1:5061" || got.Host != "phone.example" {
		t.Errorf("ResponseTarget = %+v", got)
	}
}

// rawPeer is a socket beside the layers.
func rawPeer(t *testing.T, n network.Network, addr string) network.PacketConn {
	t.Helper()
	conns, err := n.ListenPacket(t.Context(), netip.MustParseAddrPort(addr), 1)
	if err != nil {
		t.Fatal(err)
	}
	return conns[0]
}

// exchange sends a datagram and returns what came back within a second.
func exchange(t *testing.T, c network.PacketConn, to netip.AddrPort, data string) (answers []string) {
	t.Helper()
	if _, err := c.WriteBatch([]network.Datagram{{Buf: []byte(data), Peer: to}}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	// A datagram to ourselves marks the end.
	if _, err := c.WriteBatch([]network.Datagram{{Buf: []byte("end"), Peer: c.LocalAddr()}}); err != nil {
		t.Fatal(err)
	}
	for {
		ms := []network.Datagram{{Buf: make([]byte, 65535)}}
		if _, err := c.ReadBatch(ms); err != nil {
			t.Fatal(err)
		}
		if ms[0].Peer == c.LocalAddr() {
			return answers
		}
		answers = append(answers, string(ms[0].Buf[:ms[0].N]))
	}
}

func unhex(t *testing.T, s string) string {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What comes as a datagram: keep-alives are answered, junk is counted, malformed requests go up, malformed responses do not.
func TestDatagramKinds(t *testing.T) {
	const id = "2112a442 000102030405060708090a0b"
	for _, tc := range []struct {
		name, data string
		answers    []string
		check      func(b *node) bool
	}{
		{"CRLF ping", "\r\n\r\n", []string{"\r\n"}, func(b *node) bool { return b.Stats.KeepAlives.Load() == 1 }},
		{"CRLF pong", "\r\n", nil, func(b *node) bool { return b.Stats.KeepAlives.Load() == 0 }},
		{"empty", "", nil, func(b *node) bool { return b.Stats.Junk.Load() == 0 }},
		{"STUN binding", unhex(t, "0001 0000"+id),
			// 192.0.2.1:5060 = c0000201 13c4, masked by 2112a442
			[]string{unhex(t, "0101 000c"+id+"0020 0008 0001 32d6 e112a643")}, func(b *node) bool { return b.Stats.KeepAlives.Load() == 1 }},
		{"STUN with fingerprint", unhex(t, "0001 0008"+id+"8028 0004 0c6bbb49"), nil, nil},
		{"STUN with software", unhex(t, "0001 0008"+id+"8022 0004 61626364"),
			[]string{unhex(t, "0101 000c"+id+"0020 0008 0001 32d6 e112a643")}, nil},
		{"STUN with CHANGE-REQUEST", unhex(t, "0001 0008"+id+"0003 0004 00000006"),
			[]string{unhex(t, "0111 0010"+id+"0009 0004 00000414 000a 0002 0003 0000")}, nil},
		{"STUN indication", unhex(t, "0011 0000"+id), nil, func(b *node) bool { return b.Stats.Junk.Load() == 1 }},
		{"STUN wrong length", unhex(t, "0001 0004"+id), nil, func(b *node) bool { return b.Stats.Junk.Load() == 1 }},
		{"STUN torn attribute", unhex(t, "0001 0004"+id+"8022 0004"), nil, func(b *node) bool { return b.Stats.Junk.Load() == 1 }},
		{"binary", "\x80\x00\x01\x02", nil, func(b *node) bool { return b.Stats.Junk.Load() == 1 }},
		{"text", "hello world\r\n\r\n", nil, func(b *node) bool { return b.Stats.Junk.Load() == 1 && len(b.got) == 0 }},
		{"HTTP", "GET / HTTP/1.1\r\n\r\n", nil, func(b *node) bool { return b.Stats.Junk.Load() == 1 && len(b.got) == 0 }},
		{"malformed request", strings.Replace(string(request("SIP/2.0/UDP 192.0.2.1", 0)), "Content-Length: 0", "Content-Length: x", 1), nil,
			func(b *node) bool { return b.Stats.Malformed.Load() == 1 && len(b.got) == 1 && (<-b.got).err != nil }},
		{"malformed response", "SIP/2.0 200\r\nContent-Length: x\r\n\r\n", nil,
			func(b *node) bool { return b.Stats.Malformed.Load() == 1 && len(b.got) == 0 }},
		{"request behind line ends", "\r\n\r\n" + string(request("SIP/2.0/UDP 192.0.2.1", 0)), nil,
			func(b *node) bool { return len(b.got) == 1 && (<-b.got).err == nil }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
				to := b.listen(t, "udp://192.0.2.2:5060")
				peer := rawPeer(t, a.Network, "192.0.2.1:5060")
				answers := exchange(t, peer, to, tc.data)
				if !slices.Equal(answers, tc.answers) {
					t.Errorf("answers %x, want %x", answers, tc.answers)
				}
				if tc.check != nil && !tc.check(b) {
					t.Errorf("junk %d, malformed %d, keep-alives %d, packets %d", b.Stats.Junk.Load(), b.Stats.Malformed.Load(),
						b.Stats.KeepAlives.Load(), len(b.got))
				}
			})
		})
	}
}

// What is decided must be on its way to the disk before it is said, once a batch.
func TestBarrierComesBeforeFlush(t *testing.T) {
	simulated(t, func(t *testing.T, s *network.Sim, a, b *node) {
		var order []string
		b.echo = true
		b.Barrier = func() error { order = append(order, "barrier"); return nil }
		s.Observe = func(x network.Transmission) {
			if x.From.Addr() == addrB {
				order = append(order, "sent")
			}
		}
		to := b.listen(t, "udp://192.0.2.2:5060")
		a.listen(t, "udp://192.0.2.1:5060")
		f := a.flow(t, sip.UDP, to, "")
		for range 3 {
			a.send(t, f, request("SIP/2.0/UDP 192.0.2.1", 0))
			<-a.got
		}
		if want := []string{"barrier", "sent", "barrier", "sent", "barrier", "sent"}; !slices.Equal(order, want) {
			t.Errorf("%v", order)
		}
	})
}

func TestTraceSeesBothWays(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		b.echo = true
		b.Trace = func(x transport.Trace) {
			line, _, _ := strings.Cut(string(x.Data), "\r\n")
			b.mu.Lock()
			defer b.mu.Unlock()
			b.traces = append(b.traces, map[bool]string{false: "<", true: ">"}[x.Sent]+line+" "+x.Flow.Remote.String())
		}
		to := b.listen(t, "tcp://192.0.2.2:5060")
		f := a.flow(t, sip.TCP, to, "")
		a.send(t, f, request("SIP/2.0/TCP 192.0.2.1", 0))
		<-a.got
		want := []string{"<OPTIONS sip:b@192.0.2.2 SIP/2.0 " + f.Local.String(), ">SIP/2.0 200 OK " + f.Local.String()}
		b.mu.Lock()
		defer b.mu.Unlock()
		if !slices.Equal(b.traces, want) {
			t.Errorf("%q", b.traces)
		}
	})
}

// A panic in a handler costs the message, not the server.
func TestPanicCostsOneMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &network.Sim{}
		defer s.Close()
		a, b := newNode(t, s.Host(addrA)), newNode(t, s.Host(addrB))
		defer a.close(t)
		handle := b.Handle
		calls := 0
		b.Handle = func(p *transport.Packet) {
			if calls++; calls == 1 {
				panic("first")
			}
			handle(p)
		}
		a.listen(t, "udp://192.0.2.1:5060")
		f := a.flow(t, sip.UDP, b.listen(t, "udp://192.0.2.2:5060"), "")
		a.send(t, f, request("SIP/2.0/UDP 192.0.2.1", 0))
		synctest.Wait()
		a.send(t, f, request("SIP/2.0/UDP 192.0.2.1", 0))
		<-b.got
		if b.Stats.Panics.Load() != 1 {
			t.Errorf("%d panics", b.Stats.Panics.Load())
		}
		b.Close()
	})
}

func TestSendRefuses(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		a.listen(t, "udp://192.0.2.1:5060")
		f := a.flow(t, sip.UDP, netip.AddrPortFrom(addrB, 5060), "")
		if err := a.Send(nil, f, make([]byte, 65508)); !errors.Is(err, sip.ErrNoRoute) {
			t.Errorf("too long: %v", err)
		}
		if err := b.Send(nil, f, []byte("x")); !errors.Is(err, sip.ErrFlowLost) {
			t.Errorf("another's flow: %v", err)
		}
		if _, ok := a.Flow(transport.Target{Transport: sip.UDP, Addr: netip.AddrPortFrom(addrB6, 5060)}); ok {
			t.Error("an IPv4 listener sends to IPv6")
		}
	})
}
