package bench

import (
	"testing"
	"time"
)

// TestFigures: a bar never leaves its frame, and figures have no digits that mean nothing.
func TestFigures(t *testing.T) {
	const empty, half, full = "░░░░░░░░░░░░░░░░░░░░░░░░", "████████████░░░░░░░░░░░░", "████████████████████████"
	for _, c := range []struct{ got, want string }{
		{bar(0, 0), empty}, {bar(-time.Second, time.Minute), empty}, {bar(30*time.Second, time.Minute), half}, {bar(time.Hour, time.Minute), full},
		{count(0.25), "0.2"}, {count(9), "9"}, {count(4321.7), "4322"},
		{latency(999), "999 µs"}, {latency(1500), "1.5 ms"}, {latency(123_456), "123 ms"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
