// Objects: groups, queues, trunks and their like. All are rows of one table; what is in a row only package object knows.

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/sipwerk/sipwerk/server/object"
)

// ObjectChange is what an edit does to one object.
type ObjectChange struct {
	Kind   *object.Kind
	Name   string
	Before object.Object // nil: it is added
	After  object.Object // nil: it is removed
}

// Settings reads the objects of a domain.
func (s *Store) Settings(ctx context.Context, domain string) (*object.Settings, error) {
	d, err := s.Domain(ctx, domain)
	if err != nil {
		return nil, err
	}
	set, _, err := readSettings(ctx, s.db, d.Name)
	return set, err
}

// Edit changes the objects of a domain: f gets all of them, its own, and puts and removes what it likes, or changes them. Then what differs is checked, with what it refers to, and
// written in one transaction, and the changes come back. An error of f, or an [*object.Error], leaves everything as it was.
func (s *Store) Edit(ctx context.Context, domain string, f func(*object.Settings) error) (changes []ObjectChange, err error) {
	d, err := s.Domain(ctx, domain)
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, func(tx *sql.Tx) error {
		changes, err = s.edit(ctx, tx, d.Name, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	return changes, nil
}

// edit is Edit in a transaction.
func (s *Store) edit(ctx context.Context, tx *sql.Tx, domain string, f func(*object.Settings) error) ([]ObjectChange, error) {
	set, before, err := readSettings(ctx, tx, domain)
	if err != nil {
		return nil, err
	}
	if err := f(set); err != nil {
		return nil, err
	}
	changes, err := difference(before, set)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		if c.After == nil {
			continue
		}
		if err := c.After.Check(); err != nil {
			return nil, err
		}
	}
	faults, err := set.Check(namesIn(ctx, tx, domain), touched(changes))
	if err != nil {
		return nil, err
	}
	if len(faults) > 0 {
		return nil, faults[0]
	}
	return changes, s.write(ctx, tx, domain, changes)
}

// touched says which objects an edit has to look at: those that it changes, or all if something is gone to which others may refer.
func touched(changes []ObjectChange) func(object.Object) bool {
	changed := make(map[object.Object]bool, len(changes))
	for _, c := range changes {
		if c.After == nil {
			return nil
		}
		changed[c.After] = true
	}
	return func(o object.Object) bool { return changed[o] }
}

// objectKey names a row of a domain.
type objectKey struct{ kind, name string }

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// readSettings reads the objects of a domain, and their rows.
func readSettings(ctx context.Context, q queryer, domain string) (*object.Settings, map[objectKey]string, error) {
	rows, err := q.QueryContext(ctx, "SELECT kind, name, value FROM objects WHERE domain = $1", domain)
	if err != nil {
		return nil, nil, fmt.Errorf("store: read objects: %w", err)
	}
	defer rows.Close()
	set, values := &object.Settings{Domain: domain}, make(map[objectKey]string)
	for rows.Next() {
		var key objectKey
		var value string
		if err := rows.Scan(&key.kind, &key.name, &value); err != nil {
			return nil, nil, fmt.Errorf("store: read objects: %w", err)
		}
		o, err := decodeObject(key.kind, value)
		if err != nil {
			return nil, nil, err
		}
		if o != nil {
			set.Put(o)
			values[key] = value
		}
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("store: read objects: %w", err)
	}
	return set, values, nil
}

// decodeObject reads a row; a kind that is not known, of a later version of this program, is nil and stays in the database.
func decodeObject(kind, value string) (object.Object, error) {
	k := object.KindNamed(kind)
	if k == nil {
		return nil, nil
	}
	o := k.New()
	if err := json.Unmarshal([]byte(value), o); err != nil {
		return nil, fmt.Errorf("store: read a %s: %w", kind, err)
	}
	return o, nil
}

// difference is what has become of the rows before.
func difference(before map[objectKey]string, set *object.Settings) (changes []ObjectChange, err error) {
	kept := make(map[objectKey]bool, len(before))
	for o := range set.All() {
		k := object.KindOf(o)
		key := objectKey{k.Name, object.NameOf(o)}
		kept[key] = true
		value, err := json.Marshal(o)
		if err != nil {
			return nil, fmt.Errorf("store: write a %s: %w", k.Name, err)
		}
		old, known := before[key]
		if known && old == string(value) {
			continue
		}
		c := ObjectChange{Kind: k, Name: key.name, After: o}
		if known {
			if c.Before, err = decodeObject(key.kind, old); err != nil {
				return nil, err
			}
		}
		changes = append(changes, c)
	}
	for key, old := range before {
		if kept[key] {
			continue
		}
		c := ObjectChange{Kind: object.KindNamed(key.kind), Name: key.name}
		if c.Before, err = decodeObject(key.kind, old); err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// write writes changes that have been checked.
func (s *Store) write(ctx context.Context, tx *sql.Tx, domain string, changes []ObjectChange) error {
	for _, c := range changes {
		var err error
		if c.After == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM objects WHERE domain = $1 AND kind = $2 AND name = $3", domain, c.Kind.Name, c.Name)
		} else {
			var value []byte
			if value, err = json.Marshal(c.After); err == nil {
				_, err = tx.ExecContext(ctx, `INSERT INTO objects (domain, kind, name, value, version, changed) VALUES ($1, $2, $3, $4, 1, $5)
					ON CONFLICT (domain, kind, name) DO UPDATE SET value = excluded.value, version = objects.version + 1, changed = excluded.changed`,
					domain, c.Kind.Name, c.Name, string(value), s.now().UnixMilli())
			}
		}
		if err != nil {
			return fmt.Errorf("store: write a %s: %w", c.Kind.Name, err)
		}
	}
	if len(changes) > keptChanges/10 {
		return noteAll(ctx, tx)
	}
	for _, c := range changes {
		if err := noteObject(ctx, tx, domain, c.Kind.Name, c.Name); err != nil {
			return err
		}
	}
	return nil
}

// namesIn says what the users of a domain are.
func namesIn(ctx context.Context, tx *sql.Tx, domain string) object.Names {
	return func(user string) (what string, err error) {
		err = tx.QueryRowContext(ctx, `SELECT 'account' FROM accounts WHERE domain = $1 AND sip_user = $2
			UNION ALL SELECT 'device' FROM devices WHERE domain = $1 AND sip_user = $2 UNION ALL SELECT 'number' FROM numbers WHERE domain = $1 AND number = $2
			UNION ALL SELECT 'room' FROM rooms WHERE domain = $1 AND sip_user = $2 LIMIT 1`, domain, user).Scan(&what)
		if errors.Is(err, sql.ErrNoRows) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("store: look for user: %w", err)
		}
		return what, nil
	}
}

// forget removes what was set for users that are gone, and fails if something else still needs one of them.
func (s *Store) forget(ctx context.Context, tx *sql.Tx, domain string, users ...string) error {
	_, err := s.edit(ctx, tx, domain, func(set *object.Settings) error {
		for _, user := range users {
			delete(set.Accounts, user)
			delete(set.Mailboxes, user)
		}
		faults, err := set.Check(namesIn(ctx, tx, domain), nil)
		if err == nil && len(faults) > 0 {
			err = fmt.Errorf("%s@%s %w: %w", users[0], domain, ErrNeeded, faults[0])
		}
		return err
	})
	return err
}

// ChangeAccount changes the settings of one account, which begin as the defaults. It fails with [ErrNotFound] or what f fails with.
func (s *Store) ChangeAccount(ctx context.Context, domain, user string, f func(*object.Account) error) error {
	domain = strings.ToLower(domain)
	_, err := s.Edit(ctx, domain, func(set *object.Settings) error {
		a, ok := set.Accounts[user]
		if !ok {
			a = object.KindNamed("account").Named(user).(*object.Account)
			set.Put(a)
		}
		return f(a)
	})
	return err
}

// numberedKinds lists the kinds whose names are numbers, for a query.
func numberedKinds() string {
	var names []string
	for _, k := range object.Kinds() {
		if k.Numbered() {
			names = append(names, "'"+k.Name+"'")
		}
	}
	return strings.Join(names, ", ")
}
