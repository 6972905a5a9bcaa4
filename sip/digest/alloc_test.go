// What every request costs is measured without the race detector, which lets pools forget.

//go:build !race

package digest

import "testing"

func TestAllocations(t *testing.T) {
	a, bare, proof := registration(t)
	if n := testing.AllocsPerRun(100, func() { a.HandleEvent(bare) }); n != 0 {
		t.Errorf("a challenge allocates %v times", n)
	}
	if n := testing.AllocsPerRun(100, func() { a.HandleEvent(proof) }); n != 0 {
		t.Errorf("a proof allocates %v times", n)
	}
	if c := a.Counts(); c.Challenged < 100 || c.Proved < 100 {
		t.Errorf("counts: %+v", c)
	}
}
