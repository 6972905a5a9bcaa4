// `sipwerk account turn`: a credential for the TURN server, which ends by itself.

package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/store"
)

// turnLifetime is how long a credential is good unless the user says otherwise.
const turnLifetime = 24 * time.Hour

func (p *program) newAccountTurn() *cobra.Command {
	var lifetime time.Duration
	var asJSON bool
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
	c.Flags().BoolVar(&asJSON, "json", false, p.Text("write JSON"))
	c.RunE = func(c *cobra.Command, args []string) error {
		user := args[0]
		var cfg *config.Config
		a, err := p.open(c.Context(), func() (_ *config.Config, err error) { cfg, err = load(); return cfg, err }, &user)
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
		cred, err := server.IssueTurn(cfg, user, a.domain, lifetime)
		if err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(p.Out).Encode(cred)
		}
		for _, u := range cred.URLs {
			p.Printf("url       %s\n", u)
		}
		p.Printf("username  %s\npassword  %s\nexpires   %s\n", cred.Username, cred.Password, cred.Expires.Format(time.RFC3339))
		return nil
	}
	return c
}
