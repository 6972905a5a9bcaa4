package video

// How much a receiver can take: what it says of it, and what it loses. A receiver's estimate cannot be far above what it gets, so the budget grows by itself as long as
// nothing goes wrong, and whoever comes to grief by that tries it again later and later.

import "time"

const (
	firstRate  = 1_000_000 // bit/s, before anything is known
	leastRate  = 50_000
	leastGuess = 300_000 // below which losses alone do not bring it: they may have another cause than what is sent
	mostRate   = 20_000_000
	growth     = 1.08            // a second: draft-ietf-rmcat-gcc §6 grows so
	heavyLoss  = 0.10            // at which less is sent: the same
	tolerance  = 1.1             // an estimate that is less below what is sent says nothing
	slightLoss = 0.02            // up to which more is: the same
	firstPause = 5 * time.Second // without growth after a congestion
	mostPause  = time.Minute
	calm       = 15 * time.Second // after which a congestion is the first again
	step       = time.Second      // between two changes
)

// A Budget estimates what a receiver can take, for all streams to it together. The zero Budget is ready. One goroutine at a time.
type Budget struct {
	rate  float64
	grown time.Time     // last growth, or the beginning of a pause
	pause time.Duration // the last one
	grief time.Time     // last congestion
	lost  bool          // more than slightLoss by the last report
}

// Rate returns the budget in bit/s.
func (b *Budget) Rate() int {
	if b.rate == 0 {
		return firstRate
	}
	return int(b.rate)
}

// Estimate takes what the receiver says that it can take (REMB, in bit/s), while sent bit/s are sent to it.
func (b *Budget) Estimate(rate uint64, sent int, now time.Time) {
	limit := float64(min(rate, mostRate))
	if limit*tolerance >= float64(sent) {
		b.rate = max(float64(b.Rate()), limit)
		return
	}
	b.shrink(limit, now)
}

// Lost takes the share of packets that were lost since the last report, 0 to 1, while sent bit/s were sent.
func (b *Budget) Lost(share float64, sent int, now time.Time) {
	b.lost = share > slightLoss
	if share > heavyLoss {
		b.shrink(max(min(float64(b.Rate()), float64(sent))*(1-share/2), leastGuess), now)
	}
}

// shrink follows a congestion. Only one that growth may have brought about makes the pauses longer: a bad minute is no more than a bad second.
func (b *Budget) shrink(to float64, now time.Time) {
	if now.Sub(b.grief) < step && to >= b.rate {
		return
	}
	switch {
	case now.Before(b.grown): // the same one: nothing has grown since
	case b.grief.IsZero() || now.Sub(b.grief) > b.pause+calm:
		b.pause = firstPause
	default:
		b.pause = min(2*b.pause, mostPause)
	}
	b.grief, b.grown = now, now.Add(b.pause)
	b.rate = max(min(to, float64(b.Rate())), leastRate)
}

// Grow lets the budget grow with the time; it is called every now and then while something is sent.
func (b *Budget) Grow(now time.Time) {
	if b.grown.IsZero() {
		b.grown = now
	}
	if b.lost || now.Sub(b.grown) < step {
		return
	}
	b.grown = now
	b.rate = min(float64(b.Rate())*growth, mostRate)
}
