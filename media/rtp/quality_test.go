package rtp

import (
	"math"
	"testing"
	"time"
)

// TestQuality: RFC 3611 §4.7.5; the values follow from the formulas of G.107 by hand.
func TestQuality(t *testing.T) {
	for _, c := range []struct {
		loss              float64
		roundTrip, jitter time.Duration
		r, mos            float64
	}{
		{0, 0, 0, 92.72, 4.40},
		{0.01, 40 * time.Millisecond, 5 * time.Millisecond, 88.36, 4.30},
		{0.05, 0, 0, 76.94, 3.91},
		{0, 800 * time.Millisecond, 0, 56.41, 2.91},
		{1, 0, 0, 16.79, 1.16},
		{7, time.Hour, 0, 0, 1},
	} {
		r := R(c.loss, c.roundTrip, c.jitter)
		if mos := MOS(r); math.Abs(r-c.r) > 0.02 || math.Abs(mos-c.mos) > 0.02 {
			t.Errorf("loss %v, round trip %v, jitter %v: R %.2f, MOS %.2f; want %.2f, %.2f", c.loss, c.roundTrip, c.jitter, r, mos, c.r, c.mos)
		}
	}
	if MOS(120) != 4.5 {
		t.Error("MOS beyond the scale")
	}
}
