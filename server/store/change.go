// The log of changes: how a running server learns what another process did to the database. A writer notes in its transaction whom it changed; a
// reader asks for what is newer than the last it has seen.

package store

import (
	"context"
	"fmt"
	"sync"
)

// keptChanges is how many notes are kept. A reader further behind reads everything again.
const keptChanges = 10_000

// change is one note; an empty user means everything.
type change struct {
	seq                int64
	domain, kind, user string // kind is that of an object; empty for a user
}

// note says that users of domain have changed.
func (t *transaction) note(domain string, users ...string) { t.noteObject(domain, "", users...) }

// noteObject says that objects of a kind have changed; of the kind "" they are users.
func (t *transaction) noteObject(domain, kind string, names ...string) {
	if t.noted == nil {
		t.noted = make(map[change]bool)
	}
	for _, name := range names {
		if c := (change{domain: domain, kind: kind, user: name}); !t.noted[c] {
			t.noted[c] = true
			t.notes = append(t.notes, c)
		}
	}
}

// noteAll says that so much has changed that everything is to be read again.
func (t *transaction) noteAll() { t.note("", "") }

// manyNotes is from how many notes on a reader reads everything again sooner than one after the other.
const manyNotes = keptChanges / 10

// writeNotes writes what was noted: the last thing that a transaction does.
func (t *transaction) writeNotes(ctx context.Context) error {
	if len(t.notes) == 0 {
		return nil
	}
	if len(t.notes) > manyNotes {
		t.notes = []change{{}}
	}
	for _, c := range t.notes {
		if _, err := t.ExecContext(ctx, "INSERT INTO changes (seq, domain, kind, sip_user) SELECT coalesce(max(seq), 0) + 1, $1, $2, $3 FROM changes", c.domain, c.kind, c.user); err != nil {
			return fmt.Errorf("store: note a change: %w", err)
		}
	}
	if _, err := t.ExecContext(ctx, "DELETE FROM changes WHERE seq <= (SELECT max(seq) FROM changes) - $1", keptChanges); err != nil {
		return fmt.Errorf("store: forget old changes: %w", err)
	}
	return nil
}

// lastChange returns the number of the newest note, 0 if there is none.
func (s *Store) lastChange(ctx context.Context) (seq int64, err error) {
	if err := s.db.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM changes").Scan(&seq); err != nil {
		return 0, fmt.Errorf("store: read changes: %w", err)
	}
	return seq, nil
}

// changesSince returns the notes after seq, oldest first; all is true if some of them are already forgotten or one of them means everything.
func (s *Store) changesSince(ctx context.Context, seq int64) (cs []change, all bool, err error) {
	rows, err := s.db.QueryContext(ctx, "SELECT seq, domain, kind, sip_user FROM changes WHERE seq > $1 ORDER BY seq", seq)
	if err != nil {
		return nil, false, fmt.Errorf("store: read changes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var c change
		if err := rows.Scan(&c.seq, &c.domain, &c.kind, &c.user); err != nil {
			return nil, false, fmt.Errorf("store: read changes: %w", err)
		}
		all = all || c.kind == "" && c.user == "" || c.seq != seq+int64(len(cs))+1
		cs = append(cs, c)
	}
	return cs, all, rows.Err()
}

// written is what a store has changed, for a command that tells the running server of it.
type written struct {
	mu    sync.Mutex
	some  bool
	all   bool // so much that it is not kept in detail
	names map[Name]bool
}

// Name names an object of a domain.
type Name struct {
	Domain string `json:"domain"`
	Kind   string `json:"kind"`
	Name   string `json:"name"`
}

// add keeps what was noted in a transaction that is committed.
func (w *written) add(notes []change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.some = true
	if w.names == nil {
		w.names = make(map[Name]bool)
	}
	for _, c := range notes {
		if w.all = w.all || c == (change{}); w.all || len(w.names) >= manyNotes {
			w.all, w.names = true, nil
			return
		}
		if c.kind != "" {
			w.names[Name{c.domain, c.kind, c.user}] = true
		}
	}
}

// Changed reports whether something was changed by this store of which running servers want to know.
func (s *Store) Changed() bool {
	s.written.mu.Lock()
	defer s.written.mu.Unlock()
	return s.written.some
}

// ChangedObjects returns the objects of a kind that this store has changed, in no order; all says that there were too many to know.
func (s *Store) ChangedObjects(kind string) (names []Name, all bool) {
	s.written.mu.Lock()
	defer s.written.mu.Unlock()
	for n := range s.written.names {
		if n.Kind == kind {
			names = append(names, n)
		}
	}
	return names, s.written.all
}
