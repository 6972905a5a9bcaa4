// `sipwerk trunk status` and `sipwerk trunk test`: how the lines to the rest of the world are, and one tried step by step.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/carrier"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/control"
)

// newTrunk is the command of the trunks.
func (p *program) newTrunk() *cobra.Command {
	return p.newObject("trunk", p.newTrunkStatus(), p.newTrunkTest())
}

func (p *program) newTrunkStatus() *cobra.Command {
	c := &cobra.Command{
		Use:     "status",
		Short:   p.Text("Show how the trunks of the running server are"),
		Example: terminal.Examples("sipwerk trunk status", "sipwerk trunk status --json"),
		Args:    p.Exactly(),
	}
	out := p.Report(c)
	find := p.running(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		running, cfg, err := find()
		if errors.Is(err, control.ErrNoServer) {
			return p.Errorf("no server runs on this data folder; `sipwerk serve` starts one")
		}
		if err != nil {
			return err
		}
		all, err := running.Trunks(c.Context(), cfg.Domain)
		if err != nil {
			return err
		}
		return out.Write(all, func(w io.Writer) { p.showTrunks(w, all) })
	}
	return c
}

// showTrunks writes a table of the trunks.
func (p *program) showTrunks(w io.Writer, all []carrier.Status) {
	fmt.Fprintln(w, p.Text("TRUNK\tSTATE\tHEALTH\tUNTIL\tCALLS\tOUT\tIN\tFAILED\tPROBLEM"))
	for _, t := range all {
		until := ""
		if t.Until != nil {
			until = t.Until.Local().Format(time.TimeOnly)
		}
		calls := fmt.Sprint(t.Calls)
		if t.MaxCalls > 0 {
			calls += fmt.Sprintf("/%d", t.MaxCalls)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%d\t%d\t%s\n", t.Trunk, p.trunkState(&t), p.trunkHealth(t.Health), until, calls, t.CallsOut, t.CallsIn, t.Failed, t.Problem)
	}
}

// trunkState is how a trunk stands, in a word.
func (p *program) trunkState(t *carrier.Status) string {
	switch {
	case t.Health == "" && !t.Usable && t.Since == nil:
		return p.Text("unusable")
	case !t.Registers:
		return p.Text("by address")
	case t.Registered:
		return p.Text("registered")
	}
	return p.Text("not registered")
}

// trunkHealth is what is thought of a provider.
func (p *program) trunkHealth(word string) string {
	switch word {
	case "up":
		return p.Text("up")
	case "down":
		return p.Text("down")
	case "shaky":
		return p.Text("shaky")
	case "unknown":
		return p.Text("unknown")
	}
	return word
}

func (p *program) newTrunkTest() *cobra.Command {
	var order carrier.Order
	c := &cobra.Command{
		Use:   "test NAME [NUMBER]",
		Short: p.Text("Test a trunk, with a real call if a NUMBER is given"),
		Long: p.Text("Asks the provider, registers, and with a NUMBER calls it: it rings, a melody is played to whoever answers, and the sound that comes back is counted. The running server does that, or, where none runs " +
			"on the data folder, this command for as long as it takes. Exit codes: 0 all is well; 1 something is not, and its cause and cure are said."),
		Example: terminal.Examples("sipwerk trunk test provider", "sipwerk trunk test provider +4930123456"),
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return p.Exactly("NAME")(c, args)
		},
	}
	c.Flags().DurationVar(&order.Talk, "talk", 3*time.Second, p.Text("how long to talk once somebody has answered"))
	c.Flags().DurationVar(&order.Ring, "ring", 30*time.Second, p.Text("how long to wait for the answer of a test call"))
	out := p.Report(c)
	load := p.Settings(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		cfg, err := load()
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		order.Domain, order.Number = cfg.Domain, strings.Join(args[1:], "")
		show := p.showStep
		if out.JSON {
			show = func(s carrier.Step) error { return out.Encode(s) }
		}
		if err := p.testTrunk(ctx, cfg, args[0], order, show); err != nil {
			return err
		}
		if !out.JSON {
			p.Printf("the trunk works\n")
		}
		return nil
	}
	return c
}

// testTrunk lets the running server test a trunk, or a server of its own that lives as long as the test.
func (p *program) testTrunk(ctx context.Context, cfg *config.Config, name string, order carrier.Order, show func(carrier.Step) error) error {
	running, err := server.DialControl(cfg.Data)
	switch {
	case err == nil:
		return running.TestTrunk(ctx, name, order, show)
	case !errors.Is(err, control.ErrNoServer):
		return err
	}
	cfg.Listen, cfg.HTTP, cfg.Turn.Listen, cfg.Drain = []string{"udp://:0", "tcp://:0"}, "off", []string{"off"}, 0
	s, err := server.Start(ctx, cfg, server.Options{Agent: "Sipwerk"})
	if err != nil {
		return err
	}
	defer s.Stop(context.WithoutCancel(ctx))
	return s.TestTrunk(ctx, name, order, show)
}

// showStep writes one step as an arrow of a ladder.
func (p *program) showStep(s carrier.Step) error {
	const width = 64
	arrow := "◄─ " + s.Text + " "
	if s.To {
		arrow = "── " + s.Text + " "
	}
	arrow += strings.Repeat("─", max(width-len([]rune(arrow)), 1))
	if s.To {
		arrow += "►"
	}
	_, err := fmt.Fprintf(p.Out, "%8.3f s  %s\n", s.After.Seconds(), arrow)
	if s.Cause != "" {
		_, err = fmt.Fprintf(p.Out, "%11s%s: %s\n%11s%s: %s\n", "", p.Text("cause"), p.Text(s.Cause), "", p.Text("cure"), p.Text(s.Cure))
	}
	return err
}
