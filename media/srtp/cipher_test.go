package srtp

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// seeded is a source of keys that every run has alike.
func seeded(n byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{n}) }

func newKey(t testing.TB, s Suite, n byte) Key {
	t.Helper()
	k, err := NewKey(s, seeded(n))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// pair returns both ends of a stream.
func pair(t testing.TB, s Suite) (a, b *Cipher) {
	t.Helper()
	x, y := newKey(t, s, 1), newKey(t, s, 2)
	return cipherOf(t, x, y), cipherOf(t, y, x)
}

func cipherOf(t testing.TB, send, receive Key) *Cipher {
	t.Helper()
	c, err := New(send, receive)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func rtpPacket(seq uint16, ssrc uint32) []byte {
	b := make([]byte, 12, 60+Overhead)
	b[0], b[1] = 0x80, 8
	binary.BigEndian.PutUint16(b[2:], seq)
	binary.BigEndian.PutUint32(b[8:], ssrc)
	return append(b, "sound that nobody else shall hear"...)
}

func rtcpPacket(ssrc uint32) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0x80, 201, 0, 1}, ssrc)
	return append(b, "a word"...)
}

// seal returns the sealed packet in memory of its own.
func seal(t testing.TB, c *Cipher, b []byte, control bool) []byte {
	t.Helper()
	got, ok := c.Seal(roomy(b), control)
	if !ok {
		t.Fatalf("%x was not sealed", b[:8])
	}
	return bytes.Clone(got)
}

// opens tells whether c opens a copy of b.
func opens(c *Cipher, b []byte, control bool) bool {
	_, ok := c.Open(bytes.Clone(b), control)
	return ok
}

func eachSuite(t *testing.T, f func(t *testing.T, s Suite)) {
	for _, s := range Suites() {
		t.Run(s.String(), func(t *testing.T) { f(t, s) })
	}
}

// TestBothWays: RFC 3711 §3.3, RFC 3711 §3.4; headers with CSRC and extension stay readable.
func TestBothWays(t *testing.T) {
	eachSuite(t, func(t *testing.T, s Suite) {
		a, b := pair(t, s)
		long := rtpPacket(9, 5)
		long[0] |= 0x12 // two CSRC and an extension of one word
		copy(long[12:], "csrccsrc\xbe\xde\x00\x01word")
		for _, p := range [][]byte{rtpPacket(7, 5), rtpPacket(8, 5), long, rtpPacket(1, 6), rtpPacket(10, 5)[:12]} {
			sealed := seal(t, a, p, false)
			if n := len(sealed) - len(p); n != s.shape().tag || len(p) > 40 && bytes.Contains(sealed, p[len(p)-8:]) {
				t.Errorf("sealed %x", sealed)
			}
			if got, ok := b.Open(sealed, false); !ok || !bytes.Equal(got, p) {
				t.Errorf("opened %x, %v; want %x", got, ok, p)
			}
		}
		report := rtcpPacket(5)
		for range 3 {
			if got, ok := a.Open(seal(t, b, report, true), true); !ok || !bytes.Equal(got, report) {
				t.Errorf("opened %x, %v", got, ok)
			}
		}
	})
}

// TestForged: every bit counts, and so do key, direction and kind. RFC 3711 §4.2.
func TestForged(t *testing.T) {
	eachSuite(t, func(t *testing.T, s Suite) {
		a, b := pair(t, s)
		for _, control := range []bool{false, true} {
			plain := rtpPacket(7, 5)
			if control {
				plain = rtcpPacket(5)
			}
			good := seal(t, a, plain, control)
			for i := range good {
				bad := bytes.Clone(good)
				bad[i] ^= 0x40
				if opens(b, bad, control) {
					t.Errorf("control %v: byte %d changed, and it opens", control, i)
				}
			}
			for n := range good {
				if opens(b, good[:n], control) {
					t.Errorf("control %v: cut to %d bytes, and it opens", control, n)
				}
			}
			if opens(a, good, control) || opens(b, good, !control) || opens(cipherOf(t, newKey(t, s, 3), newKey(t, s, 4)), good, control) {
				t.Errorf("control %v: opens in the wrong direction, as the other kind or with another key", control)
			}
			if !opens(b, good, control) {
				t.Errorf("control %v: what was forged spoilt the good packet", control)
			}
		}
		if n := len(b.receive.sources); n != 1 {
			t.Errorf("%d sources are kept, want that of the good packets alone", n)
		}
	})
}

