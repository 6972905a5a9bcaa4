package stun

import (
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	vectorRequest = `00010058 2112a442 b7e7a701 bc34d686 fa87dfae 80220010 5354554e 20746573 7420636c 69656e74 00240004 6e0001ff 80290008 932ff9b1
		51263b36 00060009 6576746a 3a683676 59202020 00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2 80280004 e57a3bcf`
	vectorResponse = `0101003c 2112a442 b7e7a701 bc34d686 fa87dfae 8022000b 74657374 20766563 746f7220 00200008 0001a147 e112a643
		00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7 80280004 c07d4c96`
)

// TestVectors: RFC 5769 §2.1, RFC 5769 §2.2; every truncated prefix is no message.
func TestVectors(t *testing.T) {
	b := unhex(t, vectorRequest)
	if ours, ok := Ufrag(b); !ok || string(ours) != "evtj" {
		t.Errorf("for %q, %v", ours, ok)
	}
	if typ, ok := Type(unhex(t, vectorResponse)); !ok || typ != BindingSuccess {
		t.Errorf("type %#x, %v", typ, ok)
	}
	for i := range b {
		if _, ok := Type(b[:i]); ok {
			t.Errorf("a message cut to %d bytes is framed", i)
		}
	}
}

func TestNoName(t *testing.T) {
	for name, b := range map[string][]byte{
		"empty": nil, "DTLS": make([]byte, 40), "response": unhex(t, vectorResponse),
		"no USERNAME":  unhex(t, "00010000 2112a442 b7e7a701 bc34d686 fa87dfae"),
		"no colon":     unhex(t, "00010008 2112a442 b7e7a701 bc34d686 fa87dfae 00060004 6576746a"),
		"too long":     unhex(t, "00010008 2112a442 b7e7a701 bc34d686 fa87dfae 00060008 6576746a"),
		"other cookie": unhex(t, "00010008 2112a443 b7e7a701 bc34d686 fa87dfae 00060004 65763a6a"),
	} {
		if ours, ok := Ufrag(b); ok {
			t.Errorf("%s: for %q", name, ours)
		}
	}
	b := unhex(t, vectorRequest)
	if n := testing.AllocsPerRun(100, func() { Ufrag(b) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzUfrag: whom a message is for is a part of it, and of a framed one.
func FuzzUfrag(f *testing.F) {
	f.Add(unhex(f, vectorRequest))
	f.Add(unhex(f, vectorResponse))
	f.Fuzz(func(t *testing.T, b []byte) {
		ours, ok := Ufrag(b)
		typ, framed := Type(b)
		if ok && (!framed || typ != BindingRequest || len(ours) > len(b)-HeaderSize || strings.Contains(string(ours), ":")) {
			t.Errorf("for %q in a message of type %#x, %v", ours, typ, framed)
		}
	})
}
