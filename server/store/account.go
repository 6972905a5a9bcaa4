// Accounts and their devices. An account is a person or a place that can be called; a device is one telephone of it, with a SIP user and a
// secret of its own. The first device has the user of the account.

package store

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// Account is someone who can be called at sip:User@Domain.
type Account struct {
	Domain  string
	User    string
	Name    string // shown to the called party; may be ""
	Devices []Device
	Numbers []string // "+" and digits, in order; see [Store.AddNumbers]
	Created time.Time
}

// Device is one telephone of an account.
type Device struct {
	User    string // unique among accounts and devices of the domain
	Created time.Time
}

// AddAccount adds an account and its first device, which has the same user and the secret given. It fails with [ErrExists] or, for the domain, [ErrNotFound].
func (s *Store) AddAccount(ctx context.Context, a Account, secret string) error {
	d, err := s.Domain(ctx, a.Domain)
	if err != nil {
		return err
	}
	if err := object.CheckUser(a.User); err != nil {
		return fmt.Errorf("user %w", err)
	}
	if err := object.CheckName(a.Name); err != nil {
		return fmt.Errorf("name %w", err)
	}
	return s.change(ctx, func(tx *transaction) error {
		if err := s.insertAccount(ctx, tx, d.Name, a.User, a.Name); err != nil {
			return err
		}
		return s.insertDevice(ctx, tx, d, newDevice{account: a.User, user: a.User, secret: secret})
	})
}

// insertAccount adds an account without a device.
func (s *Store) insertAccount(ctx context.Context, tx *transaction, domain, user, name string) error {
	if err := mustBeFree(ctx, tx, domain, user); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "INSERT INTO accounts (domain, sip_user, name, created) VALUES ($1, $2, $3, $4)", domain, user, name, s.now().UnixMilli()); err != nil {
		return fmt.Errorf("store: add account: %w", err)
	}
	tx.names.add(true, user)
	return nil
}

// AddDevice adds a device called user to an account. It fails with [ErrExists], or [ErrNotFound] for domain or account.
func (s *Store) AddDevice(ctx context.Context, domain, account, user, secret string) error {
	d, err := s.Domain(ctx, domain)
	if err != nil {
		return err
	}
	if err := object.CheckUser(user); err != nil {
		return fmt.Errorf("user %w", err)
	}
	return s.change(ctx, func(tx *transaction) error { return s.addDevice(ctx, tx, d, newDevice{account, user, secret}) })
}

// addDevice adds a device in a transaction.
func (s *Store) addDevice(ctx context.Context, tx *transaction, d Domain, n newDevice) error {
	if err := mustExist(ctx, tx, d.Name, n.account); err != nil {
		return err
	}
	if n.user != n.account { // an account may get its first device back
		if err := mustBeFree(ctx, tx, d.Name, n.user); err != nil {
			return err
		}
	}
	return s.insertDevice(ctx, tx, d, n)
}

// mustExist fails with [ErrNotFound] if the domain has no such account.
func mustExist(ctx context.Context, tx *transaction, domain, account string) error {
	if tx.names.of(domain) && tx.names.accounts[account] {
		return nil
	}
	var n int
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM accounts WHERE domain = $1 AND sip_user = $2", domain, account).Scan(&n); err != nil {
		return fmt.Errorf("store: look for account: %w", err)
	}
	if n == 0 {
		return fmt.Errorf("account %s@%s %w", account, domain, ErrNotFound)
	}
	return nil
}

