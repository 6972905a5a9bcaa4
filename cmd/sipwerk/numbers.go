// `sipwerk numbers`: what can be dialled beside people.

package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server/setup"
)

func (p *program) newNumbers() *cobra.Command {
	c := &cobra.Command{
		Use:     "numbers",
		Short:   p.Text("List the feature numbers in force"),
		Example: terminal.Examples("sipwerk numbers", "sipwerk numbers --json"),
		Args:    p.Exactly(),
	}
	out := p.Report(c)
	load := p.Settings(c, "data", "domain")
	c.RunE = func(*cobra.Command, []string) error {
		if _, err := load(); err != nil {
			return err
		}
		return out.Write(setup.Numbers(), func(w io.Writer) {
			fmt.Fprintln(w, p.Text("DIAL\tOR\tIT"))
			for _, n := range setup.Numbers() {
				fmt.Fprintf(w, "%s\t%s\t%s\n", n.Dial, strings.Join(n.Names, " "), p.Text(n.Description))
			}
		})
	}
	return c
}
