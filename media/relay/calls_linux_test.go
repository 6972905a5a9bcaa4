package relay

import (
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// BenchmarkCalls relays one packet in each direction of each of 200 calls per round, as phones send every 20 ms. The processor time is that of the
// relay and of both phones.
func BenchmarkCalls(b *testing.B) {
	const calls = 200
	loopback := netip.MustParseAddr("127.0.0.1")
	os := network.OS{}
	r := &Relay{Network: os}
	defer r.Close()
	phones := make([]network.PacketConn, 2)
	for i := range phones {
		conns, err := os.ListenPacket(b.Context(), netip.AddrPortFrom(loopback, 0), 1)
		if err != nil {
			b.Fatal(err)
		}
		phones[i] = conns[0]
		defer conns[0].Close()
	}
	var out [2][]network.Datagram
	for range calls {
		var pair [2]*Stream
		for i := range pair {
			s, err := r.Open(b.Context(), loopback)
			if err != nil {
				b.Fatal(err)
			}
			s.Aim(Peer{RTP: phones[i].LocalAddr(), Signalled: loopback})
			pair[i] = s
			to, _ := s.Local()
			out[i] = append(out[i], network.Datagram{Buf: rtpPacket(1, 7, string(make([]byte, 160))), Peer: to})
		}
		Join(pair[0], pair[1])
	}
	in := make([]network.Datagram, calls)
	for i := range in {
		in[i].Buf = make([]byte, 2048)
	}
	b.ReportAllocs()
	b.ResetTimer()
	before := processors(b)
	for sent := 0; sent < b.N; sent += 2 * calls {
		for i, p := range phones {
			if _, err := p.WriteBatch(out[i]); err != nil {
				b.Fatal(err)
			}
		}
		for _, p := range phones {
			for got := 0; got < calls; {
				n, err := p.ReadBatch(in)
				if err != nil {
					b.Fatal(err)
				}
				got += n
			}
		}
	}
	b.ReportMetric(float64(processors(b)-before)/float64(b.N), "cpu-ns/op")
}

// processors returns the processor time used so far.
func processors(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
