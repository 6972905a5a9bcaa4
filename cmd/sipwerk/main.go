// Command sipwerk is the SIP server: it serves, shows a first call, keeps accounts, and checks a configuration.
//
// Each subcommand is a function that returns its *cobra.Command, in a file here or, where it needs several, in a folder, and a line in newRoot (root.go). Folder terminal has what all of them share.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
)

func main() {
	p := &program{&terminal.Terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.LookupEnv, Root: os.Geteuid() == 0}}
	p.addProcs()
	os.Exit(p.run(os.Args[1:]))
}

// addProcs raises GOMAXPROCS, unless the user has set it: the readers of UDP sockets and busy connections block in the system and keep a P each, and the
// runtime takes it from them again and again while no other is free.
func (p *program) addProcs() {
	if _, set := p.Env("GOMAXPROCS"); !set {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + runtime.NumCPU() + 2)
	}
}

// program is the terminal with the commands of this folder.
type program struct{ *terminal.Terminal }

// run runs one command line and returns the exit code.
func (p *program) run(args []string) int {
	p.Speak(args)
	root := p.newRoot()
	root.SetArgs(args)
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	command, err := root.ExecuteC()
	var usage terminal.UsageError
	var exit terminal.ExitError
	switch {
	case err == nil:
		return terminal.ExitOK
	case errors.As(err, &exit):
		return int(exit)
	case errors.As(err, &usage) || isUsage(err):
		fmt.Fprintf(p.Err, "sipwerk: %v\n%s\n", err, p.Text("`%s --help` tells more", command.CommandPath()))
		return terminal.ExitUsage
	}
	fmt.Fprintf(p.Err, "sipwerk: %v\n", err)
	return terminal.ExitFailed
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
