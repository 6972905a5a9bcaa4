// Queues: who waits, and whose telephones ring for whom.

package pbx

import (
	"cmp"
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/internal/journal"
	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
)

// QueueSettings are a queue as it is kept. Queues and agents are called by the names of their lamps.
type QueueSettings struct {
	Name         string
	URI          sip.URI // by which it is called
	Title        string
	Agents       []string // in the order of the list
	Strategy     Strategy
	RingTime     time.Duration  // of one attempt; 0: DefaultQueueRingTime
	WrapUp       time.Duration  // for which an agent is left in peace after a call
	Announce     time.Duration  // how often callers are told their place; 0: never
	MaxWait      time.Duration  // 0: for ever
	MaxCallers   int            // 0: any number
	Priority     int            // whose callers agents of several queues take first: the higher one's
	ServiceLevel time.Duration  // within which a call should be answered; 0: DefaultServiceLevel
	Exit         byte           // the digit by which a caller leaves to Otherwise; 0: none
	Language     string         // "": that of the line
	Music        *session.Music // what is heard while waiting: see [Line.Hold]
	Otherwise    sip.URI        // where a caller goes who cannot wait any longer; zero: the call is ended
}

// Default values of [QueueSettings].
const (
	DefaultQueueRingTime = 20 * time.Second
	DefaultServiceLevel  = 20 * time.Second
)

// QueueDirectory says which queues there are. It must not block.
type QueueDirectory interface {
	// Queue returns a queue by its name.
	Queue(name string) (QueueSettings, bool)
	// Queues returns all of them.
	Queues() []QueueSettings
	// Reachable reports whether an agent has a telephone that can ring.
	Reachable(agent string) bool
}

// Queues are the queues of a server: the application that callers of a queue wait in. A caller is passed on by a REFER to the address of the queue with a parameter that
// [Queues.Ring] knows. Fill the exported fields before first use, call [Queues.Open], and leave them alone afterwards. Safe for use by many goroutines.
type Queues struct {
	Directory QueueDirectory
	Lamps     *Lamps // has [Queues.Changed] as listener
	Turns     *Turns
	// Journal is the file that keeps who is logged in across a restart; "": nothing is kept.
	Journal string

	mu      sync.Mutex // guards what follows
	halls   map[string]*hall
	agents  map[string]*agent
	offers  map[string]*offer // by token
	journal *journal.Journal[record]
}

// hall is a queue in which somebody waits, or has waited.
type hall struct {
	set     QueueSettings
	waiting []*waiter // who came first is first
	figures
}

// waiter is one caller.
type waiter struct {
	hall  *hall
	set   QueueSettings // of its queue when it came
	since time.Time
	tried []string // agents that were tried since all were
	offer *offer
	turn  chan struct{} // told when there is an offer
	tune  audio.Source  // goes on where it stopped
}

// offer is the attempt to bring a caller and agents together.
type offer struct {
	token  string
	agents []string
	time   time.Duration
}

// unansweredRest is how long an agent is left in peace who has not answered, so that others are tried first and one telephone that nobody hears does not ring without end.
const unansweredRest = 10 * time.Second

// hallLocked returns a queue with the settings of this moment.
func (q *Queues) hallLocked(set QueueSettings) *hall {
	h := q.halls[set.Name]
	if h == nil {
		h = &hall{}
		if q.halls == nil {
			q.halls = make(map[string]*hall)
		}
		q.halls[set.Name] = h
	}
	h.set = set
	return h
}

// enter lets a caller wait; false if the queue is full, or nobody is logged in.
func (q *Queues) enter(set QueueSettings) (*waiter, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := q.hallLocked(set)
	if set.MaxCallers > 0 && len(h.waiting) >= set.MaxCallers || q.presentLocked(h) == 0 {
		h.overflowed++
		return nil, false
	}
	w := &waiter{hall: h, set: set, since: time.Now(), turn: make(chan struct{}, 1)}
	h.waiting = append(h.waiting, w)
	q.assignLocked()
	return w, true
}

// presentLocked returns how many agents are logged in to a queue, paused ones not counted.
func (q *Queues) presentLocked(h *hall) (n int) {
	for _, name := range h.set.Agents {
		if a := q.agents[name]; a == nil || !a.paused && !slices.Contains(a.out, h.set.Name) {
			n++
		}
	}
	return n
}

// parting is why a caller waits no longer.
type parting uint8

const (
	abandoned  parting = iota // hung up
	served                    // talks to an agent
	overflowed                // was sent on
)

