package sdp

import (
	"slices"
	"strings"
	"testing"
)

// TestLayers: RFC 8853 §5.1, RFC 8851 §4.
func TestLayers(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"", ""},
		{"a=simulcast:send q;h;f\na=rid:q send\na=rid:h send pt=96\na=rid:f send", "q h f"},
		{"a=simulcast:recv x send ~q;h,i;f\na=rid:q send\na=rid:h send\na=rid:i send\na=rid:f send", "q h f"},
		{"a=simulcast:send q;h;q;;\na=rid:q send\na=rid:h recv", "q"},
		{"a=simulcast:send", ""},
		{"a=simulcast:send q\na=rid:q", ""},
		{"a=simulcast:send qqqqqqqqqqqqqqqqq;a/b\na=rid:qqqqqqqqqqqqqqqqq send\na=rid:a/b send", ""},
	} {
		m := &mustParse(t, "v=0\nm=video 1 RTP/AVPF 96\n"+c.lines).Media[0]
		if got := strings.Join(m.Layers(), " "); got != c.want {
			t.Errorf("%q: %q", c.lines, got)
		}
		if m.TakeLayers(m.Layers()); strings.Join(m.TakenLayers(), " ") != c.want || m.Layers() != nil {
			t.Errorf("%q: taken %q\n%v", c.lines, m.TakenLayers(), m.Lines)
		}
	}
	many := Media{Type: "video"}
	var rids []string
	for _, c := range "abcdefghijkl" {
		rids = append(rids, string(c))
	}
	if many.TakeLayers(rids); !slices.Equal(many.TakenLayers(), rids[:maxLayers]) {
		t.Errorf("%q", many.TakenLayers())
	}
}
