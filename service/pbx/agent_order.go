// Whose turn it is: the strategies of ring groups and queues.

package pbx

import (
	"slices"
	"sync"
	"time"
)

// Strategy says in which order members ring.
type Strategy string

// The strategies.
const (
	RingAll     Strategy = "all"          // all at once
	RingInOrder Strategy = "order"        // one after the other, as they are listed
	RoundRobin  Strategy = "round-robin"  // one after the other; each call begins behind the member with whom the one before began
	LongestIdle Strategy = "longest-idle" // the one first whose last call ended first
	FewestCalls Strategy = "fewest-calls" // the one first who has answered the fewest calls of the group
)

// Turns remembers what the strategies need. The zero Turns is ready: nobody has had a call yet. Members and groups are called by the names of their lamps. Safe for use by many
// goroutines.
type Turns struct {
	mu     sync.Mutex // guards what follows; each has as many entries as there were members of groups
	began  map[string]string
	ended  map[string]time.Time
	served map[turn]int
}

// turn is a member of a group.
type turn struct{ group, member string }

// Order returns who is to ring for a call to a group, in waves: those of one at once, and the next wave when nobody has answered. Members who are not free are left out; free may be
// nil. The result may be empty.
func (t *Turns) Order(group string, s Strategy, members []string, free func(member string) bool) [][]string {
	able := make([]string, 0, len(members))
	t.mu.Lock()
	for _, m := range t.sortedLocked(group, s, members) {
		if free == nil || free(m) {
			able = append(able, m)
		}
	}
	if s == RoundRobin && len(able) > 0 {
		if t.began == nil {
			t.began = make(map[string]string)
		}
		t.began[group] = able[0]
	}
	t.mu.Unlock()
	if len(able) == 0 {
		return nil
	}
	if s == RingAll || s == "" {
		return [][]string{able}
	}
	waves := make([][]string, len(able))
	for i := range able {
		waves[i] = able[i : i+1]
	}
	return waves
}

// sortedLocked returns the members in the order of a strategy.
func (t *Turns) sortedLocked(group string, s Strategy, members []string) []string {
	sorted := slices.Clone(members)
	switch s {
	case RoundRobin:
		if i := slices.Index(sorted, t.began[group]); i >= 0 {
			sorted = append(sorted[i+1:], sorted[:i+1]...)
		}
	case LongestIdle, FewestCalls:
		if t.ended == nil {
			t.ended = make(map[string]time.Time)
		}
		for _, m := range members {
			if _, known := t.ended[m]; !known {
				t.ended[m] = time.Time{} // from now on its calls are heeded
			}
		}
		slices.SortStableFunc(sorted, func(a, b string) int {
			if s == FewestCalls {
				if d := t.served[turn{group, a}] - t.served[turn{group, b}]; d != 0 {
					return d
				}
			}
			return t.ended[a].Compare(t.ended[b])
		})
	}
	return sorted
}

// Served says that a member has answered a call of a group.
func (t *Turns) Served(group, member string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.served == nil {
		t.served = make(map[turn]int)
	}
	t.served[turn{group, member}]++
}

// Changed is told how many calls a lamp shows: it belongs to the listeners of [Lamps].
func (t *Turns) Changed(name string, calls int) {
	if calls > 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, member := t.ended[name]; member {
		t.ended[name] = time.Now()
	}
}
