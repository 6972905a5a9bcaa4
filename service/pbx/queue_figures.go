// What is known of a queue: for metrics, for who asks how things stand, and for callers who want to know how long it takes.

package pbx

import (
	"cmp"
	"slices"
	"time"
)

// figures are what has happened in a queue since the start.
type figures struct {
	taken, gone, overflowed, inTime int
	waitTime, talkTime              time.Duration // all together
	talks                           int
	usual                           time.Duration // how long a call takes, the later ones weighing more
}

// firstGuess is how long a call is taken to last before there was one.
const firstGuess = 3 * time.Minute

// left counts a caller who does not wait any more.
func (h *hall) left(why parting, waited time.Duration) {
	switch why {
	case served:
		h.taken++
		h.waitTime += waited
		if waited <= cmp.Or(h.set.ServiceLevel, DefaultServiceLevel) {
			h.inTime++
		}
	case abandoned:
		h.gone++
	case overflowed:
		h.overflowed++
	}
}

// talked counts a call that an agent has ended.
func (h *hall) talked(d time.Duration) {
	h.talks++
	h.talkTime += d
	if h.usual == 0 {
		h.usual = firstGuess
	}
	h.usual += (d - h.usual) / 4
}

// QueueStatus is how things stand in a queue.
type QueueStatus struct {
	Name       string
	Title      string
	Waiting    int
	Longest    time.Duration // of those who wait
	Served     int           // since the start of the server, as all below
	Abandoned  int           // hung up while they waited
	Overflowed int           // were sent elsewhere
	InTime     int           // of the served, within the service level
	Wait       time.Duration // of the served
	Talk       time.Duration
	Agents     []AgentStatus
}

// AgentStatus is how things stand with an agent of a queue.
type AgentStatus struct {
	Name   string
	State  AgentState
	Served int // calls of all queues
	Last   time.Time
}

// Level is the share of calls that were answered within the service level, of all that were answered or given up; 1 if there were none.
func (s *QueueStatus) Level() float64 {
	if s.Served+s.Abandoned == 0 {
		return 1
	}
	return float64(s.InTime) / float64(s.Served+s.Abandoned)
}

// Status returns how things stand in all queues, in the order of their names.
func (q *Queues) Status() []QueueStatus {
	sets := q.Directory.Queues()
	slices.SortFunc(sets, func(a, b QueueSettings) int { return cmp.Compare(a.Name, b.Name) })
	all := make([]QueueStatus, 0, len(sets))
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, set := range sets {
		h := q.hallLocked(set)
		s := QueueStatus{Name: set.Name, Title: set.Title, Waiting: len(h.waiting), Served: h.taken, Abandoned: h.gone, Overflowed: h.overflowed, InTime: h.inTime,
			Wait: h.waitTime / time.Duration(max(h.taken, 1)), Talk: h.talkTime / time.Duration(max(h.talks, 1))}
		if len(h.waiting) > 0 {
			s.Longest = now.Sub(h.oldest())
		}
		for _, name := range set.Agents {
			a := q.agentLocked(name)
			s.Agents = append(s.Agents, AgentStatus{name, q.stateLocked(a, set.Name, now), a.served, a.last})
		}
		all = append(all, s)
	}
	return all
}

// place returns the place of a caller, 1 for the next, and how long it is expected to take: each agent who is there ends a call as often as usual, and wraps it up.
func (q *Queues) place(w *waiter) (place int, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := w.hall
	place = slices.Index(h.waiting, w) + 1
	each := cmp.Or(h.usual, firstGuess) + h.set.WrapUp
	return place, each * time.Duration(place) / time.Duration(max(q.presentLocked(h), 1))
}

// stays reports whether a caller may wait on: whether anybody is logged in.
func (q *Queues) stays(w *waiter) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.presentLocked(w.hall) > 0
}
