// Domains: the names in whose addresses accounts live. The realm of a domain (RFC 7616 §3.3) never changes, because every HA1 contains it.

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Domain is a name that this server answers for.
type Domain struct {
	Name    string // in lower case
	Realm   string
	Created time.Time
}

// EnsureDomain returns the domain called name and makes it if it is missing; made tells which.
func (s *Store) EnsureDomain(ctx context.Context, name string) (d Domain, made bool, err error) {
	name = strings.ToLower(name)
	if d, err = s.Domain(ctx, name); err == nil || !errors.Is(err, ErrNotFound) {
		return d, false, err
	}
	d = s.newDomain(name)
	err = s.change(ctx, func(tx *transaction) error {
		made, err = insertDomain(ctx, tx, d)
		return err
	})
	return d, made, err
}

func (s *Store) newDomain(name string) Domain {
	return Domain{Name: name, Realm: name, Created: s.now().Truncate(time.Millisecond)}
}

// insertDomain makes a domain unless there is one of this name.
func insertDomain(ctx context.Context, tx *transaction, d Domain) (made bool, err error) {
	res, err := tx.ExecContext(ctx, "INSERT INTO domains (domain, realm, created) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", d.Name, d.Realm, d.Created.UnixMilli())
	if err != nil {
		return false, fmt.Errorf("store: add domain: %w", err)
	}
	n, err := res.RowsAffected()
	if made = n > 0; !made || err != nil {
		return false, err
	}
	tx.noteAll()
	return true, nil
}

// Domain returns the domain called name, or an error that wraps [ErrNotFound].
func (s *Store) Domain(ctx context.Context, name string) (Domain, error) {
	ds, err := s.domains(ctx, "WHERE domain = $1", strings.ToLower(name))
	if err == nil && len(ds) == 0 {
		return Domain{}, fmt.Errorf("domain %s %w", name, ErrNotFound)
	}
	if err != nil {
		return Domain{}, err
	}
	return ds[0], nil
}

// Domains returns all domains, the first made first.
func (s *Store) Domains(ctx context.Context) ([]Domain, error) { return s.domains(ctx, "") }

func (s *Store) domains(ctx context.Context, where string, args ...any) ([]Domain, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT domain, realm, created FROM domains "+where+" ORDER BY created, domain", args...)
	if err != nil {
		return nil, fmt.Errorf("store: list domains: %w", err)
	}
	defer rows.Close()
	var ds []Domain
	for rows.Next() {
		var d Domain
		var created int64
		if err := rows.Scan(&d.Name, &d.Realm, &created); err != nil {
			return nil, fmt.Errorf("store: list domains: %w", err)
		}
		d.Created = time.UnixMilli(created)
		ds = append(ds, d)
	}
	return ds, rows.Err()
}
