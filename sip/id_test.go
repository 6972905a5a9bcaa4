// IDs: what is written is read again, and nothing else is taken for one.

package sip

import (
	"strconv"
	"testing"
)

func TestID(t *testing.T) {
	for _, s := range []Stripe{0, 1, 31, 32, Stripes - 1} {
		for _, node := range []uint16{0, 33, Nodes - 1} {
			id := string(AppendID(nil, node, s, [13]byte{1, 2, 3, 255}))
			n, got, ok := ParseID(id)
			if !ok || n != node || got != s || StripeOf(id) != s {
				t.Errorf("%s: node %d stripe %d ok %v, want %d %d", id, n, got, ok, node, s)
			}
			if got := StripeOf(MagicCookie + id); got != s {
				t.Errorf("branch of %s: stripe %d, want %d", id, got, s)
			}
			for i := range id {
				if _, _, ok := ParseID(id[:i]); ok {
					t.Errorf("prefix %q is taken for an ID", id[:i])
				}
			}
		}
	}
	for _, foreign := range []string{"", "a84b4c76e66710@pc33.atlanta.com", "zzzz-00000000000000000000", "00vv-00000000000000000000"} {
		if _, _, ok := ParseID(foreign); ok {
			t.Errorf("%q is taken for an ID", foreign)
		}
		if s := StripeOf(foreign); s >= Stripes || s != StripeOf(foreign) {
			t.Errorf("StripeOf(%q) = %d", foreign, s)
		}
	}
}

// Foreign Call-IDs are spread over the stripes.
func TestStripeSpread(t *testing.T) {
	seen := map[Stripe]int{}
	for i := range 6400 {
		seen[StripeOf("call-"+strconv.Itoa(i)+"@pc33.atlanta.example.com")]++
	}
	for s := range Stripe(Stripes) {
		if seen[s] < 50 || seen[s] > 160 {
			t.Errorf("stripe %d has %d of 6400", s, seen[s])
		}
	}
}
