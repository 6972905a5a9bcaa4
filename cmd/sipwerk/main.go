// Command sipwerk is the SIP server: it serves, shows a first call, keeps accounts, and checks a configuration.
//
// Each subcommand is one file here: a function that returns its *cobra.Command, and a line in newRoot (root.go).
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // what was asked for could not be done; one sentence on standard error says why
	exitUsage  = 2 // the command line is not one of ours
)

func main() {
	p := &program{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.LookupEnv, root: os.Geteuid() == 0}
	p.addProcs()
	os.Exit(p.run(os.Args[1:]))
}

// addProcs raises GOMAXPROCS, unless the user has set it: the readers of UDP sockets and busy connections block in the system and keep a P each, and the
// runtime takes it from them again and again while no other is free.
func (p *program) addProcs() {
	if _, set := p.env("GOMAXPROCS"); !set {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + runtime.NumCPU() + 2)
	}
}

// program is what the commands share: the process, as far as they see it.
type program struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) (string, bool)
	root     bool // runs as the superuser
	language language
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

// exitError ends the program with a code of its own; what there is to say has been said.
type exitError struct{ code int }

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// run runs one command line and returns the exit code.
func (p *program) run(args []string) int {
	p.language = chooseLanguage(args, p.env)
	root := p.newRoot()
	root.SetArgs(args)
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	command, err := root.ExecuteC()
	var usage usageError
	var exit exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		return exit.code
	case errors.As(err, &usage) || isUsage(err):
		fmt.Fprintf(p.err, "sipwerk: %v\n%s\n", err, p.tr("`%s --help` tells more", command.CommandPath()))
		return exitUsage
	}
	fmt.Fprintf(p.err, "sipwerk: %v\n", err)
	return exitFailed
}

// isUsage reports whether cobra itself refused the command line; it has no type for that.
func isUsage(err error) bool {
	for _, start := range []string{"unknown command", "unknown flag", "unknown shorthand", "accepts ", "requires at least", "flag needs an argument", "invalid argument", "required flag"} {
		if strings.HasPrefix(err.Error(), start) {
			return true
		}
	}
	return false
}

// printf writes to standard output in the language of the user.
func (p *program) printf(english string, args ...any) { fmt.Fprint(p.out, p.tr(english, args...)) }

// errorf is an error in the language of the user.
func (p *program) errorf(english string, args ...any) error {
	return errors.New(p.tr(english, args...))
}

// atLeast asks for these arguments; more may follow.
func (p *program) atLeast(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		return p.exactly(names...)(c, args[:min(len(args), len(names))])
	}
}

// atMost takes as many arguments, or fewer.
func (p *program) atMost(most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > most {
			return usageError{p.errorf("%q is too much", args[most])}
		}
		return nil
	}
}

// exactly is cobra.ExactArgs that names what is missing.
func (p *program) exactly(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		if len(names) == 0 {
			return usageError{p.errorf("%q is too much", args[0])}
		}
		return usageError{p.errorf("give %s", strings.Join(names, " "))}
	}
}
