// `sipwerk group`, `sipwerk trunk` and their like: one command for each kind of objects, made from the table of kinds. A running server knows of a change at once.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/server/store"
)

// objects is what the commands of one kind share.
type objects struct {
	*program
	kind *object.Kind
	load func() (*config.Config, error)
}

// newObject is the command of a kind: add, set, list, show and remove, and more.
func (p *program) newObject(kind string, more ...*cobra.Command) *cobra.Command {
	k := object.KindNamed(kind)
	c := &cobra.Command{
		Use:   k.Name,
		Short: p.Text(k.Title),
		Long:  p.Text(k.Doc) + "\n" + p.Text("The commands work while a server runs in the same data folder: what they change is in force when they end, if it answers."),
	}
	for _, make := range []func(*objects) *cobra.Command{(*objects).newAdd, (*objects).newSet, (*objects).newList, (*objects).newShow, (*objects).newRemove} {
		if sub := make(&objects{program: p, kind: k}); sub != nil {
			c.AddCommand(sub)
		}
	}
	c.AddCommand(more...)
	return c
}

// command is a command of the kind on the data folder: run gets it open, and the name that the argument gives.
func (o *objects) command(verb, short string, run func(c *cobra.Command, a *accounts, name string) error) *cobra.Command {
	c := &cobra.Command{Use: verb, Short: short, Args: o.Exactly()}
	if o.kind.Key != "" && verb != "list" {
		c.Use += " " + strings.ToUpper(o.kind.Key)
		c.Args = o.Exactly(strings.ToUpper(o.kind.Key))
	}
	o.load = o.Settings(c, "data", "domain")
	c.RunE = o.with(o.load, run)
	return c
}

// examples are the example lines of a verb.
func (o *objects) examples(verb string) string {
	var lines []string
	for _, e := range o.kind.Examples {
		lines = append(lines, "sipwerk "+o.kind.Name+" "+verb+" "+e)
	}
	return terminal.Examples(lines...)
}

// name is the name in an example of a command.
func (o *objects) name() string {
	if o.kind.Key == "" {
		return ""
	}
	first, _, _ := strings.Cut(o.kind.Examples[0], " ")
	return " " + first
}

func (o *objects) newAdd() *cobra.Command {
	if o.kind.Key == "" || o.kind.Name == "account" { // there is always one
		return nil
	}
	var f *objectFlags
	c := o.command("add", o.Text("Add one"), func(c *cobra.Command, a *accounts, name string) error {
		return o.edit(c, a, name, f, func(set *object.Settings) (object.Object, error) {
			if set.Get(o.kind, name) != nil {
				return nil, fmt.Errorf("%s %s@%s %s; %s", o.kind.Name, name, a.domain, o.Text("exists already"), o.Text("choose another name, or change it with `sipwerk %s set`", o.kind.Name))
			}
			return o.kind.Named(name), nil
		})
	})
	c.Example = o.examples("add")
	f = o.flags(c)
	return c
}

func (o *objects) newSet() *cobra.Command {
	var f *objectFlags
	c := o.command("set", o.Text("Change what the flags name and leave the rest"), func(c *cobra.Command, a *accounts, name string) error {
		return o.edit(c, a, name, f, func(set *object.Settings) (object.Object, error) {
			before := set.Get(o.kind, name)
			if before == nil && o.kind.Key != "" && o.kind.Name != "account" {
				return nil, o.missing(a, name)
			}
			if before == nil {
				before = o.kind.Named(name)
			}
			return before, nil
		})
	})
	c.Example = o.examples("set")
	f = o.flags(c)
	c.ValidArgsFunction = o.complete
	return c
}

// edit puts the flags into the object that find finds or makes, and shows what was made.
func (o *objects) edit(c *cobra.Command, a *accounts, name string, f *objectFlags, find func(*object.Settings) (object.Object, error)) error {
	var changed object.Object
	done, err := o.setup(a).Edit(c.Context(), a.domain, func(set *object.Settings) (err error) {
		if changed, err = find(set); err != nil {
			return err
		}
		set.Put(changed)
		return f.apply(changed)
	})
	if err != nil {
		return err
	}
	if f.out.JSON {
		return f.out.Encode(o.shown(a.domain, changed, done.PINs))
	}
	w := o.Table()
	defer w.Flush()
	if name != "" {
		fmt.Fprintf(w, "%s\t%s\n", o.kind.Name, name)
	}
	fmt.Fprintf(w, "%s\t%s\n", o.Text("domain"), a.domain)
	for _, made := range done.PINs {
		fmt.Fprintf(w, "%s\t%s\n", made.Field, made.PIN)
	}
	if len(done.PINs) > 0 {
		io.WriteString(w, o.Text("A PIN is shown this once and not kept.\n"))
	}
	return nil
}

// missing says that there is no such object.
func (o *objects) missing(a *accounts, name string) error {
	return fmt.Errorf("%s %s@%s %s; %s", o.kind.Name, name, a.domain, o.Text("does not exist"), o.Text("`sipwerk %[1]s list` shows what there is, `sipwerk %[1]s add %[2]s` makes it", o.kind.Name, name))
}

