package relay

import (
	"crypto/rand"
	"net/netip"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/srtp"
	"github.com/sipwerk/sipwerk/network"
)

// protect gives both ends of a leg their ciphers.
func protect(t *testing.T, s *Stream, suite srtp.Suite) (peer *srtp.Cipher) {
	t.Helper()
	ours, err := srtp.NewKey(suite, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := srtp.NewKey(suite, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cipher, err := srtp.New(ours, theirs)
	if err != nil {
		t.Fatal(err)
	}
	if peer, err = srtp.New(theirs, ours); err != nil {
		t.Fatal(err)
	}
	s.Secure(cipher)
	return peer
}

func seals(t *testing.T, c Cipher, b []byte) []byte {
	t.Helper()
	out, ok := c.Seal(append(make([]byte, 0, len(b)+Overhead), b...), false)
	if !ok {
		t.Fatal("not sealed")
	}
	return out
}

// TestSRTPUnderFire: replays, damaged tags and plain packets from a third party, sent between those of a call, are neither heard nor answered. RFC 3711 §3.3.2, RFC 7362 §5.
func TestSRTPUnderFire(t *testing.T) {
	for _, suite := range srtp.Suites() {
		t.Run(suite.String(), func(t *testing.T) {
			world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
				m := meet(t, sim, r)
				alice := protect(t, m.a, suite)
				for seq := range uint16(100) {
					good := seals(t, alice, rtpPacket(seq, 7, "voice"))
					wrong := append([]byte(nil), good...)
					wrong[len(wrong)-1] ^= 1
					m.mallory.send(t, m.rtpA, wrong) // before the packet itself: it must not use up its number
					m.alice.send(t, m.rtpA, good)
					m.mallory.send(t, m.rtpA, good)
					m.mallory.send(t, m.rtpA, rtpPacket(seq+1, 7, "voice"))
					m.bob.send(t, m.rtpB, rtpPacket(seq, 9, "answer"))
					later(20 * time.Millisecond)
				}
				if got := m.bob.take(); len(got) != 100 {
					t.Errorf("bob heard %d packets, want 100", len(got))
				}
				if got := m.mallory.take(); len(got) != 0 {
					t.Errorf("the third party got %d packets", len(got))
				}
				for i, b := range m.alice.take() {
					if plain, ok := alice.Open([]byte(b), false); !ok || string(plain[12:]) != "answer" {
						t.Fatalf("packet %d to alice does not open", i)
					}
				}
				if c := m.a.Counters(); c.Refused != 300 || c.Packets != 100 || c.Lost != 0 {
					t.Errorf("counters %+v", c)
				}
			})
		})
	}
}

// TestSRTPAllocates: between a protected and a plain leg nothing is allocated for a packet.
func TestSRTPAllocates(t *testing.T) {
	for _, suite := range srtp.Suites() {
		r := &Relay{started: time.Now()}
		a, b := &Stream{relay: r}, &Stream{relay: r}
		alice := protect(t, a, suite)
		a.latches[media].open(sdpAddress, sdpAddress.Addr())
		b.latches[media].open(natAddress, natAddress.Addr())
		a.partner.Store(b)
		b.partner.Store(a)
		memory := make([]byte, room+Overhead)
		packet := rtpPacket(0, 7, string(make([]byte, 160)))
		sink := new(counted)
		k := &socket{stream: a, component: media}
		seq := uint16(0)
		n := testing.AllocsPerRun(200, func() {
			seq++
			packet[2], packet[3] = byte(seq>>8), byte(seq)
			sealed, _ := alice.Seal(memory[:copy(memory, packet)], false)
			k.take(sink, sealed, arrival{from: sdpAddress, at: time.Duration(seq) * 20 * time.Millisecond})
			a.speak(sink, media, memory[:copy(memory, packet)])
		})
		if n != 0 || sink.n != 2*201 {
			t.Errorf("%v: %v allocations a packet, %d packets", suite, n, sink.n)
		}
	}
}

// counted is an outlet, and a socket, that only counts.
type counted struct {
	network.PacketConn
	n int
}

func (c *counted) send(*socket, []byte, netip.AddrPort) { c.n++ }
