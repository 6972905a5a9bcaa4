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
	return readSettings(ctx, s.db, d.Name)
}

// Edit changes the objects of a domain: f gets all of them, its own, and puts and removes what it likes, or changes them. Then what differs is checked, with what it refers to, and
// written in one transaction, and the changes come back. An error of f, or [object.Faults], leaves everything as it was.
func (s *Store) Edit(ctx context.Context, domain string, f func(*object.Settings) error) ([]ObjectChange, error) {
	r, err := s.Revise(ctx, domain, Draft{Change: func(c *Company) error { return f(c.Settings) }})
	if err != nil {
		return nil, err
	}
	return r.Objects, nil
}

// checkObjects checks what changes, and what it refers to; with all what every object refers to.
func checkObjects(set *object.Settings, changes []ObjectChange, all bool, names object.Names) error {
	var faults object.Faults
	for _, c := range changes {
		if c.After == nil {
			continue
		}
		var fault *object.Error
		if err := c.After.Check(); errors.As(err, &fault) {
			faults = append(faults, fault)
		} else if err != nil {
			return err
		}
	}
	if len(faults) > 0 {
		return faults
	}
	which := touched(changes)
	if all {
		which = nil
	}
	faults, err := set.Check(names, which)
	if err == nil && len(faults) > 0 {
		err = faults
	}
	return err
}

