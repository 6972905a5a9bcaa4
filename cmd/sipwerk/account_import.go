// `sipwerk account import`: accounts from a CSV file, all of them or none.

package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server/store"
)

// progressLines is after how many lines of a file progress is told.
const progressLines = 10_000

func (p *program) newAccountImport() *cobra.Command {
	c := &cobra.Command{
		Use:   "import FILE.csv",
		Short: p.Text("Add the accounts of a CSV file"),
		Long: p.Text("Adds an account with one device for each line of a CSV file whose first line is user,password,name; - reads standard input.\n" +
			"Either every line is imported or none; every faulty line is named."),
		Example: terminal.Examples("sipwerk account import people.csv", "sipwerk account import --domain example.org - < people.csv"),
		Args:    p.Exactly("FILE.csv"),
	}
	load := p.Settings(c, "data", "domain")
	c.RunE = func(c *cobra.Command, args []string) error {
		in := p.In
		if args[0] != "-" {
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			in = f
		}
		user := ""
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		n, err := a.Import(c.Context(), a.domain, in, p.progress(p.Text("%d lines read\n")))
		if err != nil {
			return p.importError(args[0], err)
		}
		p.Printf("%d accounts imported into %s\n", n, a.domain)
		return nil
	}
	return c
}

// progress tells on standard error how far long work is; text says what is done, with %d for how much of it.
func (p *program) progress(text string) func(n int) {
	told := 0
	return func(n int) {
		if n-told < progressLines {
			return
		}
		told = n - n%progressLines
		fmt.Fprintf(p.Err, text, told)
	}
}

// importError puts the name of the file before each fault.
func (p *program) importError(file string, err error) error {
	var faults *store.Faults
	if !errors.As(err, &faults) {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, f := range faults.Lines {
		fmt.Fprintf(p.Err, "%s: %v\n", file, f)
	}
	return p.Errorf("nothing is imported: %d faulty lines in %s; mend them and import again", len(faults.Lines)+faults.More, file)
}
