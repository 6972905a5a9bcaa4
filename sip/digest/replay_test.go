package digest

import (
	"sync"
	"sync/atomic"
	"testing"
)

func TestReplay(t *testing.T) {
	r := newReplay(1) // one set of eight
	a, b := r.start+1, r.start+2
	late := r.start + 100
	for i, step := range []struct {
		stamp stamp
		count uint32
		want  bool
	}{
		{r.start - 1, 1, false}, // from before the start
		{a, 0, false},
		{a, 1, true},
		{a, 1, false}, // replayed
		{a, 3, true},
		{a, 2, true}, // overtaken on the way
		{a, 2, false},
		{a, 3, false},
		{a, 200, true},
		{a, 137, true},  // the oldest in the window
		{a, 136, false}, // behind it
		{a, 3, false},
		{a, 1<<32 - 1, true},
		{a, 1<<32 - 1, false},
		{late, 1, true},
		{b, 1, true}, // given before, used after
		{b, 1, false},
		{late + 1, 1, true},
		{late + 2, 1, true},
		{late + 3, 1, true},
		{late + 4, 1, true},
		{late + 5, 1, true},
		{a, 1, false},
		{late + 6, 1, true}, // takes the place of a
		{a, 1, false},       // forgotten, so never again
		{a, 2, false},
		{a - 1, 1, false}, // earlier than a
		{b, 2, true},
		{b + 1, 1, true}, // takes the place of b
		{b, 3, false},
		{late + 7, 1, true},
		{b + 1, 2, false},
		{b + 2, 1, false}, // earlier than all that are there
	} {
		if got := r.use(step.stamp, step.count); got != step.want {
			t.Errorf("step %d: use(%d, %d) is %t", i, step.stamp-r.start, step.count, got)
		}
	}
}

func TestReplayAcceptsEachCountOnce(t *testing.T) {
	r := newReplay(8)
	var accepted atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for count := range uint32(50) {
				if r.use(r.start+7, count+1) {
					accepted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := accepted.Load(); n != 50 {
		t.Errorf("%d uses accepted, want 50", n)
	}
}
