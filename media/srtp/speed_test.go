package srtp

import (
	"encoding/binary"
	"testing"
)

// TestNoAllocation: neither direction allocates for a packet.
func TestNoAllocation(t *testing.T) {
	eachSuite(t, func(t *testing.T, s Suite) {
		a, b := pair(t, s)
		r := &round{a: a, b: b, buf: make([]byte, 172, 200)}
		report := make([]byte, 0, 200)
		if n := testing.AllocsPerRun(1000, func() {
			if !r.run() {
				t.Fatal("does not open")
			}
			report = append(report[:0], rtcpHead...)
			sealed, ok := a.Seal(append(report, r.buf[:60]...), true)
			if _, open := b.Open(sealed, true); !ok || !open {
				t.Fatal("RTCP does not open")
			}
		}); n != 0 {
			t.Errorf("%v allocations for a packet there and back", n)
		}
	})
}

var rtcpHead = []byte{0x80, 200, 0, 6, 0, 0, 0, 5}

// round seals and opens one packet after the other.
type round struct {
	a, b *Cipher
	buf  []byte
	seq  uint16
}

func (r *round) run() bool {
	r.seq++
	r.buf[0], r.buf[1] = 0x80, 0
	binary.BigEndian.PutUint16(r.buf[2:], r.seq)
	sealed, ok := r.a.Seal(r.buf, false)
	if !ok {
		return false
	}
	_, ok = r.b.Open(sealed, false)
	return ok
}

// BenchmarkBothWays seals and opens a packet of 20 ms of G.711, and one of video.
func BenchmarkBothWays(b *testing.B) {
	for _, s := range Suites() {
		for _, size := range []int{172, 1200} {
			name := s.String() + "/sound"
			if size > 1000 {
				name = s.String() + "/picture"
			}
			b.Run(name, func(b *testing.B) {
				x, y := pair(b, s)
				r := &round{a: x, b: y, buf: make([]byte, size, size+Overhead)}
				b.ReportAllocs()
				for b.Loop() {
					if !r.run() {
						b.Fatal("does not open")
					}
				}
			})
		}
	}
}

// BenchmarkManyStreams opens and seals one packet of each of many streams in turn, so that what a cipher needs has left the near caches when its turn comes again, as on a server.
func BenchmarkManyStreams(b *testing.B) {
	const streams = 700
	for _, s := range []Suite{AEAD128GCM, AES128CMSHA80} {
		b.Run(s.String(), func(b *testing.B) {
			var peers, ours [streams]*Cipher
			var packets [streams][]byte
			for i := range ours {
				ours[i], peers[i] = pair(b, s)
				packets[i] = make([]byte, 172, 172+Overhead)
			}
			seq := uint16(0)
			for i := 0; b.Loop(); i++ {
				at := i % streams
				if at == 0 { // what the peers send
					b.StopTimer()
					seq++
					for j, p := range packets {
						p[0], p[1] = 0x80, 0
						binary.BigEndian.PutUint16(p[2:], seq)
						if sealed, ok := peers[j].Seal(p, false); !ok {
							b.Fatal("not sealed")
						} else {
							packets[j] = sealed
						}
					}
					b.StartTimer()
				}
				plain, ok := ours[at].Open(packets[at], false)
				if !ok {
					b.Fatal("does not open")
				}
				if _, ok = ours[at].Seal(plain, false); !ok {
					b.Fatal("not sealed")
				}
				packets[at] = plain
			}
		})
	}
}
