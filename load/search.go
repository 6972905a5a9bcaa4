// The search for the highest rate that a server sustains.

package load

import (
	"context"
	"errors"
	"time"
)

// ErrNoCleanRate: not even a low rate was clean.
var ErrNoCleanRate = errors.New("load: no rate was clean")

const (
	probeWindow = 4 * time.Second
	probeWarmup = 2 * time.Second
	probeGrace  = 5 * time.Second
	probePause  = time.Second
	upsetPause  = 4 * time.Second // after a rate that was not clean: what was lost is still sent again
	mostProbes  = 14
	mostChecks  = 6
)

// Search looks for the highest rate that is [Result.Clean], beginning with that of the plan, and returns the result of the plan's whole window at it. Short probes close in on it to
// within six percent. probed is told of each run. The error is ErrNoCleanRate, or what kept a run from starting.
func Search(ctx context.Context, p Plan, probed func(*Result)) (*Result, error) {
	warmup, window := p.Warmup, p.Window
	p.Grace = probeGrace
	var failed error
	var last *Result
	try := func(rate float64) bool {
		p.Rate = rate
		last, failed = (&Run{Plan: p}).Do(ctx)
		if failed == nil {
			failed = ctx.Err()
		}
		if failed != nil {
			return false
		}
		probed(last)
		if !last.Clean() {
			wait(ctx, upsetPause)
			return false
		}
		wait(ctx, probePause)
		return true
	}
	p.Warmup, p.Window = min(warmup, probeWarmup), min(window, probeWindow)
	rate := closeIn(p.Rate, func(rate float64) (clean, on bool) {
		clean = try(rate)
		return clean, failed == nil
	})
	p.Warmup, p.Window = warmup, window
	for range mostChecks {
		if failed != nil || rate <= 0 {
			break
		}
		if try(rate) {
			return last, nil
		}
		rate *= 0.95
	}
	if failed != nil {
		return nil, failed
	}
	return nil, ErrNoCleanRate
}

// closeIn finds the highest rate that is clean: upwards in steps of 30 percent, downwards of 40, then by halving what is left until that is six percent. on is false when the search is to end.
// It returns 0 if none was clean.
func closeIn(rate float64, try func(rate float64) (clean, on bool)) float64 {
	low, high := 0.0, 0.0
	for range mostProbes {
		clean, on := try(rate)
		if !on {
			return 0
		}
		if clean {
			low = rate
		} else {
			high = rate
		}
		switch {
		case high == 0:
			rate *= 1.3
		case low == 0:
			rate *= 0.6
		case high < 1.06*low:
			return low
		default:
			rate = (low + high) / 2
		}
	}
	return low
}

// wait lets time pass, less if ctx ends.
func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
