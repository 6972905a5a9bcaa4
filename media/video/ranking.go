package video

// Who is to be looked at: those who speak, the last one first. It takes more than a cough to come first, and a moment of silence is no reason to be replaced.

import (
	"cmp"
	"slices"
	"time"
)

const (
	loud     = 50                      // -dBov: who is quieter does not speak. RFC 6464 §3
	floor    = 90                      // -dBov, below which all is the same
	fresh    = 0.25                    // share of a new level in the mean of the last ones
	margin   = 6                       // dB by which somebody who interrupts must be louder
	outburst = 500 * time.Millisecond  // how long, at least
	stay     = 1500 * time.Millisecond // how long who came first stays so, at least
)

// A Ranking orders people by who spoke last. The zero Ranking is empty. One goroutine at a time.
type Ranking[K comparable] struct {
	people []person[K]
	led    time.Time // since when the first one is first
}

type person[K comparable] struct {
	key   K
	level float64   // mean, in dB above the floor
	spoke time.Time // the last time
	since time.Time // has been louder than the first since; zero: is not
}

// Add puts somebody behind all others.
func (r *Ranking[K]) Add(k K) {
	if r.find(k) < 0 {
		r.people = append(r.people, person[K]{key: k})
	}
}

// Remove forgets somebody.
func (r *Ranking[K]) Remove(k K) {
	if i := r.find(k); i >= 0 {
		r.people = slices.Delete(r.people, i, i+1)
	}
}

func (r *Ranking[K]) find(k K) int {
	return slices.IndexFunc(r.people, func(p person[K]) bool { return p.key == k })
}

// Order returns all, who is to be looked at first.
func (r *Ranking[K]) Order() []K {
	out := make([]K, len(r.people))
	for i := range r.people {
		out[i] = r.people[i].key
	}
	return out
}

// Step takes how loud each is now, in -dBov as RFC 6464 §3 has it (127 is silence), and reports whether somebody else is first. It is called every 100 ms or so.
func (r *Ranking[K]) Step(level func(K) int, now time.Time) bool {
	for i := range r.people {
		p := &r.people[i]
		l := level(p.key)
		p.level += (float64(max(floor-l, 0)) - p.level) * fresh
		if p.level > floor-loud {
			p.spoke = now
		}
	}
	if len(r.people) < 2 {
		return false
	}
	r.rest()
	best := r.challenger(now)
	if best == 0 || now.Sub(r.led) < stay {
		return false
	}
	p := r.people[best]
	p.since = time.Time{}
	r.people = slices.Insert(slices.Delete(r.people, best, best+1), 0, p)
	r.led = now
	return true
}

// rest orders those behind the first one by when they spoke.
func (r *Ranking[K]) rest() {
	slices.SortStableFunc(r.people[1:], func(a, b person[K]) int { return cmp.Compare(b.spoke.UnixMilli()/1000, a.spoke.UnixMilli()/1000) })
}

// challenger returns who has been louder than the first for long enough, the loudest of them; 0 if nobody has.
func (r *Ranking[K]) challenger(now time.Time) int {
	first, best := &r.people[0], 0
	silent := first.level <= floor-loud
	for i := 1; i < len(r.people); i++ {
		p := &r.people[i]
		if p.level <= floor-loud || !silent && p.level < first.level+margin {
			p.since = time.Time{}
			continue
		}
		if p.since.IsZero() {
			p.since = now
		}
		if now.Sub(p.since) >= outburst && (best == 0 || p.level > r.people[best].level) {
			best = i
		}
	}
	return best
}
