// Who is logged in, on disk: a line for each change, so that a restart changes nothing for the agents.

package pbx

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
)

// record is a line of the journal: an agent logs in to a queue or out of it, or, without a queue, pauses or comes back.
type record struct {
	Agent  string `json:"agent"`
	Queue  string `json:"queue,omitempty"`
	In     bool   `json:"in,omitempty"`
	Paused bool   `json:"paused,omitempty"`
}

// agentJournal is the file. A nil journal keeps nothing.
type agentJournal struct {
	file *os.File
	err  error // why the last line is not in it
}

// Open reads who was logged in, and keeps it from now on.
func (q *Queues) Open() error {
	if q.Journal == "" {
		return nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := q.readLocked(); err != nil {
		return fmt.Errorf("pbx: read the agents: %w", err)
	}
	j, err := q.rewriteLocked()
	if err != nil {
		return fmt.Errorf("pbx: keep the agents: %w", err)
	}
	q.journal = j
	return nil
}

// readLocked takes what the journal says. A line that was not written whole is the last one, and is left out.
func (q *Queues) readLocked() error {
	f, err := os.Open(q.Journal)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r record
		if json.Unmarshal(lines.Bytes(), &r) != nil || r.Agent == "" {
			continue
		}
		if r.Queue != "" {
			q.loginLocked(r.Agent, r.Queue, r.In)
		} else {
			q.agentLocked(r.Agent).paused = r.Paused
		}
	}
	return lines.Err()
}

// rewriteLocked writes a new journal that says what is so, and nothing that was.
func (q *Queues) rewriteLocked() (*agentJournal, error) {
	f, err := os.OpenFile(q.Journal+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	j := &agentJournal{file: f}
	for _, name := range slices.Sorted(maps.Keys(q.agents)) {
		a := q.agents[name]
		for _, queue := range a.out {
			j.write(record{Agent: name, Queue: queue})
		}
		if a.paused {
			j.write(record{Agent: name, Paused: true})
		}
	}
	if err := errors.Join(j.err, f.Sync()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if err := os.Rename(q.Journal+".new", q.Journal); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return j, nil
}

// write adds a line. It is in the memory of the kernel when it returns, and survives the end of the program.
func (j *agentJournal) write(r record) {
	if j == nil {
		return
	}
	line, err := json.Marshal(r)
	if err == nil {
		_, err = j.file.Write(append(line, '\n'))
	}
	j.err = err
}

// Close ends the journal, and says whether all of it was written.
func (q *Queues) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	j := q.journal
	if j == nil {
		return nil
	}
	q.journal = nil
	return errors.Join(j.err, j.file.Sync(), j.file.Close())
}
