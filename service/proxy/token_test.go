package proxy

import (
	"crypto/hmac"
	"crypto/sha256"
	"net/netip"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

func flows() []sip.Flow {
	v4, v6 := netip.MustParseAddrPort("192.0.2.1:5060"), netip.MustParseAddrPort("[2001:db8::7]:49152")
	return []sip.Flow{{}, {Transport: sip.UDP, Local: v4, Remote: netip.MustParseAddrPort("198.51.100.9:1024")}, {Transport: sip.WSS, ID: 1<<63 + 7, Local: v6, Remote: v6}}
}

func TestToken(t *testing.T) {
	k, other := newTokenKeys([]byte("secret")), newTokenKeys([]byte("another"))
	for _, f := range flows() {
		token := string(k.seal(nil, f, "call@host"))
		if got, ok := k.open(token, "call@host"); !ok || got != f {
			t.Errorf("%v becomes %v, %v", f, got, ok)
		}
		if u, err := sip.ParseURI("sip:" + token + "@192.0.2.1;lr"); err != nil || u.User != token {
			t.Errorf("%s is no user part: %v", token, err)
		}
		if _, ok := k.open(token, "call@hose"); ok {
			t.Error("good for another call")
		}
		if _, ok := other.open(token, "call@host"); ok {
			t.Error("good under another key")
		}
		for i := range token {
			if _, ok := k.open(token[:i], "call@host"); ok {
				t.Errorf("prefix %q is good", token[:i])
			}
			flipped := token[:i] + string(rune('A'+('Z'-token[i])%2)) + token[i+1:]
			if _, ok := k.open(flipped, "call@host"); ok && flipped != token {
				t.Errorf("%q is good", flipped)
			}
		}
	}
}

// RFC 2104 §2: the sum is that of HMAC.
func TestTokenSum(t *testing.T) {
	for _, key := range []string{"k", strings.Repeat("long", 40)} {
		k := newTokenKeys([]byte(key))
		payload := []byte("payload")
		h := hmac.New(sha256.New, []byte(key))
		h.Write(append([]byte{byte(len(payload))}, "payloadcall"...))
		if sum := k.sum(payload, "call"); string(sum[:]) != string(h.Sum(nil)[:tokenSum]) {
			t.Errorf("got %x", sum)
		}
	}
}

func FuzzToken(f *testing.F) {
	k := newTokenKeys([]byte("secret"))
	for _, flow := range flows() {
		f.Add(string(k.seal(nil, flow, "c")), []byte{1, 2, 3})
		f.Add("", appendAddrPort(nil, flow.Remote))
	}
	f.Fuzz(func(t *testing.T, token string, flow []byte) {
		k.open(token, "c")
		readFlow(flow)
	})
}

func BenchmarkToken(b *testing.B) {
	k := newTokenKeys([]byte("secret"))
	room := make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		room = k.seal(room[:0], sip.Flow{}, "1234567-abcdef@192.0.2.1")
	}
}
