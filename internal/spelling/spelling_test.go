package spelling

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"listen", "domain", "media.ports", "data"}
	for word, want := range map[string]string{"lissen": "listen", "domians": "domain", "dat": "data", "media.port": "media.ports", "data": "data", "": "", "something else": "", "listenxxx": "listen", "listenxxxx": ""} {
		if got := Nearest(word, slices.Values(names)); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
