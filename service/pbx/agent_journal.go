// Who is logged in, on disk: a line for each change, so that a restart changes nothing for the agents.

package pbx

import (
	"fmt"
	"maps"
	"slices"

	"github.com/sipwerk/sipwerk/internal/journal"
)

// record is a line of the journal: an agent logs in to a queue or out of it, or, without a queue, pauses or comes back.
type record struct {
	Agent  string `json:"agent"`
	Queue  string `json:"queue,omitempty"`
	In     bool   `json:"in,omitempty"`
	Paused bool   `json:"paused,omitempty"`
}

// Open reads who was logged in, and keeps it from now on.
func (q *Queues) Open() (err error) {
	if q.Journal == "" {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := journal.Read(q.Journal, q.recallLocked); err != nil {
		return fmt.Errorf("pbx: read the agents: %w", err)
	}
	if q.journal, err = journal.Rewrite(q.Journal, q.recordsLocked); err != nil {
		return fmt.Errorf("pbx: keep the agents: %w", err)
	}
	return nil
}

// recallLocked takes a line of the journal.
func (q *Queues) recallLocked(r record) {
	switch {
	case r.Agent == "":
	case r.Queue != "":
		q.loginLocked(r.Agent, r.Queue, r.In)
	default:
		q.agentLocked(r.Agent).paused = r.Paused
	}
}

// recordsLocked yields what is so, and nothing that was.
func (q *Queues) recordsLocked(yield func(record) bool) {
	for _, name := range slices.Sorted(maps.Keys(q.agents)) {
		a := q.agents[name]
		for _, queue := range a.out {
			if !yield(record{Agent: name, Queue: queue}) {
				return
			}
		}
		if a.paused && !yield(record{Agent: name, Paused: true}) {
			return
		}
	}
}

// noteLocked keeps a change.
func (q *Queues) noteLocked(r record) { q.journal.Add(slices.Values([]record{r})) }

// Close ends the journal, and says whether all of it was written.
func (q *Queues) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	j := q.journal
	q.journal = nil
	return j.Close()
}
