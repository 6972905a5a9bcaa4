// `sipwerk account number`: the telephone numbers of an account.

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
)

func (p *program) newAccountNumber() *cobra.Command {
	c := &cobra.Command{
		Use:   "number",
		Short: p.Text("Give numbers to an account, or take them away"),
		Long: p.Text("Whoever calls a number calls its account. A telephone system that registers as the account for all of its numbers at once (RFC 6140) is called by the number that was dialled.\n" +
			"A number is + and digits with the country code; FIRST-LAST is a block."),
	}
	c.AddCommand(
		p.newNumberChange("add", p.Text("Give numbers to an account"), p.Text("%d numbers lead to %s@%s\n"), (*store.Store).AddNumbers),
		p.newNumberChange("remove", p.Text("Take numbers from an account"), p.Text("%d numbers do not lead to %s@%s any more\n"), (*store.Store).RemoveNumbers),
	)
	return c
}

func (p *program) newNumberChange(verb, short, done string, change func(s *store.Store, ctx context.Context, domain, account string, numbers []string) error) *cobra.Command {
	c := &cobra.Command{
		Use:     verb + " USER NUMBER...",
		Short:   short,
		Example: terminal.Examples("sipwerk account number "+verb+" pbx +12145550100", "sipwerk account number "+verb+" pbx +12145550100-+12145550199 +12145551000"),
		Args: func(c *cobra.Command, args []string) error {
			if len(args) >= 2 {
				return nil
			}
			return p.Exactly("USER", "NUMBER")(c, args)
		},
	}
	load := p.Settings(c, "data", "domain")
	p.completeUsers(c, load)
	c.RunE = func(c *cobra.Command, args []string) error {
		user := args[0]
		numbers, err := numbers(args[1:])
		if err != nil {
			return err
		}
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		if err := change(a.Store, c.Context(), a.domain, user, numbers); err != nil {
			if errors.Is(err, store.ErrExists) {
				return fmt.Errorf("%w; %s", err, p.Text("`sipwerk account list` shows what there is"))
			}
			return p.accountError(err)
		}
		p.Printf(done, len(numbers), user, a.domain)
		return nil
	}
	return c
}

// numbers reads numbers and blocks of them.
func numbers(args []string) (all []string, err error) {
	for _, arg := range args {
		some, err := object.Expand(arg)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}
