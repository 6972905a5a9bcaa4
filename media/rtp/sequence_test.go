package rtp

import "testing"

func TestBefore(t *testing.T) {
	for _, tt := range []struct {
		a, b uint16
		want bool
	}{{1, 2, true}, {2, 1, false}, {1, 1, false}, {0xffff, 0, true}, {0, 0xffff, false}, {0xfff0, 0x10, true}} {
		if got := Before(tt.a, tt.b); got != tt.want {
			t.Errorf("%d before %d: %v", tt.a, tt.b, got)
		}
	}
}

func TestExtend(t *testing.T) {
	type step struct {
		in   uint16
		out  uint32
		want Verdict
	}
	for name, steps := range map[string][]step{
		"roll-over":    {{65534, 65534, Restarted}, {65535, 65535, Newest}, {0, 65536, Newest}, {1, 65537, Newest}, {65535, 65535, Older}},
		"duplicate":    {{7, 7, Restarted}, {7, 7, Older}},
		"before zero":  {{1, 1, Restarted}, {0, 0, Older}, {65535, 0, Wild}},
		"gap":          {{1, 1, Restarted}, {3000, 3000, Newest}},
		"wild one":     {{1, 1, Restarted}, {5000, 0, Wild}, {2, 2, Newest}, {5001, 0, Wild}},
		"new numbers":  {{1, 1, Restarted}, {5000, 0, Wild}, {5001, 5001, Restarted}, {5002, 5002, Newest}},
		"wild at top":  {{1, 1, Restarted}, {65000, 0, Wild}, {65535, 0, Wild}, {0, 0, Older}},
		"too old":      {{1000, 1000, Restarted}, {901, 901, Older}, {900, 0, Wild}},
		"second round": {{65535, 65535, Restarted}, {2000, 67536, Newest}, {4000, 69536, Newest}, {4000, 69536, Older}},
	} {
		var e Extender
		for i, s := range steps {
			if out, verdict := e.Extend(s.in); out != s.out || verdict != s.want {
				t.Errorf("%s, step %d: %d gave %d, %d, want %d, %d", name, i, s.in, out, verdict, s.out, s.want)
			}
		}
	}
}

// One million numbers in order come out counted.
func TestExtendFar(t *testing.T) {
	var e Extender
	for i := range uint32(1_000_000) {
		if got, _ := e.Extend(uint16(i)); got != i {
			t.Fatalf("%d gave %d", i, got)
		}
	}
}
