// Agents: who takes the calls of queues, and whether they can take one now.

package pbx

import (
	"slices"
	"time"
)

// agent is the state of one agent in all queues. [Queues] guards it.
type agent struct {
	name   string
	out    []string  // queues of which it has logged out
	paused bool      // by itself: it takes no calls, and stays in its queues
	rest   time.Time // until then it is left in peace: wrap-up, or it has just not answered
	offer  *offer    // for which its telephones ring
	call   string    // the queue whose call it is in; "" for none
	began  time.Time // that call
	served int
	last   time.Time // when its last call of a queue ended
}

// AgentState says what an agent is doing.
type AgentState string

// The states of an agent in a queue.
const (
	AgentOut     AgentState = "logged out"
	AgentPaused  AgentState = "paused"
	AgentAway    AgentState = "no telephone"
	AgentRinging AgentState = "ringing"
	AgentTalking AgentState = "talking" // with a caller of a queue
	AgentBusy    AgentState = "busy"    // in another call
	AgentWrapUp  AgentState = "wrapping up"
	AgentFree    AgentState = "free"
)

// AgentStates returns all of them.
func AgentStates() []AgentState {
	return []AgentState{AgentOut, AgentPaused, AgentAway, AgentRinging, AgentTalking, AgentBusy, AgentWrapUp, AgentFree}
}

// stateLocked is what an agent is doing as far as a queue is concerned.
func (q *Queues) stateLocked(a *agent, queue string, now time.Time) AgentState {
	switch {
	case slices.Contains(a.out, queue):
		return AgentOut
	case a.paused:
		return AgentPaused
	case a.call != "":
		return AgentTalking
	case a.offer != nil:
		return AgentRinging
	case q.Lamps.Calls(a.name) > 0:
		return AgentBusy
	case !q.Directory.Reachable(a.name):
		return AgentAway
	case now.Before(a.rest):
		return AgentWrapUp
	}
	return AgentFree
}

// agentLocked returns the state of an agent, which begins to be kept.
func (q *Queues) agentLocked(name string) *agent {
	a := q.agents[name]
	if a == nil {
		a = &agent{name: name}
		if q.agents == nil {
			q.agents = make(map[string]*agent)
		}
		q.agents[name] = a
	}
	return a
}

// Login logs an agent in to a queue, or out of it, and reports whether it is an agent of that queue.
func (q *Queues) Login(name, queue string, in bool) bool {
	set, ok := q.Directory.Queue(queue)
	if !ok || !slices.Contains(set.Agents, name) {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.loginLocked(name, queue, in)
	q.noteLocked(record{Agent: name, Queue: queue, In: in})
	q.assignLocked()
	return true
}

func (q *Queues) loginLocked(name, queue string, in bool) {
	a := q.agentLocked(name)
	a.out = slices.DeleteFunc(a.out, func(s string) bool { return s == queue })
	if !in {
		a.out = append(a.out, queue)
	}
}

// Pause lets an agent take no calls until it is taken back.
func (q *Queues) Pause(name string, on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.agentLocked(name).paused = on
	q.noteLocked(record{Agent: name, Paused: on})
	q.assignLocked()
}

// Memberships returns the queues of which somebody is an agent, and of these the ones it is logged in to.
func (q *Queues) Memberships(name string) (all, in []string) {
	sets := q.Directory.Queues()
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, set := range sets {
		if !slices.Contains(set.Agents, name) {
			continue
		}
		all = append(all, set.Name)
		if a := q.agents[name]; a == nil || !slices.Contains(a.out, set.Name) {
			in = append(in, set.Name)
		}
	}
	return all, in
}

// Paused reports whether an agent has paused.
func (q *Queues) Paused(name string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	a := q.agents[name]
	return a != nil && a.paused
}

// Changed is told how many calls a lamp shows: it belongs to the listeners of [Lamps]. An agent that has ended a call of a queue is left in peace for a while.
func (q *Queues) Changed(name string, calls int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	a := q.agents[name]
	if a == nil || calls > 0 {
		return
	}
	if a.call != "" {
		now := time.Now()
		if h := q.halls[a.call]; h != nil {
			h.talked(now.Sub(a.began))
			q.restLocked(a, h.set.WrapUp)
		}
		a.call, a.last = "", now
	}
	q.assignLocked()
}

// restLocked leaves an agent in peace for a while.
func (q *Queues) restLocked(a *agent, d time.Duration) {
	if d <= 0 {
		return
	}
	if until := time.Now().Add(d); until.After(a.rest) {
		a.rest = until
	}
	time.AfterFunc(d, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.assignLocked()
	})
}
