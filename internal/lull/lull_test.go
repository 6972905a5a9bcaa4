package lull

import (
	"slices"
	"testing"
)

// TestLook: memory is given back once when a burst is over, once more when its transactions are, and never while there is much to do or nothing has been.
func TestLook(t *testing.T) {
	const rush = 8 << 20
	for name, c := range map[string]struct {
		made []uint64 // in each interval
		want []int    // intervals at whose end memory is given back
	}{
		"idle":       {made: make([]uint64, 3*afterwards)},
		"busy":       {made: []uint64{rush, rush, rush, rush, rush, rush}},
		"burst":      {made: append([]uint64{rush, rush, rush}, make([]uint64, 3*afterwards)...), want: []int{3, 3 + afterwards}},
		"small":      {made: append([]uint64{rush}, make([]uint64, 3*afterwards)...)},
		"trickle":    {made: []uint64{quiet, rush, quiet - 1, quiet - 1}},
		"two bursts": {made: append([]uint64{rush, rush, 0, rush, rush}, make([]uint64, 2*afterwards)...), want: []int{2, 5, 5 + afterwards}},
	} {
		t.Run(name, func(t *testing.T) {
			var w watch
			sum, got := uint64(0), []int(nil)
			for i, n := range c.made {
				if sum += n; w.look(sum) {
					got = append(got, i)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("given back after %v, want %v", got, c.want)
			}
		})
	}
}
