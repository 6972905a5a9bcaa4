// A histogram of durations: linear within each power of two, so that every value is known to within one percent.

package load

import (
	"math/bits"
	"time"
)

const (
	// fine is how many bits of a value are kept.
	fine = 7
	// octaves is how many powers of two there are above the linear part; longer values count as the longest, 73 minutes.
	octaves = 42 - fine
	buckets = (octaves + 1) << fine
)

// histogram counts durations. The zero value is empty.
type histogram struct {
	counts [buckets]uint64
	total  uint64
	max    time.Duration
}

// record counts one duration; negative ones count as none.
func (h *histogram) record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(d)]++
	h.total++
	h.max = max(h.max, d)
}

func bucketOf(d time.Duration) int {
	v := min(uint64(d), 1<<(octaves+fine)-1)
	shift := max(bits.Len64(v)-fine-1, 0)
	return shift<<fine + int(v>>shift)
}

// ceiling is the longest duration of a bucket.
func ceiling(bucket int) time.Duration {
	shift := max(bucket>>fine-1, 0)
	v := uint64(bucket-shift<<fine) << shift
	return time.Duration(v + 1<<shift - 1)
}

// quantile returns the duration that a share q of the values does not exceed, 0 if there are none.
func (h *histogram) quantile(q float64) time.Duration {
	if h.total == 0 {
		return 0
	}
	rank, seen := uint64(q*float64(h.total)+0.5), uint64(0)
	rank = max(rank, 1)
	for i, n := range h.counts {
		if seen += n; seen >= rank {
			return min(ceiling(i), h.max)
		}
	}
	return h.max
}

// percentiles gives what is reported of a histogram.
func (h *histogram) percentiles() Percentiles {
	return Percentiles{P50: micro(h.quantile(0.5)), P90: micro(h.quantile(0.9)), P99: micro(h.quantile(0.99)), P999: micro(h.quantile(0.999)), Max: micro(h.max)}
}

// micro gives a duration in microseconds.
func micro(d time.Duration) float64 { return float64(d.Nanoseconds()/100) / 10 }
