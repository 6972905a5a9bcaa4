// Package terminal is what the commands of sipwerk share: the process as far as they see it, the language of its user, the shape of a command line that is refused, and the flags that name a configuration.
//
// The texts of the program stand in English where they are said; german.go, german_object.go and german_route.go have the German ones.
package terminal

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes of every command.
const (
	ExitOK     = 0
	ExitFailed = 1 // what was asked for could not be done; one sentence on standard error says why
	ExitUsage  = 2 // the command line is not one of ours
)

// Terminal is the process as its commands see it. In, Out, Err and Env must be set.
type Terminal struct {
	In       io.Reader
	Out, Err io.Writer
	Env      func(string) (string, bool)
	Root     bool // runs as the superuser

	language language
}

// UsageError is a command line that cannot be understood.
type UsageError struct{ Err error }

// Error says what is wrong.
func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong with it.
func (e UsageError) Unwrap() error { return e.Err }

// ExitError ends the program with a code of its own; what there is to say has been said.
type ExitError int

// Error names the code.
func (e ExitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// Speak chooses the language of the user by a command line and the environment: what is said before is English.
func (t *Terminal) Speak(args []string) { t.language = chooseLanguage(args, t.Env) }

// Language is that of the user: en or de.
func (t *Terminal) Language() string { return string(t.language) }

// Printf writes to standard output in the language of the user.
func (t *Terminal) Printf(english string, args ...any) { fmt.Fprint(t.Out, t.Text(english, args...)) }

// Errorf is an error in the language of the user.
func (t *Terminal) Errorf(english string, args ...any) error {
	return errors.New(t.Text(english, args...))
}

// Misuse is a [UsageError] in the language of the user.
func (t *Terminal) Misuse(english string, args ...any) error {
	return UsageError{t.Errorf(english, args...)}
}

// AtLeast asks for these arguments; more may follow.
func (t *Terminal) AtLeast(names ...string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		return t.Exactly(names...)(c, args[:min(len(args), len(names))])
	}
}

// AtMost takes as many arguments, or fewer.
func (t *Terminal) AtMost(most int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > most {
			return t.Misuse("%q is too much", args[most])
		}
		return nil
	}
}

// Exactly is cobra.ExactArgs that names what is missing.
func (t *Terminal) Exactly(names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) == len(names) {
			return nil
		}
		if len(names) == 0 {
			return t.Misuse("%q is too much", args[0])
		}
		return t.Misuse("give %s", strings.Join(names, " "))
	}
}

// Examples joins command lines for the Example of a command.
func Examples(lines ...string) string { return "  " + strings.Join(lines, "\n  ") }
