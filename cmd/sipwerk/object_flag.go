// The flags of objects, made from the fields of their kind, and what the shell can complete.

package main

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/object"
)

// objectFlags are the flags that were given.
type objectFlags struct {
	given  map[string]string // field name → text
	fields []object.Field
	out    *terminal.Report
}

// objectFlag is the flag of one field: it keeps the text, which is judged with the object.
type objectFlag struct {
	field object.Field
	given map[string]string
}

func (f objectFlag) String() string { return "" }
func (f objectFlag) Type() string   { return "" }

// Set keeps v; a list given in several flags is joined.
func (f objectFlag) Set(v string) error {
	before, twice := f.given[f.field.Name]
	switch {
	case twice && f.field.Structs():
		v = strings.TrimSuffix(before, "]") + ", " + v + "]"
	case f.field.Structs() && !strings.HasPrefix(v, "["):
		v = "[" + v + "]"
	case twice && f.field.List():
		v = before + "," + v
	}
	f.given[f.field.Name] = v
	return nil
}

// flags gives a command a flag for each field but the key.
func (o *objects) flags(c *cobra.Command) *objectFlags {
	fs := &objectFlags{given: make(map[string]string)}
	for _, f := range o.kind.Fields() {
		if f.Key {
			continue
		}
		fs.fields = append(fs.fields, f)
		usage := o.Text(f.Short())
		if f.Default != "" {
			usage += " (" + f.Default + ")"
		}
		flag := c.Flags().VarPF(objectFlag{f, fs.given}, f.Flag, "", usage)
		if f.Bool() {
			flag.NoOptDefVal = "yes"
		}
		// A flag that was just made is known: the error can be nothing else.
		_ = c.RegisterFlagCompletionFunc(f.Flag, func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return o.values(c.Context(), f), cobra.ShellCompDirectiveNoFileComp
		})
	}
	fs.out = o.Report(c)
	return fs
}

// apply puts the flags that were given into an object.
func (fs *objectFlags) apply(one object.Object) error {
	for _, f := range fs.fields {
		if text, ok := fs.given[f.Name]; ok {
			if err := f.Set(one, text); err != nil {
				return err
			}
		}
	}
	return nil
}

// values are what a field may hold, as far as that is known.
func (o *objects) values(ctx context.Context, f object.Field) []string {
	switch {
	case len(f.Choices) > 0:
		return f.Choices
	case f.Bool():
		return []string{"yes", "no"}
	}
	switch f.Is {
	case "account", "account*":
		return o.names(ctx, func(*object.Kind) bool { return false }, true)
	case "target", "dial":
		return append(o.names(ctx, (*object.Kind).Numbered, true), "voicemail", "hangup", "busy")
	case "trunk":
		return o.names(ctx, func(k *object.Kind) bool { return k.Name == "trunk" }, false)
	}
	return nil
}

// completeUsers lets the shell complete the account that the first argument of a command names.
func (p *program) completeUsers(c *cobra.Command, load func() (*config.Config, error)) {
	o := &objects{program: p, kind: object.KindNamed("account"), load: load}
	c.ValidArgsFunction = o.complete
}

// complete gives the names that there are for an argument.
func (o *objects) complete(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return o.names(c.Context(), func(k *object.Kind) bool { return k == o.kind }, o.kind.Name == "account"), cobra.ShellCompDirectiveNoFileComp
}

// names are the names of the objects of some kinds, and of the accounts; nothing where there is no data folder, because a shell that completes makes none.
func (o *objects) names(ctx context.Context, wanted func(*object.Kind) bool, people bool) (all []string) {
	cfg, err := o.load()
	if err != nil {
		return nil
	}
	if _, err := os.Stat(cfg.Data); err != nil {
		return nil
	}
	user := ""
	a, err := o.open(ctx, o.load, &user)
	if err != nil {
		return nil
	}
	defer a.Close()
	set, err := a.Settings(ctx, a.domain)
	if err != nil {
		return nil
	}
	for one := range set.All() {
		if wanted(object.KindOf(one)) && object.NameOf(one) != "" {
			all = append(all, object.NameOf(one))
		}
	}
	if !people {
		return all
	}
	for acc, err := range a.Accounts(ctx, a.domain) {
		if err != nil {
			return all
		}
		all = append(all, acc.User)
	}
	return all
}
