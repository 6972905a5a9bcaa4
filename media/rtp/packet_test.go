package rtp

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var packets = map[string]struct {
	in   string
	want Packet
}{
	"PCMU": {"8000 0001 00000002 00000003 ff7f", Packet{
		Header: Header{Sequence: 1, Timestamp: 2, SSRC: 3}, Payload: []byte{0xff, 0x7f}}},
	"marker and largest numbers": {"80ff ffff ffffffff ffffffff", Packet{
		Header:  Header{Marker: true, PayloadType: 127, Sequence: 0xffff, Timestamp: 0xffffffff, SSRC: 0xffffffff},
		Payload: []byte{}}},
	"CSRC": {"8208 0001 00000002 00000003 0000000a 0000000b 01", Packet{
		Header: Header{PayloadType: 8, Sequence: 1, Timestamp: 2, SSRC: 3},
		CSRC:   []byte{0, 0, 0, 10, 0, 0, 0, 11}, Payload: []byte{1}}},
	"extension": {"9008 0001 00000002 00000003 bede0001 10ff0000 01", Packet{
		Header: Header{PayloadType: 8, Sequence: 1, Timestamp: 2, SSRC: 3}, ExtensionProfile: 0xbede,
		Extension: []byte{0x10, 0xff, 0, 0}, Payload: []byte{1}}},
	"empty extension": {"9008 0001 00000002 00000003 bede0000", Packet{
		Header: Header{PayloadType: 8, Sequence: 1, Timestamp: 2, SSRC: 3}, ExtensionProfile: 0xbede,
		Extension: []byte{}, Payload: []byte{}}},
	"everything": {"9108 0001 00000002 00000003 0000000a 00010001 01020304 0506", Packet{
		Header: Header{PayloadType: 8, Sequence: 1, Timestamp: 2, SSRC: 3}, CSRC: []byte{0, 0, 0, 10},
		ExtensionProfile: 1, Extension: []byte{1, 2, 3, 4}, Payload: []byte{5, 6}}},
}

var badPackets = map[string]struct {
	in   string
	want error
}{
	"empty":                 {"", errShort},
	"short":                 {"8000 0001 00000002 000000", errShort},
	"version 1":             {"4000 0001 00000002 00000003", errVersion},
	"STUN":                  {"0001 0000 2112a442 00000000", errVersion},
	"CSRC cut":              {"8f00 0001 00000002 00000003 00000001", errCSRC},
	"extension head cut":    {"9000 0001 00000002 00000003 bede00", errExtension},
	"extension cut":         {"9000 0001 00000002 00000003 bede0002 00000000", errExtension},
	"extension of 65535":    {"9000 0001 00000002 00000003 bedeffff 00000000", errExtension},
	"padding without any":   {"a000 0001 00000002 00000003", errPadding},
	"padding of zero":       {"a000 0001 00000002 00000003 0100", errPadding},
	"padding over the head": {"a000 0001 00000002 00000003 0103", errPadding},
}

func TestParse(t *testing.T) {
	for name, tt := range packets {
		in := unhex(t, tt.in)
		got, err := Parse(in)
		if d := cmp.Diff(tt.want, got); err != nil || d != "" {
			t.Errorf("%s: %v %s", name, err, d)
		}
		if out := got.AppendTo([]byte{1}); !bytes.Equal(out[1:], in) {
			t.Errorf("%s: made %x, want %x", name, out[1:], in)
		}
		for i := range in {
			if p, err := Parse(in[:i]); err == nil && len(p.Payload) >= len(got.Payload) && len(got.Payload) > 0 {
				t.Errorf("%s: cut at %d gave %+v", name, i, p)
			}
		}
	}
	for name, tt := range badPackets {
		if p, err := Parse(unhex(t, tt.in)); err != tt.want {
			t.Errorf("%s: got %+v, %v, want %v", name, p, err, tt.want)
		}
	}
}

func TestPadding(t *testing.T) {
	for in, want := range map[string]string{"0105 000003": "0105", "04000004": "", "0901": "09"} {
		p, err := Parse(append(unhex(t, "a000 0001 00000002 00000003"), unhex(t, in)...))
		if err != nil || hex.EncodeToString(p.Payload) != want {
			t.Errorf("%s: %x, %v", in, p.Payload, err)
		}
	}
}

