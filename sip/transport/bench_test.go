// What the transports cost: memory of an idle connection, time and allocations of a message.

package transport_test

import (
	"crypto/tls"
	"net"
	"net/netip"
	"runtime"
	"testing"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// memory is what the program uses for heap and stacks after a collection.
func memory() int64 {
	// Stacks shrink by half at each collection.
	for range 4 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// An idle connection on which messages have passed holds little: the reader's goroutine and what TLS keeps.
func TestIdleConnectionMemory(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector keeps books of its own")
	}
	ca := newAuthority(t)
	for _, tc := range []struct {
		transport sip.Transport
		limit     int64
	}{{sip.TCP, 5888}, {sip.TLS, 20 << 10}} {
		server := newNode(t, network.OS{})
		server.Limits.PerSource = 10_000
		server.TLS = ca.config(t, "127.0.0.1")
		server.TLS.ClientAuth = tls.NoClientCert
		to := server.listen(t, tc.transport.Param()+"://127.0.0.1:0")
		const n = 300
		conns := make([]net.Conn, n)
		var clients int64
		before := memory()
		for i := range conns {
			c, err := net.Dial("tcp", to.String())
			if err != nil {
				t.Fatal(err)
			}
			if tc.transport == sip.TLS {
				c = tls.Client(c, &tls.Config{InsecureSkipVerify: true})
			}
			conns[i] = c
			for range 3 {
				c.Write(request("SIP/2.0/TCP 192.0.2.1", 1000))
				<-server.got
			}
		}
		all := memory() - before
		// What the clients hold is what goes when they are forgotten while the server still holds its side.
		held := conns
		conns = nil
		sockets := make([]net.Conn, n)
		for i, c := range held {
			if secured, ok := c.(*tls.Conn); ok {
				c = secured.NetConn()
			}
			sockets[i], held[i] = c, nil
		}
		clients = before + all - memory()
		per := (all-clients)/n - 300 // a net.TCPConn of the client
		t.Logf("%s: %d bytes per idle connection", tc.transport, per)
		if per > tc.limit {
			t.Errorf("%s: %d bytes per idle connection, limit %d", tc.transport, per, tc.limit)
		}
		for _, c := range sockets {
			c.Close()
		}
		server.close(t)
	}
}

// echo answers each request over the outbox of its reader.
func echo(b *testing.B) *transport.Layer {
	l := &transport.Layer{Network: network.OS{}}
	answer := []byte("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKx;rport\r\nFrom: <sip:a@a>;tag=1\r\nTo: <sip:b@b>;tag=2\r\n" +
		"Call-ID: 1\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
	l.Handle = func(p *transport.Packet) {
		if err := l.Send(p.Out, p.Flow, answer); err != nil {
			b.Error(err)
		}
		p.Release()
	}
	return l
}

// BenchmarkUDP answers requests that come in batches of 16: parse, Via, Handle, answer.
func BenchmarkUDP(b *testing.B) {
	l := echo(b)
	defer l.Close()
	to, err := l.Listen(b.Context(), "udp://127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	conns, err := network.OS{}.ListenPacket(b.Context(), netip.MustParseAddrPort("127.0.0.1:0"), 1)
	if err != nil {
		b.Fatal(err)
	}
	defer conns[0].Close()
	out, in := make([]network.Datagram, 16), make([]network.Datagram, 16)
	for i := range out {
		out[i] = network.Datagram{Buf: request("SIP/2.0/UDP 10.0.0.1:5060;rport", 300), Peer: to}
		in[i].Buf = make([]byte, 2000)
	}
	b.ReportAllocs()
	for sent := 0; sent < b.N; sent += len(out) {
		conns[0].WriteBatch(out)
		for got := 0; got < len(out); {
			n, err := conns[0].ReadBatch(in)
			if err != nil {
				b.Fatal(err)
			}
			got += n
		}
	}
}

// BenchmarkTCP answers requests that come one at a time over one connection.
func BenchmarkTCP(b *testing.B) {
	l := echo(b)
	defer l.Close()
	to, err := l.Listen(b.Context(), "tcp://127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	c, err := net.Dial("tcp", to.String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	message, buf := request("SIP/2.0/TCP 127.0.0.1", 300), make([]byte, 2000)
	b.ReportAllocs()
	for b.Loop() {
		c.Write(message)
		if _, err := c.Read(buf); err != nil {
			b.Fatal(err)
		}
	}
}
