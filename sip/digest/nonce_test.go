package digest

import (
	"crypto/rand"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

func TestNonce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		key := randomKey()
		n := newNonces("example.org", key, time.Minute, rand.Reader)
		v4, v6 := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
		nonce := next(n, v4)
		other := func(realm string, key []byte) *nonces { return newNonces(realm, key, time.Minute, rand.Reader) }
		for _, tt := range []struct {
			name   string
			by     *nonces
			nonce  string
			source netip.Addr
			want   bool
		}{
			{"ours", n, nonce, v4, true},
			{"mapped address", n, nonce, netip.MustParseAddr("::ffff:192.0.2.1"), true},
			{"another node with the key", other("example.org", key), nonce, v4, true},
			{"another key", other("example.org", randomKey()), nonce, v4, false},
			{"another realm", other("example.com", key), nonce, v4, false},
			{"another source", n, nonce, netip.MustParseAddr("192.0.2.2"), false},
			{"same network", n, next(n, v6), netip.MustParseAddr("2001:db8::2"), true},
			{"another network", n, next(n, v6), netip.MustParseAddr("2001:db8:0:1::1"), false},
			{"empty", n, "", v4, false},
			{"cut", n, nonce[1:], v4, false},
			{"no base64", n, "!" + nonce[1:], v4, false},
			{"changed", n, flip(nonce), v4, false},
		} {
			if _, got := tt.by.open(tt.nonce, tt.source, time.Now()); got != tt.want {
				t.Errorf("%s: valid is %t", tt.name, got)
			}
		}
		time.Sleep(59 * time.Second)
		if _, ok := n.open(nonce, v4, time.Now()); !ok {
			t.Error("nonce expired before its lifetime")
		}
		time.Sleep(time.Second)
		if _, ok := n.open(nonce, v4, time.Now()); ok {
			t.Error("nonce outlived its lifetime")
		}
	})
}

// next returns a nonce as text.
func next(n *nonces, source netip.Addr) string {
	nonce := n.next(source)
	return string(nonce[:])
}

func flip(nonce string) string {
	if nonce[0] == 'A' {
		return "B" + nonce[1:]
	}
	return "A" + nonce[1:]
}

func TestNoncesDiffer(t *testing.T) {
	n := newNonces("example.org", randomKey(), time.Minute, rand.Reader)
	source := netip.MustParseAddr("192.0.2.1")
	seen := make(map[string]bool)
	for range 1000 {
		seen[next(n, source)] = true
	}
	if len(seen) != 1000 {
		t.Errorf("only %d of 1000 nonces differ", len(seen))
	}
}

func BenchmarkNonceOpen(b *testing.B) {
	n := newNonces("example.org", randomKey(), time.Hour, rand.Reader)
	source := netip.MustParseAddr("192.0.2.1")
	nonce := next(n, source)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := n.open(nonce, source, time.Now()); !ok {
			b.Fatal("nonce refused")
		}
	}
}