// touched says which objects are changed.
func touched(changes []ObjectChange) func(object.Object) bool {
	changed := make(map[object.Object]bool, len(changes))
	for _, c := range changes {
		changed[c.After] = true
	}
	return func(o object.Object) bool { return changed[o] }
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// readSettings reads the objects of a domain.
func readSettings(ctx context.Context, q queryer, domain string) (*object.Settings, error) {
	set := &object.Settings{Domain: domain}
	return set, readInto(ctx, q, set, "")
}

// readInto reads the objects of a domain for which a condition holds; it begins with AND and its parameters with $2.
func readInto(ctx context.Context, q queryer, set *object.Settings, condition string, args ...any) error {
	rows, err := q.QueryContext(ctx, "SELECT kind, value FROM objects WHERE domain = $1"+condition, append([]any{set.Domain}, args...)...)
	if err != nil {
		return fmt.Errorf("store: read objects: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var kind, value string
		if err := rows.Scan(&kind, &value); err != nil {
			return fmt.Errorf("store: read objects: %w", err)
		}
		o, err := decodeObject(kind, value)
		if err != nil {
			return err
		}
		if o != nil {
			set.Put(o)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("store: read objects: %w", err)
	}
	return nil
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

// objectKey names an object of a domain.
type objectKey struct {
	kind *object.Kind
	name string
}

// valuesOf writes every object as it is kept.
func valuesOf(set *object.Settings) (map[objectKey]string, error) {
	values := make(map[objectKey]string)
	for o := range set.All() {
		k := object.KindOf(o)
		value, err := json.Marshal(o)
		if err != nil {
			return nil, fmt.Errorf("store: write a %s: %w", k.Name, err)
		}
		values[objectKey{k, object.NameOf(o)}] = string(value)
	}
	return values, nil
}

// difference is what has become of the objects that were kept as before.
func difference(before map[objectKey]string, set *object.Settings) (changes []ObjectChange, err error) {
	after, err := valuesOf(set)
	if err != nil {
		return nil, err
	}
	for o := range set.All() {
		key := objectKey{object.KindOf(o), object.NameOf(o)}
		if old := before[key]; old != after[key] {
			c := ObjectChange{Kind: key.kind, Name: key.name, After: o}
			if c.Before, err = decodeOld(key.kind, old); err != nil {
				return nil, err
			}
			changes = append(changes, c)
		}
	}
	for key, old := range before {
		if _, kept := after[key]; kept {
			continue
		}
		c := ObjectChange{Kind: key.kind, Name: key.name}
		if c.Before, err = decodeOld(key.kind, old); err != nil {
			return nil, err
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// decodeOld reads what an object was; "" is nothing.
func decodeOld(k *object.Kind, value string) (object.Object, error) {
	if value == "" {
		return nil, nil
	}
	return decodeObject(k.Name, value)
}

// remove removes the objects that are to go.
func (s *Store) remove(ctx context.Context, tx *transaction, domain string, changes []ObjectChange) error {
	for _, c := range changes {
		if c.After != nil {
			continue
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM objects WHERE domain = $1 AND kind = $2 AND name = $3", domain, c.Kind.Name, c.Name); err != nil {
			return fmt.Errorf("store: remove a %s: %w", c.Kind.Name, err)
		}
	}
	return nil
}

// write writes the objects that are new or others, and notes all changes.
func (s *Store) write(ctx context.Context, tx *transaction, domain string, changes []ObjectChange) error {
	for _, c := range changes {
		if c.After == nil {
			continue
		}
		value, err := json.Marshal(c.After)
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO objects (domain, kind, name, value, version, changed) VALUES ($1, $2, $3, $4, 1, $5)
				ON CONFLICT (domain, kind, name) DO UPDATE SET value = excluded.value, version = objects.version + 1, changed = excluded.changed`,
				domain, c.Kind.Name, c.Name, string(value), s.now().UnixMilli())
		}
		if err != nil {
			return fmt.Errorf("store: write a %s: %w", c.Kind.Name, err)
		}
	}
	for _, c := range changes {
		tx.noteObject(domain, c.Kind.Name, c.Name)
	}
	return nil
}

// namesIn says what the users of a domain are.
func namesIn(ctx context.Context, tx *transaction, domain string) object.Names {
	return func(user string) (what string, err error) {
		err = tx.QueryRowContext(ctx, `SELECT 'account' FROM accounts WHERE domain = $1 AND sip_user = $2
			UNION ALL SELECT 'device' FROM devices WHERE domain = $1 AND sip_user = $2 UNION ALL SELECT 'number' FROM numbers WHERE domain = $1 AND number = $2 LIMIT 1`, domain, user).Scan(&what)
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
func (s *Store) forget(ctx context.Context, tx *transaction, domain string, users ...string) error {
	_, err := s.revise(ctx, tx, Domain{Name: domain}, Draft{Change: func(c *Company) error {
		for _, user := range users {
			delete(c.Settings.Accounts, user)
			delete(c.Settings.Mailboxes, user)
		}
		faults, err := c.Settings.Check(namesIn(ctx, tx, domain), nil)
		if err == nil && len(faults) > 0 {
			err = fmt.Errorf("%s@%s %w: %w", users[0], domain, ErrNeeded, faults)
		}
		return err
	}})
	return err
}

// ChangeAccount changes the settings of one account, which begin as the defaults: [Store.Edit] for somebody who waits at a telephone, because it reads no more than what the
// account refers to.
func (s *Store) ChangeAccount(ctx context.Context, domain, user string, f func(*object.Account) error) error {
	d, err := s.Domain(ctx, domain)
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx *transaction) error {
		set := &object.Settings{Domain: d.Name}
		if err := readInto(ctx, tx, set, " AND (kind = 'account' AND name = $2 OR name = '')", user); err != nil { // and the plan, which says what is outside
			return err
		}
		k := object.KindNamed("account")
		a, ok := set.Accounts[user]
		if !ok {
			a = k.Named(user).(*object.Account)
		}
		before, err := valuesOf(set)
		if err == nil {
			err = f(a)
		}
		if err != nil {
			return err
		}
		if set.Remove(k, user); !a.IsDefault() {
			set.Put(a)
		}
		changes, err := difference(before, set)
		if err != nil {
			return err
		}
		for name := range object.References(a) {
			if err := readInto(ctx, tx, set, " AND name = $2 AND kind <> 'account'", name); err != nil {
				return err
			}
		}
		if err := checkObjects(set, changes, false, namesIn(ctx, tx, d.Name)); err != nil {
			return err
		}
		if err := s.remove(ctx, tx, d.Name, changes); err != nil {
			return err
		}
		return s.write(ctx, tx, d.Name, changes)
	})
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
