// `sipwerk check`: is a configuration good, and what is in force, without starting anything.

package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/config"
)

// checked is how `check --json` shows one field.
type checked struct {
	Field  string `json:"field"`
	Value  string `json:"value"`
	Origin string `json:"origin,omitempty"` // absent for a default
}

func (p *program) newCheck() *cobra.Command {
	c := &cobra.Command{
		Use:   "check",
		Short: p.Text("Check a configuration and show what is in force"),
		Long: p.Text("Reads the configuration as `serve` would, tries its ports, folder and certificate, and shows each setting with the place where it was given.\n" +
			"Nothing is started or changed. The exit code is 1 if `serve` would not start."),
		Example: terminal.Examples("sipwerk check", "sipwerk check --config sipwerk.yaml --json"),
		Args:    p.Exactly(),
	}
	load := p.Settings(c)
	out := p.Report(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := load()
		if err != nil {
			return err
		}
		if err := p.showSettings(cfg, out); err != nil {
			return err
		}
		if err := server.Check(c.Context(), cfg); err != nil {
			return err
		}
		if !out.JSON {
			p.Printf("the server would start\n")
			for _, missing := range server.Missing() {
				fmt.Fprintln(p.Out, missing)
			}
		}
		return nil
	}
	return c
}

func (p *program) showSettings(cfg *config.Config, out *terminal.Report) error {
	var all []checked
	for _, f := range cfg.Fields() {
		all = append(all, checked{f.Name, f.Value.String(), cfg.Origin(f.Name)})
	}
	return out.Write(all, func(w io.Writer) {
		for _, c := range all {
			if c.Origin == "" {
				c.Origin = p.Text("default")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", c.Field, c.Value, c.Origin)
		}
	})
}
