// Everything of a domain changed at once: people, their devices and numbers, and objects. All of it goes live, or nothing.

package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/server/object"
)

// Company is everything of a domain.
type Company struct {
	People   map[string]*object.Person // by user; nil where nobody asked for them
	Settings *object.Settings
	// Account returns the account that a user, a device or a number belongs to, as it is after the change. Only Verify may ask.
	Account func(user string) (account string, ok bool)
}

// Draft is a change of a domain that is about to be made.
type Draft struct {
	People bool                            // Change is given the people, too
	Change func(*Company) error            // changes what it is given: it is its own
	Verify func(*Company, *Revision) error // looks at the whole, and refuses it by an error; may be nil
	Secret func(device string) string      // gives the secret of a device that is added; nil: [NewSecret]
	Done   func(people int)                // told now and then how many people have been looked at and written; may be nil
	Make   bool                            // the domain is made if it is missing
	Try    bool                            // everything is looked at and nothing is written
}

// Revision is what a draft does.
type Revision struct {
	People  []PersonChange
	Objects []ObjectChange
	Devices []NewDevice // that were added, with their secrets
}

// PersonChange is what becomes of one account.
type PersonChange struct{ Before, After *object.Person }

// User is whom it is about.
func (c PersonChange) User() string {
	if c.After != nil {
		return c.After.User
	}
	return c.Before.User
}

// NewDevice is a device that was added. The secret is nowhere else.
type NewDevice struct{ Account, User, Secret string }

// errTry ends a transaction that is not to be.
var errTry = errors.New("store: only tried")

// Revise changes a domain in one transaction: Change, then everything that differs is checked and written, then Verify looks at the whole; with Try it is all taken back. An error
// leaves everything as it was: [object.Faults], or that of Change or Verify.
func (s *Store) Revise(ctx context.Context, domain string, draft Draft) (r *Revision, err error) {
	d, err := s.Domain(ctx, domain)
	missing := errors.Is(err, ErrNotFound)
	if err != nil && !(missing && draft.Make) {
		return nil, err
	}
	err = s.change(ctx, func(tx *transaction) error {
		if missing {
			d = s.newDomain(strings.ToLower(domain))
			if _, err := insertDomain(ctx, tx, d); err != nil {
				return err
			}
		}
		if r, err = s.revise(ctx, tx, d, draft); err == nil && draft.Try {
			err = errTry
		}
		return err
	})
	if err != nil && !errors.Is(err, errTry) {
		return nil, err
	}
	return r, nil
}

// revise is Revise in a transaction.
func (s *Store) revise(ctx context.Context, tx *transaction, d Domain, draft Draft) (*Revision, error) {
	set, err := readSettings(ctx, tx, d.Name)
	if err != nil {
		return nil, err
	}
	before, err := valuesOf(set)
	if err != nil {
		return nil, err
	}
	company := &Company{Settings: set}
	var people map[string]*object.Person
	if draft.People {
		if people, err = readPeople(ctx, tx, d.Name); err != nil {
			return nil, err
		}
		company.People = maps.Clone(people)
	}
	if err := draft.Change(company); err != nil {
		return nil, err
	}
	maps.DeleteFunc(company.Settings.Accounts, func(_ string, a *object.Account) bool { return a.IsDefault() })
	r := new(Revision)
	if r.Objects, err = difference(before, company.Settings); err != nil {
		return nil, err
	}
	if err := s.remove(ctx, tx, d.Name, r.Objects); err != nil {
		return nil, err
	}
	if err := s.revisePeople(ctx, tx, peopleDraft{Draft: draft, domain: d, before: people, after: company.People}, r); err != nil {
		return nil, err
	}
	if err := checkObjects(company.Settings, r.Objects, r.gone(), namesIn(ctx, tx, d.Name)); err != nil {
		return nil, err
	}
	if err := s.write(ctx, tx, d.Name, r.Objects); err != nil {
		return nil, err
	}
	if draft.Verify != nil {
		company.Account = func(user string) (account string, ok bool) {
			err := tx.QueryRowContext(ctx, `SELECT sip_user FROM accounts WHERE domain = $1 AND sip_user = $2 UNION ALL SELECT account FROM devices WHERE domain = $1 AND sip_user = $2
				UNION ALL SELECT account FROM numbers WHERE domain = $1 AND number = $2 LIMIT 1`, d.Name, user).Scan(&account)
			return account, err == nil
		}
		return r, draft.Verify(company, r)
	}
	return r, nil
}

// gone reports whether something went to which objects may refer.
func (r *Revision) gone() bool {
	return slices.ContainsFunc(r.Objects, func(c ObjectChange) bool { return c.After == nil }) ||
		slices.ContainsFunc(r.People, func(c PersonChange) bool { return c.Before != nil })
}

