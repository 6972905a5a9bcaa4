package rtp

import (
	"bytes"
	"testing"
)

// TestRepair: RFC 4588 §4: the same time and marker, the number in front of the payload, everything else that of another stream.
func TestRepair(t *testing.T) {
	was := Packet{Header: Header{Marker: true, PayloadType: 96, Sequence: 65535, Timestamp: 12345, SSRC: 7}, ExtensionProfile: 0xbede, Extension: []byte{0x10, 'a', 0, 0}, Payload: []byte("picture")}
	r := Repair{SSRC: 8, PayloadType: 97, Sequence: 3}
	b := r.AppendTo([]byte("x"), was.AppendTo(nil))
	p, err := Parse(b[1:])
	if err != nil || p.Header != (Header{Marker: true, PayloadType: 97, Sequence: 3, Timestamp: 12345, SSRC: 8}) || string(p.Payload) != "\xff\xffpicture" || p.Extension != nil {
		t.Fatalf("%+v, %v", p, err)
	}
	if !p.Repaired(7, 96) || p.Header != was.Header || string(p.Payload) != "picture" {
		t.Errorf("%+v", p)
	}
	if got := r.AppendTo(nil, []byte("no packet")); got != nil {
		t.Errorf("%x", got)
	}
	for _, payload := range []string{"", "a", "ab"} {
		if q := (Packet{Payload: []byte(payload)}); q.Repaired(1, 2) {
			t.Errorf("%q repeats something", payload)
		}
	}
}

// FuzzRepair: whatever is a packet comes back as it was, without its extension.
func FuzzRepair(f *testing.F) {
	f.Add((&Packet{Header: Header{PayloadType: 96, Sequence: 1, SSRC: 7}, Payload: []byte("picture")}).AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		was, err := Parse(b)
		if err != nil {
			return
		}
		p, err := Parse((&Repair{SSRC: 1, PayloadType: 97}).AppendTo(nil, b))
		if err != nil {
			t.Fatal(err)
		}
		if ok := p.Repaired(was.SSRC, was.PayloadType); ok != (len(was.Payload) > 0) || ok && (p.Header != was.Header || !bytes.Equal(p.Payload, was.Payload)) {
			t.Errorf("%+v became %+v", was, p)
		}
	})
}
