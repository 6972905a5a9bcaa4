// The log of changes: how a running server learns what another process did to the database. A writer notes in its transaction whom it changed; a
// reader asks for what is newer than the last it has seen.

package store

import (
	"context"
	"database/sql"
	"fmt"
)

// keptChanges is how many notes are kept. A reader further behind reads everything again.
const keptChanges = 10_000

// change is one note; an empty user means everything.
type change struct {
	seq                int64
	domain, kind, user string // kind is that of an object; empty for a user
}

// note says that users of domain have changed.
func note(ctx context.Context, tx *sql.Tx, domain string, users ...string) error {
	return noteObject(ctx, tx, domain, "", users...)
}

// noteObject says that objects of a kind have changed; of the kind "" they are users.
func noteObject(ctx context.Context, tx *sql.Tx, domain, kind string, names ...string) error {
	for _, name := range names {
		if _, err := tx.ExecContext(ctx, "INSERT INTO changes (seq, domain, kind, sip_user) SELECT coalesce(max(seq), 0) + 1, $1, $2, $3 FROM changes", domain, kind, name); err != nil {
			return fmt.Errorf("store: note a change: %w", err)
		}
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM changes WHERE seq <= (SELECT max(seq) FROM changes) - $1", keptChanges); err != nil {
		return fmt.Errorf("store: forget old changes: %w", err)
	}
	return nil
}

// noteAll says that so much has changed that everything is to be read again.
func noteAll(ctx context.Context, tx *sql.Tx) error { return note(ctx, tx, "", "") }

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
