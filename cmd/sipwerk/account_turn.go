// `sipwerk account turn`: a credential for the TURN server, which ends by itself.

package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/store"
)

// turnLifetime is how long a credential is good unless the user says otherwise.
const turnLifetime = 24 * time.Hour

func (p *program) newAccountTurn() *cobra.Command {
	var lifetime time.Duration
	c := &cobra.Command{
		Use:   "turn USER",
		Short: p.Text("Issue a TURN credential for an account"),
		Long: p.Text("Issues what a client of the account needs to use the TURN server, for a while. It ends by itself and is not kept; " +
			"an account that is removed can use it no longer. With --json it is written as browsers expect an ICE server."),
		Example: terminal.Examples("sipwerk account turn alice", "sipwerk account turn alice@example.org --for 1h --json"),
		Args:    p.Exactly("USER"),
	}
	load := p.Settings(c, "data", "domain", "advertise", "listen", "turn.listen")
	p.completeUsers(c, load)
	c.Flags().DurationVar(&lifetime, "for", turnLifetime, p.Text("how long it is good"))
	out := p.Report(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		user := args[0]
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		if lifetime <= 0 {
			return p.Errorf("--for: %s is no time to come; write one such as 24h", lifetime)
		}
		known, err := a.HasAccount(c.Context(), a.domain, user)
		if err == nil && !known {
			err = p.accountError(fmt.Errorf("account %s@%s %w", user, a.domain, store.ErrNotFound))
		}
		if err != nil {
			return err
		}
		cred, err := server.IssueTurn(a.config, user, a.domain, lifetime)
		if err != nil {
			return err
		}
		if out.JSON {
			return out.Encode(cred)
		}
		for _, u := range cred.URLs {
			p.Printf("url       %s\n", u)
		}
		p.Printf("username  %s\npassword  %s\nexpires   %s\n", cred.Username, cred.Password, cred.Expires.Format(time.RFC3339))
		return nil
	}
	return c
}
