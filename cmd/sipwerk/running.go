// The way of a command to the server that runs on its data folder; and `sipwerk dial`: that server calls somebody, and connects them to somebody else (click to dial).

package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/config"
)

// running gives a command the flags that name a server, and returns the function that finds the one that runs; its error wraps [control.ErrNoServer] if there is none.
func (p *program) running(c *cobra.Command) func() (*server.Control, *config.Config, error) {
	load := p.Settings(c, "data", "domain")
	return func() (*server.Control, *config.Config, error) {
		cfg, err := load()
		if err != nil {
			return nil, nil, err
		}
		way, err := server.DialControl(cfg.Data)
		return way, cfg, err
	}
}

// order makes a command give an order to the running server.
func (p *program) order(c *cobra.Command, path string, order func(args []string) any) {
	find := p.running(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		way, _, err := find()
		if err != nil {
			return err
		}
		return way.Do(c.Context(), "POST", path, order(args), func(json.RawMessage) error { return nil })
	}
}

func (p *program) newDial() *cobra.Command {
	c := &cobra.Command{
		Use:   "dial USER NUMBER",
		Short: p.Text("Have the running server call a user, and connect them to a number when they answer"),
		Long: p.Text("The telephones of the user ring and show the number. Whoever answers is connected as if they had dialled it: what the dial plan allows them counts.\n" +
			"The command ends when the user has answered."),
		Example: terminal.Examples("sipwerk dial 200 201", "sipwerk dial alice@example.org +4930123456"),
		Args:    p.Exactly("USER", "NUMBER"),
	}
	p.order(c, "/dial", func(args []string) any { return server.DialOrder{From: args[0], To: args[1]} })
	return c
}
