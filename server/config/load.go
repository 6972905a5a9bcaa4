// Reading a configuration from its three sources in the order of their strength: file, environment, flags.

package config

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Input is where [Load] reads. The zero Input gives the defaults of a user without a home.
type Input struct {
	File  string                      // the file to read; "" for none
	Env   func(string) (string, bool) // os.LookupEnv
	Flags map[string]string           // field name → value, of the flags that were given
	Root  bool                        // the program runs as the superuser
}

// Error is what is wrong with one setting. It prints as one sentence with the cure.
type Error struct {
	Where   string // "sipwerk.yaml line 3", "SIPWERK_LISTEN", "--listen"; "" for a default
	Field   string // the field's name; "" if the file as a whole is broken
	Problem string // what is wrong, and behind a semicolon what would be right
}

// Error gives "sipwerk.yaml line 3: listen: …; write …". A flag or variable names the field itself.
func (e *Error) Error() string {
	text := e.Problem
	if e.Field != "" && !strings.HasPrefix(e.Where, "--") && !strings.HasPrefix(e.Where, "SIPWERK_") {
		text = e.Field + ": " + text
	}
	if e.Where != "" {
		text = e.Where + ": " + text
	}
	return text
}

// Load reads and validates a configuration. Every error is an [*Error].
func Load(in Input) (*Config, error) {
	if in.Env == nil {
		in.Env = func(string) (string, bool) { return "", false }
	}
	c := Default(in.Env, in.Root)
	if in.File != "" {
		b, err := os.ReadFile(in.File)
		if err != nil {
			return nil, &Error{Where: "--config", Problem: fmt.Sprintf("cannot read the file: %v; name one that exists and may be read", cause(err))}
		}
		if err := c.readYAML(in.File, b); err != nil {
			return nil, err
		}
	}
	for _, f := range c.Fields() {
		if v, ok := in.Env(f.Variable()); ok {
			if err := c.set(f, f.Variable(), v); err != nil {
				return nil, err
			}
		}
		if v, ok := in.Flags[f.Name]; ok {
			if err := c.set(f, "--"+f.Flag(), v); err != nil {
				return nil, err
			}
		}
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return c, nil
}

// set gives field f the value v that was found at where.
func (c *Config) set(f Field, where, v string) error {
	if err := f.Value.Set(v); err != nil {
		return &Error{Where: where, Field: f.Name, Problem: err.Error()}
	}
	c.origin[f.Name] = where
	return nil
}

// cause takes the path and the operation off an error of the file system: the sentence around it names them.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}
