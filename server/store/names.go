// The names of a domain in memory, for a change that adds thousands of people: to ask the database about each of them is a third of its work.

package store

import (
	"context"
	"fmt"
)

// manyPeople is from how many new people on the names are read once.
const manyPeople = 100

// names are all that is called in a domain: accounts, devices, numbers, and objects that are called by a number. While a transaction has them, they are as the database is.
type names struct {
	domain   string
	accounts map[string]bool
	taken    map[string]bool // accounts among them
}

// readNames reads those of a domain.
func readNames(ctx context.Context, tx *transaction, domain string) (*names, error) {
	rows, err := tx.QueryContext(ctx, `SELECT 1, sip_user FROM accounts WHERE domain = $1 UNION ALL SELECT 0, sip_user FROM devices WHERE domain = $1
		UNION ALL SELECT 0, number FROM numbers WHERE domain = $1 UNION ALL SELECT 0, name FROM objects WHERE domain = $1 AND kind IN (`+numberedKinds()+")", domain)
	if err != nil {
		return nil, fmt.Errorf("store: read names: %w", err)
	}
	defer rows.Close()
	n := &names{domain: domain, accounts: make(map[string]bool), taken: make(map[string]bool)}
	for rows.Next() {
		var account bool
		var name string
		if err := rows.Scan(&account, &name); err != nil {
			return nil, fmt.Errorf("store: read names: %w", err)
		}
		n.add(account, name)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("store: read names: %w", err)
	}
	return n, nil
}

// add enters what has been written; nil names know nothing.
func (n *names) add(account bool, name string) {
	if n == nil {
		return
	}
	n.taken[name] = true
	if account {
		n.accounts[name] = true
	}
}

// of reports whether these are the names of a domain.
func (n *names) of(domain string) bool { return n != nil && n.domain == domain }
