// The telephone numbers of accounts. Whoever calls one calls the account; a telephone system registers for all of its numbers at once (RFC 6140).

package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// MaxNumbers is how many numbers one order may name.
const MaxNumbers = 10_000

// CheckNumbers reports what is wrong with a list of numbers.
func CheckNumbers(numbers []string) error {
	if len(numbers) == 0 || len(numbers) > MaxNumbers {
		return fmt.Errorf("%d numbers; name 1 to %d at a time", len(numbers), MaxNumbers)
	}
	for _, n := range numbers {
		if !sip.IsGlobalNumber(n) {
			return fmt.Errorf("number %q is none; write + and the digits with the country code, such as +4930123456", n)
		}
	}
	return nil
}

// AddNumbers gives numbers, "+" and digits, to an account: all of them or none. It fails with [ErrExists] if one has an owner, or with [ErrNotFound] for domain or account.
func (s *Store) AddNumbers(ctx context.Context, domain, account string, numbers []string) error {
	d, err := s.Domain(ctx, domain)
	if err != nil {
		return err
	}
	if err := CheckNumbers(numbers); err != nil {
		return err
	}
	return s.change(ctx, func(tx *transaction) error { return s.addNumbers(ctx, tx, d.Name, account, numbers) })
}

// addNumbers adds numbers in a transaction.
func (s *Store) addNumbers(ctx context.Context, tx *transaction, domain, account string, numbers []string) error {
	if err := mustExist(ctx, tx, domain, account); err != nil {
		return err
	}
	for _, n := range numbers {
		if err := mustBeFree(ctx, tx, domain, n); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO numbers (domain, number, account, created) VALUES ($1, $2, $3, $4)", domain, n, account, s.now().UnixMilli()); err != nil {
			return fmt.Errorf("store: add number: %w", err)
		}
		tx.names.add(false, n)
	}
	tx.note(domain, numbers...)
	return nil
}

// RemoveNumbers takes numbers from an account: all of them or none. It fails with [ErrNotFound] if it does not have one of them.
func (s *Store) RemoveNumbers(ctx context.Context, domain, account string, numbers []string) error {
	domain = strings.ToLower(domain)
	if err := CheckNumbers(numbers); err != nil {
		return err
	}
	return s.change(ctx, func(tx *transaction) error { return removeNumbers(ctx, tx, domain, account, numbers) })
}

// removeNumbers takes numbers away in a transaction.
func removeNumbers(ctx context.Context, tx *transaction, domain, account string, numbers []string) error {
	for _, n := range numbers {
		res, err := tx.ExecContext(ctx, "DELETE FROM numbers WHERE domain = $1 AND number = $2 AND account = $3", domain, n, account)
		if err != nil {
			return fmt.Errorf("store: remove number: %w", err)
		}
		if err := oneRow(res, fmt.Errorf("number %s of %s@%s %w", n, account, domain, ErrNotFound)); err != nil {
			return err
		}
	}
	tx.note(domain, numbers...)
	return nil
}

// allNumbers returns the numbers of a domain, of all domains for "", by account@domain.
func (s *Store) allNumbers(ctx context.Context, domain string) (map[string][]string, error) {
	rows, err := s.db.QueryContext(ctx, "SELECT account, domain, number FROM numbers WHERE $1 = '' OR domain = $1 ORDER BY number", domain)
	if err != nil {
		return nil, fmt.Errorf("store: list numbers: %w", err)
	}
	defer rows.Close()
	all := make(map[string][]string)
	for rows.Next() {
		var account, of, number string
		if err := rows.Scan(&account, &of, &number); err != nil {
			return nil, fmt.Errorf("store: list numbers: %w", err)
		}
		all[account+"@"+of] = append(all[account+"@"+of], number)
	}
	return all, rows.Err()
}
