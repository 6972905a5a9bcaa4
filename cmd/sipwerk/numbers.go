// `sipwerk numbers`: what can be dialled beside people.

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
)

func (p *program) newNumbers() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "numbers",
		Short:   p.Text("List the feature numbers in force"),
		Example: terminal.Examples("sipwerk numbers", "sipwerk numbers --json"),
		Args:    p.Exactly(),
	}
	c.Flags().BoolVar(&asJSON, "json", false, p.Text("write JSON"))
	load := p.Settings(c, "data", "domain")
	c.RunE = func(*cobra.Command, []string) error {
		if _, err := load(); err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(p.Out).Encode(server.Numbers())
		}
		w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', 0)
		defer w.Flush()
		fmt.Fprintln(w, p.Text("DIAL\tOR\tIT"))
		for _, n := range server.Numbers() {
			fmt.Fprintf(w, "%s\t%s\t%s\n", n.Dial, strings.Join(n.Names, " "), p.Text(n.Description))
		}
		return nil
	}
	return c
}
