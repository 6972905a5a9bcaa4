package video

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// vp8 makes a payload of VP8 with these numbers.
func vp8(key bool, picture uint16, base byte) []byte {
	b := []byte{0x90, 0xe0, byte(picture>>8) | 0x80, byte(picture), base, 0, 0x11, 0, 0}
	if key {
		b[6] = 0x10
	}
	return b
}

func packet(ssrc uint32, sequence uint16, stamp uint32, payload []byte) *rtp.Packet {
	return &rtp.Packet{Header: rtp.Header{SSRC: ssrc, Sequence: sequence, Timestamp: stamp}, Payload: payload}
}

// TestTrack: across two switches and the end of each circle, numbers, time, picture and layer index run on by one step. RFC 3550 §5.1; RFC 7741 §4.2.
func TestTrack(t *testing.T) {
	var track Track
	now := time.Unix(1000, 0)
	type numbers struct {
		sequence, picture uint16
		stamp             uint32
		base              byte
	}
	var got []numbers
	give := func(p *rtp.Packet) {
		t.Helper()
		if !track.Renumber(p, now) {
			t.Fatalf("packet %d of %d was refused", p.Sequence, p.SSRC)
		}
		got = append(got, numbers{p.Sequence, binary.BigEndian.Uint16(p.Payload[2:]) & 0x7fff, p.Timestamp, p.Payload[4]})
	}
	for i, first := range []uint16{65534, 40000, 7} {
		ssrc := uint32(i + 1)
		begin := packet(ssrc, first, 90000*ssrc, vp8(true, 32766+first, 254))
		track.Open(begin, VP8, now)
		give(begin)
		for n := uint16(1); n < 4; n++ {
			now = now.Add(40 * time.Millisecond)
			give(packet(ssrc, first+n, 90000*ssrc+3600*uint32(n), vp8(false, 32766+first+n, 254+byte(n))))
		}
		now = now.Add(40 * time.Millisecond)
	}
	for i := 1; i < len(got); i++ {
		a, b := got[i-1], got[i]
		if b.sequence != a.sequence+1 || b.stamp != a.stamp+3600 || b.picture != (a.picture+1)&0x7fff || b.base != a.base+1 {
			t.Errorf("packet %d: %+v after %+v", i, b, a)
		}
	}
}

// TestTrackLate: what was sent before a switch is not sent after it, what came late is sent in its place, and a number of ours leads back to that of the source. RFC 4585 §6.2.1.
func TestTrackLate(t *testing.T) {
	var track Track
	now := time.Unix(1000, 0)
	send := func(ssrc uint32, sequence uint16) (uint16, bool) {
		p := packet(ssrc, sequence, 0, []byte{0x41})
		ok := track.Renumber(p, now)
		return p.Sequence, ok
	}
	open := func(ssrc uint32, sequence uint16) {
		p := packet(ssrc, sequence, 0, []byte{0x65})
		track.Open(p, H264, now)
		if !track.Renumber(p, now) {
			t.Fatal("the opening packet is refused")
		}
	}
	if _, ok := send(1, 9); ok {
		t.Error("something is sent before it was opened")
	}
	open(1, 10)
	if n, ok := send(1, 13); !ok || n != 13 {
		t.Errorf("after a gap: %d %t", n, ok)
	}
	if n, ok := send(1, 11); !ok || n != 11 {
		t.Errorf("late: %d %t", n, ok)
	}
	if _, ok := send(1, 9); ok {
		t.Error("older than the first one")
	}
	open(2, 500)
	if _, ok := send(1, 14); ok {
		t.Error("the former source is still sent")
	}
	if n, ok := send(2, 503); !ok || n != 17 {
		t.Errorf("after the switch: %d %t", n, ok)
	}
	for ours, want := range map[uint16]uint16{14: 500, 15: 501, 17: 503} {
		if o, ok := track.Origin(ours); !ok || o != want {
			t.Errorf("%d was %d %t, want %d", ours, o, ok, want)
		}
	}
	for _, ours := range []uint16{13, 18} {
		if o, ok := track.Origin(ours); ok {
			t.Errorf("%d was %d", ours, o)
		}
	}
	for n := uint16(504); n != 499; n++ { // once around, with late ones
		if _, ok := send(2, n); !ok {
			t.Fatalf("%d is refused", n)
		}
	}
	track.Close()
	if _, ok := send(2, 499); ok {
		t.Error("it is closed")
	}
}

// TestNarrowPicture: a picture number of 7 bits stays in them, and a stream without numbers is left alone. RFC 7741 §4.2.
func TestNarrowPicture(t *testing.T) {
	var track Track
	now := time.Unix(1000, 0)
	p := packet(1, 1, 0, vp8(true, 1000, 3))
	track.Open(p, VP8, now)
	track.Renumber(p, now)
	p = packet(2, 1, 0, []byte{0x90, 0x80, 0x05, 0x10, 0})
	track.Open(p, VP8, now)
	track.Renumber(p, now)
	if p.Payload[2] != 1001&0x7f {
		t.Errorf("picture %d", p.Payload[2])
	}
	p = packet(3, 1, 0, []byte{0x10, 0x10, 0xaa})
	track.Open(p, VP8, now)
	if !track.Renumber(p, now) || string(p.Payload) != "\x10\x10\xaa" {
		t.Errorf("% x", p.Payload)
	}
}