// Put changes the numbers of a packet that is passed on and nothing else.
func TestPut(t *testing.T) {
	b := unhex(t, "b1 88 0001 00000002 00000003 0000000a 00010001 01020304 0506 02 02")
	(&Header{PayloadType: 0xff, Sequence: 0x1234, Timestamp: 0x56789abc, SSRC: 0xdef01234}).Put(b)
	want := unhex(t, "b1 7f 1234 56789abc def01234 0000000a 00010001 01020304 0506 02 02")
	if !bytes.Equal(b, want) {
		t.Errorf("got %x, want %x", b, want)
	}
}

func TestAppendLimits(t *testing.T) {
	p := Packet{CSRC: make([]byte, 70), Extension: make([]byte, 7), Payload: []byte{9}}
	got, err := Parse(p.AppendTo(nil))
	if err != nil || len(got.CSRC) != 60 || len(got.Extension) != 4 || len(got.Payload) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestIsRTCP(t *testing.T) {
	for in, want := range map[string]bool{
		"80c8 0006": true, "81df 0000": true, "80c9": false, "80c8 00": false, "80e0 0000": false,
		"8000 0000": false, "80ff 0000": false, "00c8 0000": false, "8048 0001": false,
	} {
		if got := IsRTCP(unhex(t, in)); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	in := unhex(t, packets["everything"].in)
	bad := unhex(t, badPackets["version 1"].in)
	out := make([]byte, 0, 100)
	if n := testing.AllocsPerRun(100, func() {
		p, _ := Parse(in)
		out = p.AppendTo(out[:0])
		_, _ = Parse(bad)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range packets {
		f.Add(unhex(f, tt.in))
	}
	for _, tt := range badPackets {
		f.Add(unhex(f, tt.in))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			return
		}
		again, err := Parse(p.AppendTo(nil))
		if d := cmp.Diff(p, again); err != nil || d != "" {
			t.Fatalf("%v %s", err, d)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	in := append(unhex(b, "8000 0001 00000002 00000003"), make([]byte, 160)...)
	for b.Loop() {
		if _, err := Parse(in); err != nil {
			b.Fatal(err)
		}
	}
}

// RFC 8285 §4.2, §4.3: elements behind one byte and behind two.
func TestExtensionElement(t *testing.T) {
	for _, tt := range []struct {
		profile   uint16
		extension []byte
		id        uint8
		want      string // "-": none
	}{
		{0xbede, []byte{0x10, 0x85, 0, 0}, 1, "\x85"},
		{0xbede, []byte{0x31, 1, 2, 0, 0, 0x10, 0x85, 0}, 1, "\x85"},
		{0xbede, []byte{0x31, 1, 2, 0, 0, 0x10, 0x85, 0}, 3, "\x01\x02"},
		{0xbede, []byte{0x10, 0x85, 0, 0}, 2, "-"},
		{0xbede, []byte{0xf0, 0, 0x10, 0x85}, 1, "-"},
		{0xbede, []byte{0x1f, 0x85, 0, 0}, 1, "-"},
		{0x1000, []byte{1, 1, 0x85, 0}, 1, "\x85"},
		{0x1005, []byte{0, 7, 0, 1, 2, 3, 4, 0}, 1, "\x03\x04"},
		{0x1000, []byte{1, 9, 0x85, 0}, 1, "-"},
		{0x1000, []byte{0, 0, 0, 1}, 1, "-"},
		{0x2000, []byte{0x10, 0x85, 0, 0}, 1, "-"},
		{0xbede, nil, 1, "-"},
	} {
		p := Packet{ExtensionProfile: tt.profile, Extension: tt.extension}
		got, ok := p.ExtensionElement(tt.id)
		if ok != (tt.want != "-") || ok && string(got) != tt.want {
			t.Errorf("%#x % x: %d is % x %t", tt.profile, tt.extension, tt.id, got, ok)
		}
	}
}