// mustBeFree fails with [ErrExists] if an account, a device, a number or a numbered object of the domain is called user.
func mustBeFree(ctx context.Context, tx *transaction, domain, user string) error {
	if tx.names.of(domain) && !tx.names.taken[user] {
		return nil
	}
	var n int
	err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM accounts WHERE domain = $1 AND sip_user = $2) +
		(SELECT count(*) FROM devices WHERE domain = $1 AND sip_user = $2) + (SELECT count(*) FROM numbers WHERE domain = $1 AND number = $2) +
		(SELECT count(*) FROM objects WHERE domain = $1 AND name = $2 AND kind IN (`+numberedKinds()+"))", domain, user).Scan(&n)
	if err != nil {
		return fmt.Errorf("store: look for user: %w", err)
	}
	if n > 0 {
		return fmt.Errorf("%s@%s %w", user, domain, ErrExists)
	}
	return nil
}

// newDevice is a device with the secret that is about to be forgotten.
type newDevice struct{ account, user, secret string }

func (s *Store) insertDevice(ctx context.Context, tx *transaction, d Domain, n newDevice) error {
	if err := CheckSecret(n.secret); err != nil {
		return fmt.Errorf("secret %w", err)
	}
	h := Hash(n.user, d.Realm, n.secret)
	res, err := tx.ExecContext(ctx, `INSERT INTO devices (domain, sip_user, account, created, ha1_md5, ha1_sha256, ha1_sha512_256)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING`, d.Name, n.user, n.account, s.now().UnixMilli(),
		h.bytes(digest.MD5), h.bytes(digest.SHA256), h.bytes(digest.SHA512256))
	if err != nil {
		return fmt.Errorf("store: add device: %w", err)
	}
	if err := oneRow(res, fmt.Errorf("%s@%s %w", n.user, d.Name, ErrExists)); err != nil {
		return err
	}
	tx.names.add(false, n.user)
	tx.note(d.Name, n.user)
	return nil
}

// SetName gives an account another display name, or fails with [ErrNotFound].
func (s *Store) SetName(ctx context.Context, domain, user, name string) error {
	domain = strings.ToLower(domain)
	if err := object.CheckName(name); err != nil {
		return fmt.Errorf("name %w", err)
	}
	return s.change(ctx, func(tx *transaction) error {
		if err := mustExist(ctx, tx, domain, user); err != nil {
			return err
		}
		shown, err := texts(ctx, tx, "SELECT sip_user FROM devices WHERE domain = $1 AND account = $2 UNION SELECT number FROM numbers WHERE domain = $1 AND account = $2", domain, user)
		if err != nil {
			return err
		}
		return rename(ctx, tx, domain, &object.Person{User: user, Name: name, Devices: shown})
	})
}

// SetSecret gives the device called user a new secret; the old one is worthless as soon as running servers have read the change.
func (s *Store) SetSecret(ctx context.Context, domain, user, secret string) error {
	d, err := s.Domain(ctx, domain)
	if err != nil {
		return err
	}
	if err := CheckSecret(secret); err != nil {
		return fmt.Errorf("secret %w", err)
	}
	h := Hash(user, d.Realm, secret)
	return s.change(ctx, func(tx *transaction) error {
		res, err := tx.ExecContext(ctx, "UPDATE devices SET ha1_md5 = $3, ha1_sha256 = $4, ha1_sha512_256 = $5 WHERE domain = $1 AND sip_user = $2",
			d.Name, user, h.bytes(digest.MD5), h.bytes(digest.SHA256), h.bytes(digest.SHA512256))
		if err != nil {
			return fmt.Errorf("store: set secret: %w", err)
		}
		if err := oneRow(res, fmt.Errorf("device %s@%s %w", user, d.Name, ErrNotFound)); err != nil {
			return err
		}
		tx.note(d.Name, user)
		return nil
	})
}

// RemoveAccount removes an account with all its devices, numbers and settings, or fails with [ErrNotFound], or with [ErrNeeded] where a group or another object refers to it.
func (s *Store) RemoveAccount(ctx context.Context, domain, user string) error {
	domain = strings.ToLower(domain)
	return s.change(ctx, func(tx *transaction) error {
		gone, err := removeAccount(ctx, tx, domain, user)
		if err != nil {
			return err
		}
		return s.forget(ctx, tx, domain, gone...)
	})
}

// removeAccount removes an account and returns all users that go with it, itself the first.
func removeAccount(ctx context.Context, tx *transaction, domain, user string) ([]string, error) {
	gone, err := texts(ctx, tx, `SELECT sip_user FROM devices WHERE domain = $1 AND account = $2 AND sip_user <> $2 UNION ALL
		SELECT number FROM numbers WHERE domain = $1 AND account = $2`, domain, user)
	if err != nil {
		return nil, err
	}
	gone = append([]string{user}, gone...)
	res, err := tx.ExecContext(ctx, "DELETE FROM accounts WHERE domain = $1 AND sip_user = $2", domain, user)
	if err != nil {
		return nil, fmt.Errorf("store: remove account: %w", err)
	}
	if err := oneRow(res, fmt.Errorf("account %s@%s %w", user, domain, ErrNotFound)); err != nil {
		return nil, err
	}
	tx.note(domain, gone...)
	return gone, nil
}

// texts returns the first column of a query.
func texts(ctx context.Context, tx *transaction, query string, args ...any) ([]string, error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("store: list: %w", err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, fmt.Errorf("store: list: %w", err)
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// RemoveDevice removes one device, or fails with [ErrNotFound], or with [ErrNeeded] where an object refers to it. Its account stays.
func (s *Store) RemoveDevice(ctx context.Context, domain, user string) error {
	domain = strings.ToLower(domain)
	return s.change(ctx, func(tx *transaction) error {
		if err := removeDevice(ctx, tx, domain, user); err != nil {
			return err
		}
		return s.forget(ctx, tx, domain, user)
	})
}

// removeDevice removes a device in a transaction.
func removeDevice(ctx context.Context, tx *transaction, domain, user string) error {
	res, err := tx.ExecContext(ctx, "DELETE FROM devices WHERE domain = $1 AND sip_user = $2", domain, user)
	if err != nil {
		return fmt.Errorf("store: remove device: %w", err)
	}
	if err := oneRow(res, fmt.Errorf("device %s@%s %w", user, domain, ErrNotFound)); err != nil {
		return err
	}
	tx.note(domain, user)
	return nil
}

// oneRow returns missing if a statement changed nothing.
func oneRow(res sql.Result, missing error) error {
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("store: count rows: %w", err)
	}
	if n == 0 {
		return missing
	}
	return nil
}

// HasAccount reports whether there is an account.
func (s *Store) HasAccount(ctx context.Context, domain, user string) (bool, error) {
	var n int
	err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM accounts WHERE domain = $1 AND sip_user = $2", strings.ToLower(domain), user).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("store: find account: %w", err)
	}
	return n > 0, nil
}

// Accounts yields the accounts of a domain with their devices, in the order of their users; with domain "" those of all domains.
// After an error nothing more comes.
func (s *Store) Accounts(ctx context.Context, domain string) iter.Seq2[Account, error] {
	return func(yield func(Account, error) bool) {
		numbers, err := s.allNumbers(ctx, strings.ToLower(domain))
		if err != nil {
			yield(Account{}, err)
			return
		}
		rows, err := s.db.QueryContext(ctx, `SELECT a.domain, a.sip_user, a.name, a.created, coalesce(d.sip_user, ''), coalesce(d.created, 0)
			FROM accounts a LEFT JOIN devices d ON d.domain = a.domain AND d.account = a.sip_user
			WHERE $1 = '' OR a.domain = $1 ORDER BY a.domain, a.sip_user, d.created, d.sip_user`, strings.ToLower(domain))
		if err != nil {
			yield(Account{}, fmt.Errorf("store: list accounts: %w", err))
			return
		}
		defer rows.Close()
		var current Account
		for rows.Next() {
			var a Account
			var d Device
			var made, added int64
			if err := rows.Scan(&a.Domain, &a.User, &a.Name, &made, &d.User, &added); err != nil {
				yield(Account{}, fmt.Errorf("store: list accounts: %w", err))
				return
			}
			if a.Domain != current.Domain || a.User != current.User {
				if current.User != "" && !yield(current, nil) {
					return
				}
				a.Created, a.Numbers = time.UnixMilli(made), numbers[a.User+"@"+a.Domain]
				current = a
			}
			if d.User != "" {
				d.Created = time.UnixMilli(added)
				current.Devices = append(current.Devices, d)
			}
		}
		if err := rows.Err(); err != nil {
			yield(Account{}, fmt.Errorf("store: list accounts: %w", err))
		} else if current.User != "" {
			yield(current, nil)
		}
	}
}
