package digest

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestReplay(t *testing.T) {
	r := newReplay(1) // one set of eight
	a, b := r.start+1, r.start+2
	late := r.start + 100
	for i, step := range []struct {
		stamp stamp
		count uint32
		want  use
	}{
		{r.start - 1, 1, used}, // from before the start
		{a, 0, used},
		{a, 1, fresh},
		{a, 1, used}, // replayed
		{a, 3, fresh},
		{a, 2, fresh}, // overtaken on the way
		{a, 2, used},
		{a, 3, used},
		{a, 200, fresh},
		{a, 137, fresh}, // the oldest in the window
		{a, 136, used},  // behind it
		{a, 3, used},
		{a, 1<<32 - 1, fresh},
		{a, 1<<32 - 1, used},
		{late, 1, fresh},
		{b, 1, fresh}, // given before, used after
		{b, 1, used},
		{late + 1, 1, fresh},
		{late + 2, 1, fresh},
		{late + 3, 1, fresh},
		{late + 4, 1, fresh},
		{late + 5, 1, fresh},
		{a, 1, used},
		{late + 6, 1, fresh}, // takes the place of a
		{a, 1, used},         // forgotten, so never again
		{a, 2, used},
		{a - 1, 1, used}, // earlier than a
		{b, 2, fresh},
		{b + 1, 1, fresh}, // takes the place of b
		{b, 3, used},
		{late + 7, 1, fresh},
		{b + 1, 2, used},
		{b + 2, 1, used}, // earlier than all that are there
	} {
		if got := r.use(step.stamp, step.count, print(i+1)<<clockBits); got != step.want {
			t.Errorf("step %d: use(%d, %d) is %d", i, step.stamp-r.start, step.count, got)
		}
	}
}

// A copy comes with the same fingerprint, soon, and before a higher count.
func TestReplayCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReplay(1)
		s := r.start + 1
		for i, step := range []struct {
			count uint32
			hash  uint64
			after time.Duration
			want  use
		}{
			{1, 7, 0, fresh},
			{1, 7, time.Second, copied},
			{1, 8, 0, used},
			{1, 7 + 1<<43, 0, used},
			{2, 7, 0, fresh},
			{1, 7, 0, used}, // a later one has come since
			{2, 7, copyWindow - time.Second, copied},
			{2, 7, time.Second, used}, // too late
			{1<<32 - 1, 9, 0, fresh},
			{1<<32 - 1, 9, 0, copied},
		} {
			time.Sleep(step.after)
			if got := r.use(s, step.count, newPrint(step.hash, time.Now())); got != step.want {
				t.Errorf("step %d: use(%d) by %d is %d", i, step.count, step.hash, got)
			}
		}
	})
}

// Nonces made one after the other share a set.
func TestReplayNeighbours(t *testing.T) {
	r := newReplay(1 << 10)
	for i := range stamp(1 << 10) {
		if got := r.use(r.start+1<<countBits*i+i, 1, print(i)); got != fresh {
			t.Fatalf("nonce %d is %d", i, got)
		}
	}
	for i := range stamp(1 << 10) {
		if got := r.use(r.start+1<<countBits*i+i, 1, print(i+1)<<clockBits); got != used {
			t.Fatalf("nonce %d is forgotten: %d", i, got)
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
				if r.use(r.start+7, count+1, print(count)<<clockBits) == fresh {
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