// leave takes a caller out of the queue.
func (q *Queues) leave(w *waiter, why parting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	h := w.hall
	i := slices.Index(h.waiting, w)
	if i < 0 {
		return
	}
	h.waiting = slices.Delete(h.waiting, i, i+1)
	q.withdrawLocked(w, 0)
	h.left(why, time.Since(w.since))
	q.assignLocked()
}

// assignLocked gives every caller whose turn it is agents that are free: those of the queue with the highest priority first, and in a queue nobody before who came earlier.
func (q *Queues) assignLocked() {
	now := time.Now()
	halls := slices.SortedFunc(maps.Values(q.halls), func(a, b *hall) int {
		return cmp.Or(b.set.Priority-a.set.Priority, a.oldest().Compare(b.oldest()), cmp.Compare(a.set.Name, b.set.Name))
	})
	for _, h := range halls {
		for _, w := range h.waiting {
			if w.offer == nil && !q.offerLocked(w, now) {
				break
			}
		}
	}
}

// oldest is when the caller came who has waited longest.
func (h *hall) oldest() time.Time {
	if len(h.waiting) == 0 {
		return time.Time{}
	}
	return h.waiting[0].since
}

// offerLocked offers a caller to agents that are free, and reports whether there are any.
func (q *Queues) offerLocked(w *waiter, now time.Time) bool {
	h := w.hall
	free := func(name string) bool { return q.stateLocked(q.agentLocked(name), h.set.Name, now) == AgentFree }
	untried := func(name string) bool { return !slices.Contains(w.tried, name) && free(name) }
	waves := q.Turns.Order(h.set.Name, h.set.Strategy, h.set.Agents, untried)
	if len(waves) == 0 {
		w.tried = nil
		if waves = q.Turns.Order(h.set.Name, h.set.Strategy, h.set.Agents, free); len(waves) == 0 {
			return false
		}
	}
	o := &offer{token: rand.Text(), agents: waves[0], time: cmp.Or(h.set.RingTime, DefaultQueueRingTime)}
	w.offer, w.tried = o, append(w.tried, o.agents...)
	if q.offers == nil {
		q.offers = make(map[string]*offer)
	}
	q.offers[o.token] = o
	for _, name := range o.agents {
		q.agentLocked(name).offer = o
	}
	select {
	case w.turn <- struct{}{}:
	default: // it has not seen the last one yet
	}
	return true
}

// withdrawLocked ends the offer to a caller; its agents rest.
func (q *Queues) withdrawLocked(w *waiter, rest time.Duration) {
	o := w.offer
	if o == nil {
		return
	}
	w.offer = nil
	delete(q.offers, o.token)
	for _, name := range o.agents {
		if a := q.agentLocked(name); a.offer == o {
			a.offer = nil
			q.restLocked(a, rest)
		}
	}
}

// called returns the offer to a caller, nil if there is none.
func (q *Queues) called(w *waiter) *offer {
	q.mu.Lock()
	defer q.mu.Unlock()
	return w.offer
}

// answered notes which agent has answered a caller, whose call is called session.
func (q *Queues) answered(w *waiter, session string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if w.offer == nil {
		return
	}
	for _, name := range w.offer.agents {
		if q.Lamps.Talks(name, session) {
			a := q.agentLocked(name)
			a.call, a.began = w.hall.set.Name, time.Now()
			a.served++
			q.Turns.Served(w.hall.set.Name, name)
			break
		}
	}
}

// missed says that nobody has answered an offer.
func (q *Queues) missed(w *waiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.withdrawLocked(w, unansweredRest)
	q.assignLocked()
}

// look looks whether there is an agent now: that a telephone has registered nobody tells.
func (q *Queues) look() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.assignLocked()
}

// Ring returns the agents that are to ring for a caller who is sent to uri by a queue, and for how long. They ring as long as the offer stands, and nowhere else than
// at their telephones: a forward of theirs is not for callers of the queue. ok is false for an offer that does not stand (any more).
func (q *Queues) Ring(uri sip.URI) (agents []sip.URI, ringTime time.Duration, ok bool) {
	token, ok := uri.Param(agentsParam)
	if !ok {
		return nil, 0, false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	o := q.offers[token]
	if o == nil {
		return nil, 0, false
	}
	for _, name := range o.agents {
		if u, err := sip.ParseURI(name); err == nil {
			agents = append(agents, u)
		}
	}
	return agents, o.time, true
}

// agentsParam is the parameter by which a REFER of a queue names an offer.
const agentsParam = "agents"
