package relay

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net/netip"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// seal is a Cipher for tests: a keyed tag of 4 bytes, and each sequence number once.
type seal struct {
	key  uint32
	seen map[uint16]bool
}

func (c *seal) tag(b []byte) uint32 { return crc32.ChecksumIEEE(b) ^ c.key }

func (c *seal) Seal(b []byte, _ bool) ([]byte, bool) {
	if cap(b)-len(b) < Overhead {
		panic("no room for the tag")
	}
	return binary.BigEndian.AppendUint32(b, c.tag(b)), c.key != 0
}

func (c *seal) Open(b []byte, control bool) ([]byte, bool) {
	n := len(b) - 4
	if c.key == 0 || n < 8 || binary.BigEndian.Uint32(b[n:]) != c.tag(b[:n]) {
		return nil, false
	}
	if seq := binary.BigEndian.Uint16(b[2:]); !control {
		if c.seen[seq] {
			return nil, false
		}
		c.seen[seq] = true
	}
	return b[:n], true
}

func sealed(key uint32, b []byte) []byte {
	out, _ := (&seal{key: key}).Seal(append(make([]byte, 0, len(b)+Overhead), b...), false)
	return out
}

// meeting is two phones, a third party, and two joined streams.
type meeting struct {
	alice, bob, bobControl, mallory *party
	a, b                            *Stream
	rtpA, rtcpA, rtpB, rtcpB        netip.AddrPort
}

func meet(t *testing.T, sim *network.Sim, r *Relay) *meeting {
	t.Helper()
	m := &meeting{a: open(t, r), b: open(t, r)}
	bob := sim.Host(netip.MustParseAddr("192.0.2.2"))
	m.alice = newParty(t, sim.Host(netip.MustParseAddr("192.0.2.1")), "192.0.2.1:4000")
	m.bob, m.bobControl = newParty(t, bob, "192.0.2.2:5000"), newParty(t, bob, "192.0.2.2:5001")
	m.mallory = newParty(t, sim.Host(netip.MustParseAddr("203.0.113.66")), "203.0.113.66:6000")
	aim(m.a, "192.0.2.1:4000", "192.0.2.1:4001")
	aim(m.b, "192.0.2.2:5000", "192.0.2.2:5001")
	Join(m.a, m.b)
	m.rtpA, m.rtcpA = m.a.Local()
	m.rtpB, m.rtcpB = m.b.Local()
	return m
}

// TestSecure: one side has a cipher and the other none; each gets what it can read. RFC 3711 §3.
func TestSecure(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		m := meet(t, sim, r)
		m.a.Secure(&seal{key: 7, seen: map[uint16]bool{}})
		voice := rtpPacket(1, 7, "voice")
		m.alice.send(t, m.rtpA, sealed(7, voice))
		if got := m.bob.take(); len(got) != 1 || got[0] != string(voice) {
			t.Errorf("bob got %q", got)
		}
		m.bob.send(t, m.rtpB, voice)
		m.a.Send(voice)
		settle()
		if got := m.alice.take(); len(got) != 2 || got[0] != string(sealed(7, voice)) || got[1] != got[0] {
			t.Errorf("alice got %q", got)
		}
		if !bytes.Equal(voice, rtpPacket(1, 7, "voice")) {
			t.Error("Send changed what it was given")
		}
		m.a.Secure(new(seal)) // no key yet
		m.alice.send(t, m.rtpA, voice)
		m.bob.send(t, m.rtpB, voice)
		if m.bob.take() != nil || m.alice.take() != nil {
			t.Error("something passed while there was no key")
		}
		m.a.Secure(nil)
		m.alice.send(t, m.rtpA, voice)
		if got := m.bob.take(); len(got) != 1 {
			t.Errorf("bob got %q of a stream that is plain again", got)
		}
	})
}

// TestProofWinsAtOnce: wrong tags, plain packets and replays from anywhere change nothing; a packet that opens makes its source the peer at once. RFC 7362 §4.
func TestProofWinsAtOnce(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		m := meet(t, sim, r)
		m.a.Secure(&seal{key: 7, seen: map[uint16]bool{}})
		recorded := sealed(7, rtpPacket(1, 7, "voice"))
		m.alice.send(t, m.rtpA, recorded)
		for seq := range uint16(100) {
			for _, b := range [][]byte{recorded, sealed(8, rtpPacket(seq, 7, "wrong")), rtpPacket(seq, 7, "plain")} {
				m.mallory.send(t, m.rtpA, b)
			}
			m.mallory.send(t, m.rtcpA, rtcpPacket(7))
		}
		m.bob.send(t, m.rtpB, rtpPacket(1, 9, ""))
		if got := m.bob.take(); len(got) != 1 {
			t.Errorf("bob heard %q", got)
		}
		if len(m.mallory.take()) != 0 || len(m.alice.take()) != 1 {
			t.Error("the packets of the call went astray")
		}
		moved := newParty(t, sim.Host(netip.MustParseAddr("198.51.100.9")), "198.51.100.9:9000")
		later(2 * time.Second) // the window is closed
		moved.send(t, m.rtpA, sealed(7, rtpPacket(500, 7, "moved")))
		m.bob.send(t, m.rtpB, rtpPacket(2, 9, ""))
		if len(m.bob.take()) != 1 || len(moved.take()) != 1 || len(m.alice.take()) != 0 {
			t.Error("the peer was not followed to its new address")
		}
	})
}