// shown is an object as JSON shows it: of a secret only whether there is one, but for PINs that were just made.
func (o *objects) shown(domain string, of object.Object, made []setup.MadePIN) json.RawMessage {
	var b bytes.Buffer
	member := func(name string, value any) {
		text, _ := json.Marshal(value) // of our types, which can all be written
		fmt.Fprintf(&b, ",%q:%s", name, text)
	}
	for _, f := range o.kind.Fields() {
		if f.Secret() {
			member(f.Name, f.Sealed(of) != "")
		} else {
			member(f.Name, f.Value(of))
		}
	}
	for _, m := range made {
		member("new-"+m.Field, m.PIN)
	}
	return fmt.Appendf(nil, "{\"domain\":%q%s}", domain, &b)
}

func (o *objects) newList() *cobra.Command {
	if o.kind.Key == "" {
		return nil
	}
	var out *terminal.Report
	c := o.command("list", o.Text("List all"), func(c *cobra.Command, a *accounts, _ string) error {
		set, err := a.Settings(c.Context(), a.domain)
		if err != nil {
			return err
		}
		if out.JSON {
			all := []any{}
			for one := range set.Objects(o.kind) {
				all = append(all, o.shown(a.domain, one, nil))
			}
			return out.Encode(all)
		}
		return o.list(slices.Collect(set.Objects(o.kind)), a.domain)
	})
	c.Aliases = []string{"ls"}
	c.Example = terminal.Examples("sipwerk "+o.kind.Name+" list", "sipwerk "+o.kind.Name+" list --json | jq -r '.[].\""+o.kind.Key+"\"'")
	out = o.Report(c)
	return c
}

// list writes a line for each object: its name, its title, and the flags with which it could be added.
func (o *objects) list(all []object.Object, domain string) error {
	w := o.Table()
	defer w.Flush()
	title, titled := o.kind.Field("title")
	heading := strings.ToUpper(o.kind.Name)
	if titled {
		heading += "\t" + o.Text("TITLE")
	}
	fmt.Fprintln(w, heading+"\t"+o.Text("SETTINGS"))
	for _, one := range all {
		row := object.NameOf(one)
		if o.kind.Numbered() {
			row += "@" + domain
		}
		if titled {
			row += "\t" + title.Text(one)
		}
		fmt.Fprintln(w, row+"\t"+strings.Join(o.words(one), " "))
	}
	return nil
}

// words are the settings of an object that are not those of a new one.
func (o *objects) words(one object.Object) (words []string) {
	for _, f := range o.kind.Fields() {
		switch text := f.Text(one); {
		case f.Key || f.Name == "title" || f.IsDefault(one):
		case f.Secret() || f.Bool() && text == "yes":
			words = append(words, f.Flag)
		default:
			words = append(words, f.Flag+"="+text)
		}
	}
	return words
}

func (o *objects) newShow() *cobra.Command {
	var out *terminal.Report
	c := o.command("show", o.Text("Show one with all its settings"), func(c *cobra.Command, a *accounts, name string) error {
		set, err := a.Settings(c.Context(), a.domain)
		if err != nil {
			return err
		}
		one := set.Get(o.kind, name)
		switch {
		case one == nil && o.kind.Key != "" && o.kind.Name != "account":
			return o.missing(a, name)
		case one == nil:
			one = o.kind.Named(name)
		}
		if err := o.known(c.Context(), a, one); err != nil {
			return err
		}
		if out.JSON {
			return out.Encode(o.shown(a.domain, one, nil))
		}
		w := o.Table()
		defer w.Flush()
		for _, f := range o.kind.Fields() {
			text := strings.ReplaceAll(f.Text(one), "\n", `\n`)
			if f.Secret() && text != "" {
				text = o.Text("is set and not shown")
			}
			fmt.Fprintf(w, "%s\t%s\n", f.Name, text)
		}
		if o.kind.Name == "room" {
			o.roomKeys(w)
		}
		return nil
	})
	c.Example = terminal.Examples("sipwerk "+o.kind.Name+" show"+o.name(), "sipwerk "+o.kind.Name+" show"+o.name()+" --json")
	out = o.Report(c)
	c.ValidArgsFunction = o.complete
	return c
}

// known fails for the settings of an account that there is not.
func (o *objects) known(ctx context.Context, a *accounts, one object.Object) error {
	if o.kind.Name != "account" {
		return nil
	}
	known, err := a.HasAccount(ctx, a.domain, object.NameOf(one))
	if err == nil && !known {
		err = o.accountError(fmt.Errorf("account %s@%s %w", object.NameOf(one), a.domain, store.ErrNotFound))
	}
	return err
}

// roomKeys writes what can be dialled in a conference.
func (p *program) roomKeys(w io.Writer) {
	fmt.Fprintln(w, "\n"+p.Text("DIAL\tWHO\tIT"))
	for _, k := range server.RoomCommands() {
		who := p.Text("everybody")
		if k.Moderator {
			who = p.Text("moderators")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", k.Dial, who, p.Text(k.Description))
	}
}

func (o *objects) newRemove() *cobra.Command {
	if o.kind.Name == "account" {
		return nil
	}
	c := o.command("remove", o.Text("Remove one"), func(c *cobra.Command, a *accounts, name string) error {
		_, err := o.setup(a).Edit(c.Context(), a.domain, func(set *object.Settings) error {
			if set.Get(o.kind, name) == nil {
				return o.missing(a, name)
			}
			set.Remove(o.kind, name)
			return nil
		})
		if err != nil {
			return err
		}
		if name == "" {
			name = o.kind.Name
		}
		o.Printf("%s@%s is removed\n", name, a.domain)
		return nil
	})
	c.Aliases = []string{"rm"}
	c.Example = terminal.Examples("sipwerk " + o.kind.Name + " remove" + o.name())
	c.ValidArgsFunction = o.complete
	return c
}