// readPeople reads the accounts of a domain.
func readPeople(ctx context.Context, tx *transaction, domain string) (map[string]*object.Person, error) {
	rows, err := tx.QueryContext(ctx, `SELECT sip_user, 0, name FROM accounts WHERE domain = $1 UNION ALL SELECT account, 1, sip_user FROM devices WHERE domain = $1
		UNION ALL SELECT account, 2, number FROM numbers WHERE domain = $1 ORDER BY 1, 2, 3`, domain)
	if err != nil {
		return nil, fmt.Errorf("store: read people: %w", err)
	}
	defer rows.Close()
	people := make(map[string]*object.Person)
	for rows.Next() {
		var user, text string
		var what int
		if err := rows.Scan(&user, &what, &text); err != nil {
			return nil, fmt.Errorf("store: read people: %w", err)
		}
		switch what {
		case 0:
			people[user] = &object.Person{User: user, Name: text}
		case 1:
			people[user].Devices = append(people[user].Devices, text)
		case 2:
			people[user].Numbers = append(people[user].Numbers, text)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read people: %w", err)
	}
	return people, nil
}

// peopleDraft is the part of a draft that is about people.
type peopleDraft struct {
	Draft
	domain        Domain
	before, after map[string]*object.Person
}

// revisePeople writes what has become of the people: first what goes, so that what comes may have its names.
func (s *Store) revisePeople(ctx context.Context, tx *transaction, p peopleDraft, r *Revision) (err error) {
	for _, user := range slices.Sorted(maps.Keys(p.before)) {
		if err := s.lessOf(ctx, tx, p.domain.Name, p.before[user], p.after[user]); err != nil {
			return err
		}
		if p.after[user] == nil {
			r.People = append(r.People, PersonChange{Before: p.before[user]})
		}
	}
	if len(p.after) >= len(p.before)+manyPeople {
		if tx.names, err = readNames(ctx, tx, p.domain.Name); err != nil {
			return err
		}
		defer func() { tx.names = nil }() // what comes now may have names, too
	}
	for i, user := range slices.Sorted(maps.Keys(p.after)) {
		before, after := p.before[user], p.after[user]
		if p.Done != nil {
			p.Done(i + 1)
		}
		if before != nil && same(before, after) {
			continue
		}
		if err := s.moreOf(ctx, tx, p, after, r); err != nil {
			return err
		}
		r.People = append(r.People, PersonChange{before, after})
	}
	return nil
}

// same reports whether nothing has become of a person.
func same(p, o *object.Person) bool {
	return p.Name == o.Name && slices.Equal(p.Devices, o.Devices) && slices.Equal(p.Numbers, o.Numbers)
}

// missing returns the items of a that b has not.
func missing(a, b []string) (gone []string) {
	for _, s := range a {
		if !slices.Contains(b, s) {
			gone = append(gone, s)
		}
	}
	return gone
}

// lessOf takes away what a person has no longer; all of it if there is no after.
func (s *Store) lessOf(ctx context.Context, tx *transaction, domain string, before, after *object.Person) error {
	if after == nil {
		_, err := removeAccount(ctx, tx, domain, before.User)
		return err
	}
	for _, device := range missing(before.Devices, after.Devices) {
		if err := removeDevice(ctx, tx, domain, device); err != nil {
			return err
		}
	}
	if gone := missing(before.Numbers, after.Numbers); len(gone) > 0 {
		return removeNumbers(ctx, tx, domain, before.User, gone)
	}
	return nil
}

// moreOf adds what a person has now.
func (s *Store) moreOf(ctx context.Context, tx *transaction, p peopleDraft, after *object.Person, r *Revision) error {
	before := p.before[after.User]
	if err := after.Check(); err != nil {
		return err
	}
	if before == nil {
		before = &object.Person{User: after.User, Name: after.Name}
		if err := s.insertAccount(ctx, tx, p.domain.Name, after.User, after.Name); err != nil {
			return err
		}
		tx.note(p.domain.Name, after.User)
	}
	if before.Name != after.Name {
		if err := rename(ctx, tx, p.domain.Name, after); err != nil {
			return err
		}
	}
	for _, device := range missing(after.Devices, before.Devices) {
		n := newDevice{account: after.User, user: device}
		if p.Secret != nil {
			n.secret = p.Secret(device)
		}
		if n.secret == "" {
			n.secret = NewSecret()
		}
		if err := s.addDevice(ctx, tx, p.domain, n); err != nil {
			return err
		}
		r.Devices = append(r.Devices, NewDevice{n.account, n.user, n.secret})
	}
	if more := missing(after.Numbers, before.Numbers); len(more) > 0 {
		return s.addNumbers(ctx, tx, p.domain.Name, after.User, more)
	}
	return nil
}

// rename gives an account another name. It is shown with each of its devices and numbers.
func rename(ctx context.Context, tx *transaction, domain string, p *object.Person) error {
	if _, err := tx.ExecContext(ctx, "UPDATE accounts SET name = $3 WHERE domain = $1 AND sip_user = $2", domain, p.User, p.Name); err != nil {
		return fmt.Errorf("store: rename account: %w", err)
	}
	tx.note(domain, slices.Concat([]string{p.User}, p.Devices, p.Numbers)...)
	return nil
}