// TestReplay: RFC 3711 §3.3.2.
func TestReplay(t *testing.T) {
	eachSuite(t, func(t *testing.T, s Suite) {
		a, b := pair(t, s)
		var sent [][]byte
		for seq := range uint16(300) {
			sent = append(sent, seal(t, a, rtpPacket(seq, 5), false))
		}
		for _, step := range []struct {
			seq  int
			want bool
		}{{0, true}, {0, false}, {3, true}, {1, true}, {1, false}, {3, false}, {100, true}, {2, true}, {2, false}, {299, true}, {299 - 127, true}, {299 - 128, false}, {298, true}, {299, false}} {
			if got := opens(b, sent[step.seq], false); got != step.want {
				t.Errorf("packet %d: %v", step.seq, got)
			}
		}
		first, second := seal(t, a, rtcpPacket(5), true), seal(t, a, rtcpPacket(5), true)
		if !opens(b, second, true) || !opens(b, first, true) || opens(b, first, true) || opens(b, second, true) {
			t.Error("RTCP is replayed, or out of order not heard")
		}
	})
}

// TestNonceOnce: a second text under the same index is not sealed. RFC 7714 §10.
func TestNonceOnce(t *testing.T) {
	a, _ := pair(t, AEAD128GCM)
	seal(t, a, rtpPacket(7, 5), false)
	other := rtpPacket(7, 5)
	other[20]++
	if _, ok := a.Seal(other, false); ok {
		t.Error("two texts have one nonce")
	}
}

// TestRollOver: RFC 3711 §3.3.1, with packets out of order across the end of the sequence numbers.
func TestRollOver(t *testing.T) {
	eachSuite(t, func(t *testing.T, s Suite) {
		a, b := pair(t, s)
		for round := range 3 {
			for _, seq := range []uint16{0, 20000, 40000, 60000, 65535, 65533} {
				if !opens(b, seal(t, a, rtpPacket(seq, 5), false), false) {
					t.Fatalf("round %d: %d does not open", round, seq)
				}
			}
			next, late := seal(t, a, rtpPacket(1, 5), false), seal(t, a, rtpPacket(65534, 5), false)
			if !opens(b, next, false) || !opens(b, late, false) {
				t.Fatalf("round %d: the turn is lost", round)
			}
		}
		if got := b.State().Receive.Sources[0].Packets.Highest; got != 3<<16|1 {
			t.Errorf("index %x", got)
		}
		if opens(b, seal(t, cipherOf(t, a.send.key, a.receive.key), rtpPacket(9, 5), false), false) {
			t.Error("a sender that forgot its roll-over counter is heard")
		}
	})
}

// TestHandOver: both directions go on where they were, and replay stays impossible.
func TestHandOver(t *testing.T) {
	eachSuite(t, func(t *testing.T, s Suite) {
		a, b := pair(t, s)
		for _, seq := range []uint16{60000, 10, 11} {
			if !opens(b, seal(t, a, rtpPacket(seq, 5), false), false) {
				t.Fatal("does not open")
			}
		}
		old := seal(t, a, rtpPacket(12, 5), false)
		report := seal(t, a, rtcpPacket(5), true)
		if !opens(b, old, false) || !opens(b, report, true) {
			t.Fatal("does not open")
		}
		a2, err := Restore(a.State())
		if err != nil {
			t.Fatal(err)
		}
		b2, err := Restore(b.State())
		if err != nil {
			t.Fatal(err)
		}
		if !opens(b2, seal(t, a2, rtpPacket(13, 5), false), false) || !opens(b2, seal(t, a2, rtcpPacket(5), true), true) {
			t.Error("does not open after the hand-over")
		}
		if opens(b2, old, false) || opens(b2, report, true) {
			t.Error("a packet from before is replayed")
		}
		if _, ok := a2.Seal(rtpPacket(12, 5), false); ok {
			t.Error("a nonce from before is used again")
		}
	})
}

