// Package bench is `sipwerk bench`: it makes traffic by package load, measures what a server does with it, and compares measurements.
package bench

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/load"
	"github.com/sipwerk/sipwerk/sip"
)

// exitUnclean is the exit code of `bench` when more failed than --allow-failed permits.
const exitUnclean = 3

// benchFlags are the flags of `bench`.
type benchFlags struct {
	plan                      load.Plan
	accounts, hold, authority string
	json, plot                string
	allowed                   float64
	max                       bool
}

// program is the terminal with the commands of this folder.
type program struct{ *terminal.Terminal }

// New is the command.
func New(t *terminal.Terminal) *cobra.Command {
	p := &program{t}
	var f benchFlags
	c := &cobra.Command{
		Use:   "bench SCENARIO TARGET",
		Short: p.Text("Load a server and measure it"),
		Long: p.Text("Makes registrations, calls, messages or OPTIONS at a fixed rate, plays the calling and the called side, checks every answer, and reports latency, failures, " +
			"retransmissions and, with --pid, what an operation costs the server. Operations are due at times fixed in advance, and latency counts from then.\n" +
			"SCENARIO is register, options, message or call. TARGET is host:port, or with a transport tcp://host:port; udp, tcp, tls, ws and wss are known.\n" +
			"The server must know the users u0, u1, … with passwords p0, p1, … or those of --accounts, or trust this machine. It is loaded only if it runs here, unless --i-own-this-target is given.\n" +
			"Exit codes: 0 clean; 1 not started; 2 the command line; 3 more failed than --allow-failed permits, or with --max no rate was clean."),
		Example: terminal.Examples("sipwerk bench register 127.0.0.1:5060 --rate 4000 --users 100000", "sipwerk bench call 127.0.0.1:5060 --rate 500 --duration 30s --pid $(pidof sipwerk) --plot calls.svg",
			"sipwerk bench call tls://127.0.0.1:5061 --rate 100 --hold 30s --json calls.json", "sipwerk bench options 127.0.0.1:5060 --rate 5000 --max",
			"sipwerk bench compare before.json after.json"),
		Args:              p.Exactly("SCENARIO", "TARGET"),
		ValidArgsFunction: completeScenario,
	}
	f.define(p, c)
	c.AddCommand(p.newBenchCompare())
	c.RunE = func(c *cobra.Command, args []string) error {
		ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		context.AfterFunc(ctx, stop) // a second signal ends the program at once
		if err := p.planBench(ctx, &f, args); err != nil {
			return err
		}
		return p.bench(ctx, &f)
	}
	return c
}

