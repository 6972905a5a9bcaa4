// Where calls would go, as far as the settings say it.

package setup

import (
	"context"
	"fmt"

	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
)

// ExplainRoute says what the dial plan of a domain would do with a call; no server need run.
func ExplainRoute(ctx context.Context, st *store.Store, domain string, q dial.Question) (*dial.Answer, error) {
	directory, err := store.NewDirectory(ctx, st)
	if err != nil {
		return nil, err
	}
	return dial.Explain(ctx, House(directory, directory.Settings(domain)), q)
}

// TestRoutes runs the tests beside the dial plan of a domain as it stands.
func TestRoutes(ctx context.Context, st *store.Store, domain string) ([]dial.Test, error) {
	directory, err := store.NewDirectory(ctx, st)
	if err != nil {
		return nil, err
	}
	set := directory.Settings(domain)
	return dial.Prove(ctx, set, House(directory, set))
}

// CheckPlan runs the tests of the dial plan of settings that are to come into force, and reports why the plan cannot be used: one sentence for each fault, with the field and the
// cure. accounts says who lives there; [dial.Failed] says whether a test fails.
func CheckPlan(ctx context.Context, set *object.Settings, accounts dial.Accounts) ([]dial.Test, error) {
	tests, err := dial.Prove(ctx, set, House(accounts, set))
	if err != nil {
		return nil, fmt.Errorf("the dial plan cannot be used: %w", err)
	}
	return tests, nil
}

// residents are the people of a company that is about to change.
type residents struct{ company *store.Company }

// Account implements [dial.Accounts].
func (r residents) Account(_, user string) (string, bool) { return r.company.Account(user) }
