// `sipwerk route`: what the dial plan would do with a call, and its tests. Nothing is called.

package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/control"
	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/service/dialplan"
)

func (p *program) newRoute() *cobra.Command {
	c := &cobra.Command{
		Use:   "route",
		Short: p.Text("Explain and test where calls go"),
		Long: p.Text("The dial plan decides where a call goes: `sipwerk dialplan set` changes it, and these commands show what it does. They call nobody, ask no webhook, and need no server that runs.\n" +
			"If one runs, `route explain` also says what counts now: which telephones are registered, which trunk takes the call and why others do not, and what is left of limits."),
	}
	c.AddCommand(p.newRouteExplain(), p.newRouteTest())
	return c
}

func (p *program) newRouteExplain() *cobra.Command {
	var q dial.Question
	c := &cobra.Command{
		Use:   "explain --from WHO --to NUMBER",
		Short: p.Text("Show step by step where a call would go"),
		Long: p.Text("Shows what the dial plan would do with a call, step by step. Without --after the path is shown on which nobody answers,\n" +
			"or, if a server runs, on which nobody can because no telephone is registered, all are busy, or no trunk is usable.\n" +
			"WHO is an account, a number outside, trunk:NAME or trunk:NAME/NUMBER, or anonymous."),
		Example: terminal.Examples("sipwerk route explain --from 200 --to +33123456789 --at 'sunday 22:00'", "sipwerk route explain --from trunk:telco/+33123456789 --to +4930123600 --after busy",
			"sipwerk route explain --from 200 --to 201 --json"),
		Args: p.Exactly(),
	}
	c.Flags().StringVar(&q.From, "from", "", p.Text("who calls"))
	c.Flags().StringVar(&q.To, "to", "", p.Text("what is dialled"))
	c.Flags().StringVar(&q.At, "at", "", p.Text("when: sunday 22:00, 2026-12-24 18:00 (now)"))
	c.Flags().StringSliceVar(&q.After, "after", nil, p.Text("what became of the steps before: busy, no-answer, offline, declined or refused; may be given several times"))
	out := p.Report(c)
	load := p.Settings(c, "data", "domain")
	c.RunE = func(c *cobra.Command, _ []string) error {
		if q.From == "" || q.To == "" {
			return p.Misuse("give %s", "--from --to")
		}
		answer, err := p.explain(c, load, q)
		if err != nil {
			return err
		}
		if out.JSON {
			return out.Encode(answer)
		}
		p.showRoute(answer)
		return nil
	}
	return c
}

// explain asks the server that runs on the data folder, or the database alone.
func (p *program) explain(c *cobra.Command, load func() (*config.Config, error), q dial.Question) (*dial.Answer, error) {
	var none string
	a, err := p.open(c.Context(), load, &none)
	if err != nil {
		return nil, err
	}
	defer a.Close()
	way, err := server.DialControl(a.config.Data)
	if errors.Is(err, control.ErrNoServer) {
		return setup.ExplainRoute(c.Context(), a.Store, a.domain, q)
	}
	if err != nil {
		return nil, err
	}
	return way.ExplainRoute(c.Context(), a.domain, q)
}

// showRoute writes a path, each decision with its steps.
func (p *program) showRoute(a *dial.Answer) {
	p.Printf("%s dials %s on %s\n", a.From, a.To, a.At.Format("2006-01-02 15:04 MST"))
	for _, s := range a.Stages {
		if s.After != "" {
			fmt.Fprintf(p.Out, "\n%s:\n", p.after(s.After))
		}
		p.showSteps(s.Told)
		ringing := ""
		if s.RingTime > 0 {
			ringing = p.Text(" (rings for %s)", time.Duration(s.RingTime*float64(time.Second)))
		}
		fmt.Fprintf(p.Out, "  => %s%s\n", s.Decision, ringing)
	}
	if !a.Live {
		p.Printf("\nNo server runs: which telephones are registered, which trunks are usable and which limits are used up is not looked at.\n")
	}
}

// after says when the next decision counts.
func (p *program) after(outcome string) string {
	switch dialplan.Outcome(outcome) {
	case dialplan.Busy:
		return p.Text("if the line is busy")
	case dialplan.NoAnswer:
		return p.Text("if nobody answers")
	case dialplan.Offline:
		return p.Text("if no telephone is there")
	case dialplan.Rejected:
		return p.Text("if the call is declined")
	}
	return p.Text("if the call is refused")
}

// showSteps writes the steps of a decision.
func (p *program) showSteps(steps []dialplan.Step) {
	for _, s := range steps {
		s.A, s.B = p.Text(s.A), p.Text(s.B) // words of ours that stand in a sentence
		fmt.Fprintf(p.Out, "  - %s\n", s.In(p.Text(string(s.Say))))
	}
}

func (p *program) newRouteTest() *cobra.Command {
	c := &cobra.Command{
		Use:   "test",
		Short: p.Text("Run the tests beside the dial plan"),
		Long: p.Text("Runs the tests of the dial plan as it stands. They also run at every change of it, and one that fails keeps the change from going live.\n" +
			"Exit codes: 0 all are right; 1 one is not."),
		Example: terminal.Examples("sipwerk route test", "sipwerk route test --json"),
		Args:    p.Exactly(),
	}
	out := p.Report(c)
	load := p.Settings(c, "data", "domain")
	c.RunE = func(c *cobra.Command, _ []string) error {
		var none string
		a, err := p.open(c.Context(), load, &none)
		if err != nil {
			return err
		}
		defer a.Close()
		tests, err := setup.TestRoutes(c.Context(), a.Store, a.domain)
		if err != nil {
			return err
		}
		if out.JSON {
			err = out.Encode(append([]dial.Test{}, tests...))
		} else {
			p.showTests(tests)
		}
		if err == nil && dial.Failed(tests) != nil {
			err = terminal.ExitError(terminal.ExitFailed)
		}
		return err
	}
	return c
}

// showTests writes one line for each test, and the steps of those that fail.
func (p *program) showTests(tests []dial.Test) {
	if len(tests) == 0 {
		p.Printf("the dial plan has no tests; `sipwerk dialplan set --test` adds one\n")
		return
	}
	failed := 0
	for _, t := range tests {
		if t.OK {
			p.Printf("right  %s: %s\n", t.Name, t.Got)
			continue
		}
		failed++
		p.Printf("WRONG  %s: %s instead of %s\n", t.Name, t.Got, t.Expect)
		p.showSteps(t.Told)
	}
	p.Printf("%d tests, %d of them fail\n", len(tests), failed)
}
