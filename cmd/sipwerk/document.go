// `sipwerk export`, `plan` and `apply`: everything of a domain as one document.

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/server/store"
)

// documentGC lets the memory grow further before it is swept: what is read lives until the command ends, and sweeping is a fifth of its time.
const documentGC = 400

// maxAffected is how many of those who notice a change are named; JSON has them all.
const maxAffected = 30

// exitDiffers is the exit code of `plan --exit-code` where something would change.
const exitDiffers = 3

func (p *program) newExport() *cobra.Command {
	c := &cobra.Command{
		Use:   "export",
		Short: p.Text("Write everything of a domain as one document"),
		Long: p.Text("Writes accounts, groups, queues, trunks and all other settings of the domain as YAML. Secrets and PINs are not in it; `keep` stands for those that there are.\n" +
			"`sipwerk plan` says what a changed document would change, `sipwerk apply` puts it into force."),
		Example: terminal.Examples("sipwerk export > company.yaml", "sipwerk export --domain example.org"),
		Args:    p.Exactly(),
	}
	load := p.Settings(c, "data", "domain")
	c.RunE = p.with(load, func(c *cobra.Command, a *accounts, _ string) error {
		text, err := p.setup(a).Export(c.Context(), a.domain)
		if err != nil {
			return err
		}
		_, err = p.Out.Write(text)
		return err
	})
	return c
}

// documentFlags are those of plan and apply.
type documentFlags struct {
	out      *terminal.Report
	exitCode bool
}

func (p *program) newPlan() *cobra.Command {
	f := new(documentFlags)
	c := p.documentCommand(f, "plan FILE", p.Text("Say what a document would change"), func(c *cobra.Command, a *accounts, d *object.Document) error {
		change, err := p.setup(a).Plan(c.Context(), a.domain, d, p.progress(p.Text("%d people are looked at\n")))
		if err != nil {
			return p.documentError(err)
		}
		if err := p.showChange(change, a.domain, f, p.Text("changes that `sipwerk apply` would make in %s: %d\n", a.domain, len(change.Items()))); err != nil {
			return err
		}
		if failed := dial.Failed(change.Tests); failed != nil {
			return terminal.ExitError(terminal.ExitFailed)
		}
		if f.exitCode && len(change.Items()) > 0 {
			return terminal.ExitError(exitDiffers)
		}
		return nil
	})
	c.Long = p.Text("Says what a document would change, who notices, and which tests of the dial plan would fail. Nothing is changed.\n" +
		"The exit code is 1 if the document cannot be put into force; with --exit-code it is 3 if it would change something.")
	c.Example = terminal.Examples("sipwerk plan company.yaml", "sipwerk export | sed s/201/202/ | sipwerk plan -", "sipwerk plan company.yaml --json --exit-code")
	c.Flags().BoolVar(&f.exitCode, "exit-code", false, p.Text("end with 3 if something would change"))
	return c
}

func (p *program) newApply() *cobra.Command {
	f := new(documentFlags)
	c := p.documentCommand(f, "apply FILE", p.Text("Put a document into force, all of it or nothing"), func(c *cobra.Command, a *accounts, d *object.Document) error {
		change, err := p.setup(a).Apply(c.Context(), a.domain, d, p.progress(p.Text("%d people are done\n")))
		if err != nil {
			return p.documentError(err)
		}
		return p.showChange(change, a.domain, f, p.Text("changes in force in %s: %d\n", a.domain, len(change.Items())))
	})
	c.Long = p.Text("Puts a document into force in one transaction; a running server that answers knows when the command ends, and calls under way go on as they began.\n" +
		"A section that the document has says everything of its kind: what is not in it is removed. A section that it has not is left as it is. Secrets are given as env:NAME or file:PATH, " +
		"and `keep` keeps the one that there is. Devices and PINs that are made are shown once. The exit code is 1 if nothing was changed because of a fault; `sipwerk plan` tries it.")
	c.Example = terminal.Examples("sipwerk apply company.yaml", "sipwerk apply - < company.yaml", "sipwerk apply company.yaml --domain example.net --json")
	return c
}

// setup is the Setup of a command: a secret is read from standard input where its flag says -.
func (p *program) setup(a *accounts) *setup.Setup {
	return &setup.Setup{Store: a.Store, Env: p.Env, Read: func(reference string) (string, error) {
		if reference != "-" {
			return "", nil
		}
		return p.secret(true)
	}}
}

// documentCommand is a command on a document: run gets it read, and the data folder open with the domain that the command line names, or else the document.
func (p *program) documentCommand(f *documentFlags, use, short string, run func(*cobra.Command, *accounts, *object.Document) error) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: p.Exactly("FILE")}
	load := p.Settings(c, "data", "domain")
	f.out = p.Report(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		debug.SetGCPercent(documentGC)
		d, err := p.readDocument(args[0])
		if err != nil {
			return p.documentError(err)
		}
		if d.Domain == "" || c.Flags().Changed("domain") {
			return p.with(load, func(c *cobra.Command, a *accounts, _ string) error { return run(c, a, d) })(c, nil)
		}
		cfg, err := load()
		if err != nil {
			return err
		}
		st, err := store.Open(c.Context(), cfg.Data)
		if err != nil {
			return err
		}
		a := &accounts{st, d.Domain, cfg, p}
		defer a.Close()
		return run(c, a, d)
	}
	return c
}