// TestAside: RFC 7983 §7: STUN and DTLS leave the way of media; RTP never does.
func TestAside(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		m := meet(t, sim, r)
		type seen struct {
			first   byte
			from    netip.AddrPort
			control bool
		}
		var got []seen
		m.a.Aside(func(b []byte, from netip.AddrPort, control bool) {
			got = append(got, seen{b[0], from, control})
			if err := m.a.SendTo([]byte{1, 1}, from, control); err != nil {
				t.Error(err)
			}
		})
		for _, first := range []byte{0, 3, 4, 19, 20, 63, 64, 127, 128} {
			m.mallory.send(t, m.rtpA, append([]byte{first}, make([]byte, 19)...))
		}
		m.mallory.send(t, m.rtcpA, []byte{22})
		from := m.mallory.conn.LocalAddr()
		want := []seen{{0, from, false}, {3, from, false}, {20, from, false}, {63, from, false}, {22, from, true}}
		if len(got) != len(want) {
			t.Fatalf("aside got %v, want %v", got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("aside got %v, want %v", got[i], want[i])
			}
		}
		if replies := m.mallory.take(); len(replies) != len(want) || m.mallory.from[0] != m.rtpA || m.mallory.from[4] != m.rtcpA {
			t.Errorf("replies %q from %v", replies, m.mallory.from)
		}
		if c := m.a.Counters(); c.Refused != 5 || c.PacketsIn != 0 {
			t.Errorf("counters %+v", c)
		}
		m.a.Aside(nil)
		m.mallory.send(t, m.rtpA, []byte{22})
		if len(got) != len(want) {
			t.Error("heard after the end")
		}
	})
}

// TestFix: RFC 8445 §12: only the chosen pair is used, whatever the description says.
func TestFix(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		m := meet(t, sim, r)
		m.a.Fix(m.mallory.conn.LocalAddr())
		m.alice.send(t, m.rtpA, rtpPacket(1, 7, "voice"))
		m.mallory.send(t, m.rtpA, rtpPacket(1, 8, "chosen"))
		m.bob.send(t, m.rtpB, rtpPacket(1, 9, ""))
		if got := m.bob.take(); len(got) != 1 || got[0][12:] != "chosen" {
			t.Errorf("bob got %q", got)
		}
		if len(m.mallory.take()) != 1 || len(m.alice.take()) != 0 || m.a.Remote() != m.mallory.conn.LocalAddr() {
			t.Error("the chosen address is not the target")
		}
		m.a.Fix(netip.AddrPort{})
		m.alice.send(t, m.rtpA, rtpPacket(2, 7, "voice"))
		if got := m.bob.take(); len(got) != 1 {
			t.Errorf("bob got %q after the choice was given back", got)
		}
	})
}

// TestMux: RFC 5761 §5.1.1: one side multiplexes and the other does not.
func TestMux(t *testing.T) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		m := meet(t, sim, r)
		m.a.Mux(true)
		taps := map[bool]int{}
		m.a.Tap(func(_ []byte, _ time.Time, control bool) { taps[control]++ })
		m.alice.send(t, m.rtpA, rtpPacket(1, 7, ""))
		m.alice.send(t, m.rtpA, rtcpPacket(7))
		if len(m.bob.take()) != 1 || len(m.bobControl.take()) != 1 {
			t.Error("RTCP of the RTP port did not go to the RTCP port of the other side")
		}
		if taps[false] != 1 || taps[true] != 1 {
			t.Errorf("the tap saw %v", taps)
		}
		m.bobControl.send(t, m.rtcpB, rtcpPacket(9))
		m.a.SendControl(rtcpPacket(10))
		settle()
		if got := m.alice.take(); len(got) != 2 || m.alice.from[0] != m.rtpA {
			t.Errorf("alice got %q from %v", got, m.alice.from)
		}
	})
}