func TestTooManySources(t *testing.T) {
	a, b := pair(t, AES128CMSHA80)
	for ssrc := range uint32(maxSources) {
		if !opens(b, seal(t, a, rtpPacket(1, ssrc), false), false) {
			t.Fatal("does not open")
		}
	}
	if _, ok := a.Seal(rtpPacket(1, maxSources), false); ok || !opens(b, seal(t, a, rtpPacket(2, 3), false), false) {
		t.Error("one source too many is sealed, or the known ones are not")
	}
	fresh := cipherOf(t, a.send.key, a.receive.key)
	if opens(b, seal(t, fresh, rtpPacket(1, maxSources), false), false) {
		t.Error("one source too many is opened")
	}
}

// TestLifetime: RFC 4568 §6.1, RFC 3711 §9.2.
func TestLifetime(t *testing.T) {
	k, other := newKey(t, AEAD128GCM, 1), newKey(t, AEAD128GCM, 2)
	k.Lifetime = 2
	a, b := cipherOf(t, k, other), cipherOf(t, other, k)
	free := cipherOf(t, Key{Suite: k.Suite, Secret: k.Secret}, other)
	for seq := range uint16(3) {
		_, sealed := a.Seal(rtpPacket(seq, 5), false)
		if opened := opens(b, seal(t, free, rtpPacket(seq, 5), false), false); sealed != (seq < 2) || opened != sealed {
			t.Errorf("packet %d: sealed %v, opened %v", seq, sealed, opened)
		}
	}
	state := free.State()
	state.Send.Sources[0].Reports = Window{Highest: maxReports - 2, Seen: [2]uint64{1, 0}}
	last, err := Restore(state)
	if err != nil {
		t.Fatal(err)
	}
	seal(t, last, rtcpPacket(5), true)
	if _, ok := last.Seal(append(make([]byte, 0, 64), rtcpPacket(5)...), true); ok {
		t.Error("the index of RTCP turns over")
	}
}

// TestMKI: a peer's packets carry its MKI. RFC 3711 §3.1.
func TestMKI(t *testing.T) {
	eachSuite(t, func(t *testing.T, s Suite) {
		a, _ := pair(t, s)
		theirs := a.send.key
		theirs.MKI = []byte{0, 0, 0, 1}
		b := cipherOf(t, a.receive.key, theirs)
		for _, control := range []bool{false, true} {
			plain := rtpPacket(7, 5)
			if control {
				plain = rtcpPacket(5)
			}
			sealed := seal(t, a, plain, control)
			at := len(sealed)
			if !s.shape().gcm {
				at -= a.send.mode(control).overhead()
			}
			with := append(append(bytes.Clone(sealed[:at]), theirs.MKI...), sealed[at:]...)
			wrong := bytes.Clone(with)
			wrong[at+3]++
			if opens(b, sealed, control) || opens(b, wrong, control) {
				t.Error("opens without the MKI or with another")
			}
			if got, ok := b.Open(with, control); !ok || !bytes.Equal(got, plain) {
				t.Errorf("opened %x, %v", got, ok)
			}
		}
		if _, err := New(theirs, theirs); err == nil {
			t.Error("a key of ours has an MKI")
		}
	})
}

func TestNoise(t *testing.T) {
	eachSuite(t, func(t *testing.T, s Suite) {
		a, _ := pair(t, s)
		random := seeded(9)
		for n := range 3000 {
			b := make([]byte, n%80, n%80+Overhead)
			_, _ = random.Read(b)
			if n%2 == 0 && len(b) > 0 {
				b[0] = b[0]&0x3f | 0x80
			}
			if opens(a, b, n%3 == 0) {
				t.Fatalf("%x opens", b)
			}
			a.Seal(b, n%3 == 0)
		}
		if _, ok := a.Seal(make([]byte, 20), false); ok {
			t.Error("sealed without room")
		}
		if n := len(a.receive.sources); n != 0 {
			t.Errorf("noise left %d sources", n)
		}
	})
}

func FuzzOpen(f *testing.F) {
	f.Add(rtpPacket(1, 2), false)
	f.Add(rtcpPacket(2), true)
	f.Fuzz(func(t *testing.T, b []byte, control bool) {
		for _, s := range Suites() {
			a, c := pair(t, s)
			if opens(a, b, control) {
				t.Fatal("opens")
			}
			if got, ok := c.Seal(roomy(b), control); ok {
				if plain, ok := a.Open(got, control); !ok || !bytes.Equal(plain, b) {
					t.Fatalf("%v: sealed and opened %x", s, plain)
				}
			}
		}
	})
}