// readDocument reads a file, or standard input for "-".
func (p *program) readDocument(file string) (*object.Document, error) {
	in := p.In
	if file == "-" {
		file = p.Text("standard input")
	} else {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, err
	}
	return object.ParseDocument(file, text)
}

// documentError tells the faults of a document, a line each, and that nothing was changed.
func (p *program) documentError(err error) error {
	var faults object.Faults
	if !errors.As(err, &faults) || len(faults) == 1 {
		return err
	}
	fmt.Fprintln(p.Err, faults.Error())
	return p.Errorf("nothing is changed: %d faults; mend them and try again", len(faults))
}

// changed is how JSON shows a change.
type changed struct {
	Domain   string        `json:"domain"`
	Changes  []setup.Item  `json:"changes"`
	Affected []string      `json:"affected"`
	Devices  []credentials `json:"devices,omitempty"` // that were added, with their secrets
	PINs     []madePIN     `json:"pins,omitempty"`
	Tests    []dial.Test   `json:"tests"` // of the dial plan
}

type madePIN struct {
	Kind  string `json:"kind"`
	Name  string `json:"name"`
	Field string `json:"field"`
	PIN   string `json:"pin"`
}

// showChange writes what has changed or would, then the sentence that sums it up, then what is shown only once.
func (p *program) showChange(change *setup.Change, domain string, f *documentFlags, sum string) error {
	out := changed{Domain: domain, Changes: change.Items(), Affected: append([]string{}, change.Affected...), Tests: append([]dial.Test{}, change.Tests...)}
	for _, d := range change.Devices {
		out.Devices = append(out.Devices, credentials{Domain: domain, Account: d.Account, User: d.User, Secret: d.Secret})
	}
	for _, m := range change.PINs {
		out.PINs = append(out.PINs, madePIN(m))
	}
	if f.out.JSON {
		return f.out.Encode(out)
	}
	w := p.Table()
	defer w.Flush()
	for _, i := range out.Changes {
		p.showItem(w, i)
	}
	if len(out.Changes) == 0 {
		sum = p.Text("%s is as the document says\n", domain)
	}
	io.WriteString(w, sum)
	switch more := len(out.Affected) - maxAffected; {
	case more > 0:
		io.WriteString(w, p.Text("affected: %s, and %d more\n", strings.Join(out.Affected[:maxAffected], ", "), more))
	case len(out.Affected) > 0:
		io.WriteString(w, p.Text("affected: %s\n", strings.Join(out.Affected, ", ")))
	}
	p.showProofs(w, out.Tests)
	p.showMade(w, &out)
	return nil
}

// showProofs says how the tests of the dial plan go, and which fail; `route test` shows their steps.
func (p *program) showProofs(w io.Writer, tests []dial.Test) {
	failed := 0
	for _, t := range tests {
		if !t.OK {
			failed++
			io.WriteString(w, p.Text("WRONG  %s: %s instead of %s\n", t.Name, t.Got, t.Expect))
		}
	}
	if len(tests) > 0 {
		io.WriteString(w, p.Text("%d tests, %d of them fail\n", len(tests), failed))
	}
}

// showItem writes what becomes of one thing: + for a new one, - for one that goes, ~ for one that changes.
func (p *program) showItem(w io.Writer, i setup.Item) {
	sign := map[string]string{"add": "+", "change": "~", "remove": "-"}[i.Action]
	words := make([]string, len(i.Fields))
	for n, f := range i.Fields {
		before, after := strings.ReplaceAll(f.Before, "\n", `\n`), strings.ReplaceAll(f.After, "\n", `\n`)
		switch {
		case i.Action == "add":
			words[n] = f.Field + "=" + after
		default:
			words[n] = fmt.Sprintf("%s: %q → %q", f.Field, before, after)
		}
	}
	fmt.Fprintf(w, "%s %s\t%s\n", sign, strings.TrimSpace(i.Kind+" "+i.Name), strings.Join(words, " "))
}

// showMade writes the secrets and PINs that were made.
func (p *program) showMade(w io.Writer, out *changed) {
	for _, d := range out.Devices {
		if d.Secret != "" {
			fmt.Fprintf(w, "%s\t%s %s\n", d.User, p.Text("secret"), d.Secret)
		}
	}
	for _, m := range out.PINs {
		fmt.Fprintf(w, "%s %s\t%s %s\n", m.Kind, m.Name, m.Field, m.PIN)
	}
	if len(out.PINs) > 0 || len(out.Devices) > 0 && out.Devices[0].Secret != "" {
		io.WriteString(w, p.Text("Secrets and PINs are shown this once and not kept.\n"))
	}
}
