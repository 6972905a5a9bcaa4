// `sipwerk numbers`: what can be dialled beside people.

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/server"
)

func (p *program) newNumbers() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "numbers",
		Short:   p.tr("List the feature numbers in force"),
		Example: examples("sipwerk numbers", "sipwerk numbers --json"),
		Args:    p.exactly(),
	}
	c.Flags().BoolVar(&asJSON, "json", false, p.tr("write JSON"))
	load := p.settings(c, "data", "domain")
	c.RunE = func(*cobra.Command, []string) error {
		if _, err := load(); err != nil {
			return err
		}
		if asJSON {
			return json.NewEncoder(p.out).Encode(server.Numbers())
		}
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		defer w.Flush()
		fmt.Fprintln(w, p.tr("DIAL\tOR\tIT"))
		for _, n := range server.Numbers() {
			fmt.Fprintf(w, "%s\t%s\t%s\n", n.Dial, strings.Join(n.Names, " "), p.tr(n.Description))
		}
		return nil
	}
	return c
}
