// `sipwerk dial`: the running server calls somebody, and connects them to somebody else (click to dial).

package main

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/server"
)

func (p *program) newDial() *cobra.Command {
	c := &cobra.Command{
		Use:   "dial USER NUMBER",
		Short: p.tr("Have the running server call a user, and connect them to a number when they answer"),
		Long: p.tr("The telephones of the user ring and show the number. Whoever answers is connected as if they had dialled it: what the dial plan allows them counts.\n" +
			"The command ends when the user has answered."),
		Example: examples("sipwerk dial 200 201", "sipwerk dial alice@example.org +4930123456"),
		Args:    p.exactly("USER", "NUMBER"),
	}
	load := p.settings(c, "data", "domain")
	c.RunE = func(c *cobra.Command, args []string) error {
		cfg, err := load()
		if err != nil {
			return err
		}
		control, err := server.DialControl(cfg.Data)
		if err != nil {
			return err
		}
		return control.Do(c.Context(), "POST", "/dial", server.DialOrder{From: args[0], To: args[1]}, func(json.RawMessage) error { return nil })
	}
	return c
}