// completeScenario completes the first argument; nothing can be guessed about a target.
func completeScenario(_ *cobra.Command, args []string, start string) (names []string, _ cobra.ShellCompDirective) {
	for _, name := range scenarioNames() {
		if len(args) == 0 && strings.HasPrefix(name, start) {
			names = append(names, name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func scenarioNames() (names []string) {
	for _, s := range load.Scenarios() {
		names = append(names, string(s))
	}
	return names
}

func (f *benchFlags) define(p *program, c *cobra.Command) {
	s, plan := c.Flags(), &f.plan
	s.Float64Var(&plan.Rate, "rate", 1000, p.Text("operations a second; with --max where the search begins"))
	s.DurationVar(&plan.Window, "duration", 10*time.Second, p.Text("how long to measure"))
	s.DurationVar(&plan.Warmup, "warmup", 3*time.Second, p.Text("how long to load before that"))
	s.StringVar(&f.hold, "hold", "0s", p.Text("how long a call stands; end: until everything is measured"))
	s.IntVar(&plan.Users.Count, "users", 1000, p.Text("how many users there are"))
	s.IntVar(&plan.Users.First, "first", 0, p.Text("number of the first user"))
	s.StringVar(&plan.Users.Name, "user", "u{n}", p.Text("name of a user; {n} is its number"))
	s.StringVar(&plan.Users.Password, "password", "p{n}", p.Text("password of a user"))
	s.StringVar(&f.accounts, "accounts", "", p.Text("CSV file with the users instead, as for `account import`"))
	s.IntVar(&plan.Callees, "callees", 100, p.Text("how many of the users are registered to be called"))
	s.StringVar(&plan.Domain, "domain", "", p.Text("of the users; otherwise the target"))
	s.IntVar(&plan.Workers, "workers", 1, p.Text("sources of the load, each with its own ports and at most one processor"))
	s.IntVar(&plan.Connections, "connections", 1, p.Text("connections of each worker to call from, and as many to be called on"))
	s.StringVar(&f.authority, "ca", "", p.Text("file with the certificates to trust, for TLS; otherwise all are"))
	s.IntVar(&plan.Process, "pid", 0, p.Text("process of the server, to measure its processor time and memory"))
	s.BoolVar(&f.max, "max", false, p.Text("search for the highest rate with less than 0.1 % failed and 1 % retransmitted"))
	s.Float64Var(&f.allowed, "allow-failed", 0.1, p.Text("percentage that may fail"))
	s.StringVar(&f.json, "json", "", p.Text("file to write the result to as JSON; - is standard output"))
	s.StringVar(&f.plot, "plot", "", p.Text("SVG file to draw latency and rate over time into"))
	s.StringVar(&plan.Label, "label", "", p.Text("a remark for the result"))
	s.BoolVar(&plan.Owned, "i-own-this-target", false, p.Text("the target is mine: load it though it is not this machine"))
}

// planBench completes the plan by what the flags and arguments say.
func (p *program) planBench(ctx context.Context, f *benchFlags, args []string) (err error) {
	plan := &f.plan
	plan.Scenario = load.Scenario(args[0])
	if !strings.Contains(" "+strings.Join(scenarioNames(), " ")+" ", " "+args[0]+" ") {
		return p.Misuse("%q is no scenario; write one of %s", args[0], strings.Join(scenarioNames(), ", "))
	}
	if f.hold == "end" {
		plan.Hold = load.HoldToEnd
	} else if plan.Hold, err = time.ParseDuration(f.hold); err != nil || plan.Hold < 0 {
		return p.Misuse("--hold: %q is no duration; write one such as 30s, or end", f.hold)
	}
	if plan.Hold != 0 && plan.Scenario != load.Call {
		return p.Misuse("--hold: only calls are held; leave it out")
	}
	if plan.Rate <= 0 || plan.Window <= 0 || plan.Warmup < 0 {
		return p.Misuse("--rate, --duration, --warmup: write numbers above 0")
	}
	if f.accounts != "" {
		if plan.Users.List, err = readUsers(f.accounts); err != nil {
			return p.Errorf("--accounts: %s: %s", f.accounts, err.Error())
		}
	}
	if f.authority != "" {
		if plan.TLS, err = p.Authority(f.authority); err != nil {
			return err
		}
	}
	plan.Sleep, plan.Settle = load.Nap, time.Second
	return p.aim(ctx, plan, args[1])
}

func readUsers(name string) ([]load.User, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer file.Close()
	return load.ReadUsers(file)
}

// aim finds out where the target is.
func (p *program) aim(ctx context.Context, plan *load.Plan, target string) error {
	scheme, rest, written := strings.Cut(target, "://")
	if !written {
		scheme, rest = "udp", target
	}
	if plan.Transport = sip.ParseTransport(scheme); plan.Transport == sip.TransportNone {
		return p.Misuse("%q is no transport; write one of udp, tcp, tls, ws, wss", scheme)
	}
	addrs, err := load.Resolve(ctx, rest, plan.Transport)
	if err != nil {
		return p.Errorf("%s cannot be resolved: %s", rest, err.Error())
	}
	for _, a := range addrs {
		if !plan.Owned && !a.Addr().IsLoopback() {
			return p.Errorf("%s is %s, which is not this machine; a load test harms whoever did not ask for it: give --i-own-this-target if it is yours", rest, a.Addr().String())
		}
	}
	plan.Target = addrs[0]
	if host := load.HostOf(rest); plan.Domain == "" {
		plan.Domain = host
	}
	return nil
}

// bench carries the plan out and reports.
func (p *program) bench(ctx context.Context, f *benchFlags) error {
	p.tune(&f.plan)
	show := newGauge(p, f.max)
	var result *load.Result
	var err error
	if f.max {
		result, err = load.Search(ctx, f.plan, show.probe)
	} else {
		run := &load.Run{Plan: f.plan}
		stop := show.follow(run)
		result, err = run.Do(ctx)
		stop()
	}
	switch {
	case errors.Is(err, load.ErrNoCleanRate):
		io.WriteString(p.Err, "sipwerk: "+p.Text("no rate was clean; begin lower with --rate, or look at the failures without --max")+"\n")
		return terminal.ExitError(exitUnclean)
	case err != nil:
		return p.benchError(f, err)
	}
	if err := p.reportBench(f, result); err != nil {
		return err
	}
	if 100*result.FailedShare() > f.allowed {
		io.WriteString(p.Err, "sipwerk: "+p.Text("%s of the operations failed; --allow-failed permits %s", terminal.Percent(result.FailedShare()), terminal.Percent(f.allowed/100))+"\n")
		return terminal.ExitError(exitUnclean)
	}
	return nil
}

// tune makes the runtime fit for a generator: a P for each reader that blocks in the system and each worker, and a collector that runs seldom.
func (p *program) tune(plan *load.Plan) {
	if _, set := p.Env("GOMAXPROCS"); !set {
		runtime.GOMAXPROCS(max(runtime.NumCPU(), 1) + 2*max(plan.Workers, 1))
	}
	if _, set := p.Env("GOGC"); !set {
		debug.SetGCPercent(400)
	}
}

// benchError is what kept a run from starting, in one sentence.
func (p *program) benchError(f *benchFlags, err error) error {
	target := f.plan.Target.String()
	switch {
	case errors.Is(err, context.Canceled):
		return p.Errorf("interrupted")
	case errors.Is(err, load.ErrCallees):
		return p.Errorf("the users to be called cannot be registered (%s); the server must know them or trust this machine: see --user, --password, --accounts", err.Error())
	case errors.Is(err, syscall.ECONNREFUSED):
		return p.Errorf("nobody listens at %s; start the server, or name another target", target)
	case errors.Is(err, os.ErrNotExist) && f.plan.Process > 0:
		return p.Errorf("--pid: there is no process %d that can be measured here; name another, or leave it out", f.plan.Process)
	}
	return err
}

// reportBench writes the result wherever it is wanted.
func (p *program) reportBench(f *benchFlags, r *load.Result) error {
	if f.plot != "" {
		if err := os.WriteFile(f.plot, load.Plot(r), 0o644); err != nil {
			return err
		}
	}
	if f.json == "-" {
		return json.NewEncoder(p.Out).Encode(r)
	}
	if f.json != "" {
		b, err := json.MarshalIndent(r, "", "\t")
		if err == nil {
			err = os.WriteFile(f.json, append(b, '\n'), 0o644)
		}
		if err != nil {
			return err
		}
	}
	p.describe(r)
	return nil
}
