// `sipwerk room`: conference rooms, kept in the data folder. A running server knows of a change within a second.

package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/store"
)

func (p *program) newRoom() *cobra.Command {
	c := &cobra.Command{
		Use:   "room",
		Short: p.tr("Add, change, list and remove conference rooms"),
		Long: p.tr("A room is called like an account; everybody in it hears the others. A conference under way keeps the settings with which it began.\n" +
			"The commands work while a server runs in the same data folder, and it knows of a change within a second."),
	}
	c.AddCommand(p.newRoomAdd(), p.newRoomSet(), p.newRoomList(), p.newRoomShow(), p.newRoomRemove())
	return c
}

// room is how a listing shows one. PINs are shown only when they were made here.
type room struct {
	Domain           string    `json:"domain"`
	User             string    `json:"user"`
	Title            string    `json:"title"`
	PIN              bool      `json:"pin"`
	ModeratorPIN     bool      `json:"moderator_pin"`
	Owners           []string  `json:"owners"`
	Max              int       `json:"max"`
	WaitForModerator bool      `json:"wait_for_moderator"`
	MuteOnEntry      bool      `json:"mute_on_entry"`
	Quiet            bool      `json:"quiet"`
	Record           bool      `json:"record"`
	Factory          bool      `json:"factory"`
	Created          time.Time `json:"created"`
	NewPIN           string    `json:"new_pin,omitempty"`
	NewModeratorPIN  string    `json:"new_moderator_pin,omitempty"`
}

func roomOf(r *store.Room) room {
	return room{Domain: r.Domain, User: r.User, Title: r.Title, PIN: r.PIN != "", ModeratorPIN: r.ModeratorPIN != "", Owners: append([]string{}, r.Owners...), Max: r.MaxMembers,
		WaitForModerator: r.WaitForModerator, MuteOnEntry: r.MuteOnEntry, Quiet: r.Quiet, Record: r.Record, Factory: r.Factory, Created: r.Created}
}

// roomFlags are the settings of a room on the command line.
type roomFlags struct {
	title, pin, moderator                      string
	owners                                     []string
	max                                        int
	wait, mute, quiet, record, factory, asJSON bool
	madePIN, madeModerator                     string // shown once
}

func (p *program) roomFlags(c *cobra.Command) *roomFlags {
	f := new(roomFlags)
	c.Flags().StringVar(&f.title, "title", "", p.tr("what the room is called on displays"))
	c.Flags().StringVar(&f.pin, "pin", "", p.tr("4 to 16 digits that are asked of callers; new makes a PIN and shows it once, none asks for nothing"))
	c.Flags().StringVar(&f.moderator, "moderator-pin", "", p.tr("the same, for who becomes a moderator by it"))
	c.Flags().StringSliceVar(&f.owners, "owner", nil, p.tr("account that is a moderator without a PIN; may be given several times"))
	c.Flags().IntVar(&f.max, "max", 0, p.tr("members at once; 0: as many as the server lets"))
	c.Flags().BoolVar(&f.wait, "wait-for-moderator", false, p.tr("nobody hears anything before a moderator is there"))
	c.Flags().BoolVar(&f.mute, "mute-on-entry", false, p.tr("whoever comes is muted, but for moderators"))
	c.Flags().BoolVar(&f.quiet, "quiet", false, p.tr("no tones when somebody comes or goes"))
	c.Flags().BoolVar(&f.record, "record", false, p.tr("record every conference, in the folder recordings"))
	c.Flags().BoolVar(&f.factory, "factory", false, p.tr("each call makes a room of its own (conference factory)"))
	c.Flags().BoolVar(&f.asJSON, "json", false, p.tr("write JSON"))
	return f
}

// apply puts the flags that were given into r.
func (f *roomFlags) apply(c *cobra.Command, r *store.Room) (err error) {
	given := c.Flags().Changed
	if given("pin") {
		if r.PIN, f.madePIN, err = hashPIN(f.pin); err != nil {
			return fmt.Errorf("--pin: %w", err)
		}
	}
	if given("moderator-pin") {
		if r.ModeratorPIN, f.madeModerator, err = hashPIN(f.moderator); err != nil {
			return fmt.Errorf("--moderator-pin: %w", err)
		}
	}
	if given("title") {
		r.Title = f.title
	}
	if given("owner") {
		r.Owners = f.owners
	}
	if given("max") {
		r.MaxMembers = f.max
	}
	for _, flag := range []struct {
		name     string
		from, to *bool
	}{{"wait-for-moderator", &f.wait, &r.WaitForModerator}, {"mute-on-entry", &f.mute, &r.MuteOnEntry}, {"quiet", &f.quiet, &r.Quiet},
		{"record", &f.record, &r.Record}, {"factory", &f.factory, &r.Factory}} {
		if given(flag.name) {
			*flag.to = *flag.from
		}
	}
	return nil
}

// hashPIN hashes the PIN of a flag; made is one that was made here.
func hashPIN(value string) (hash, made string, err error) {
	switch value {
	case "", "none":
		return "", "", nil
	case "new":
		n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
		if err != nil {
			return "", "", err
		}
		made = fmt.Sprintf("%06d", n)
		value = made
	}
	hash, err = server.HashPIN(value)
	return hash, made, err
}

func (p *program) newRoomAdd() *cobra.Command {
	c := &cobra.Command{
		Use:     "add NUMBER",
		Short:   p.tr("Add a conference room"),
		Long:    p.tr("Adds a room that is called by a number or by a name. What can be dialled in it is shown by `sipwerk room show`."),
		Example: examples("sipwerk room add 4000 --title Sales", "sipwerk room add board --pin new --owner alice --wait-for-moderator", "sipwerk room add conference --factory"),
		Args:    p.exactly("NUMBER"),
	}
	load := p.settings(c, "data", "domain")
	f := p.roomFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		user := args[0]
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		r := store.Room{Domain: a.domain, User: user}
		if err := f.apply(c, &r); err != nil {
			return err
		}
		if err := a.AddRoom(c.Context(), r); err != nil {
			return p.roomError(err)
		}
		return p.reportRoom(c, a, user, f)
	}
	return c
}

func (p *program) newRoomSet() *cobra.Command {
	c := &cobra.Command{
		Use:     "set NUMBER",
		Short:   p.tr("Change a conference room"),
		Long:    p.tr("Changes what the flags name and leaves the rest. A conference under way keeps the settings with which it began."),
		Example: examples("sipwerk room set 4000 --pin new", "sipwerk room set 4000 --pin none --record=false", "sipwerk room set board --owner alice,bob"),
		Args:    p.exactly("NUMBER"),
	}
	load := p.settings(c, "data", "domain")
	f := p.roomFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		user := args[0]
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		r, err := a.Room(c.Context(), a.domain, user)
		if err == nil {
			err = f.apply(c, &r)
		}
		if err == nil {
			err = a.SetRoom(c.Context(), r)
		}
		if err != nil {
			return p.roomError(err)
		}
		return p.reportRoom(c, a, user, f)
	}
	return c
}

// reportRoom shows a room after a change, with the PINs that were made.
func (p *program) reportRoom(c *cobra.Command, a *accounts, user string, f *roomFlags) error {
	r, err := a.Room(c.Context(), a.domain, user)
	if err != nil {
		return err
	}
	if f.asJSON {
		out := roomOf(&r)
		out.NewPIN, out.NewModeratorPIN = f.madePIN, f.madeModerator
		return json.NewEncoder(p.out).Encode(out)
	}
	p.printf("room    %s\ndomain  %s\n", r.User, r.Domain)
	if f.madePIN != "" {
		p.printf("PIN            %s\n", f.madePIN)
	}
	if f.madeModerator != "" {
		p.printf("moderator PIN  %s\n", f.madeModerator)
	}
	if f.madePIN+f.madeModerator != "" {
		p.printf("A PIN is shown this once and not kept.\n")
	}
	return nil
}

// roomError adds the cure to an error of the store.
func (p *program) roomError(err error) error {
	switch {
	case errors.Is(err, store.ErrExists):
		return fmt.Errorf("%w; %s", err, p.tr("choose another number, or change the room with `sipwerk room set`"))
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("%w; %s", err, p.tr("`sipwerk room list` shows what there is"))
	}
	return err
}

func (p *program) newRoomList() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   p.tr("List conference rooms"),
		Example: examples("sipwerk room list", "sipwerk room list --json | jq -r '.[].user'"),
		Args:    p.exactly(),
	}
	load := p.settings(c, "data", "domain")
	c.Flags().BoolVar(&asJSON, "json", false, p.tr("write JSON"))
	c.RunE = func(c *cobra.Command, _ []string) error {
		user := ""
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		rs, err := a.Rooms(c.Context(), a.domain)
		if err != nil {
			return err
		}
		if asJSON {
			out := make([]room, len(rs))
			for i := range rs {
				out[i] = roomOf(&rs[i])
			}
			return json.NewEncoder(p.out).Encode(out)
		}
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		defer w.Flush()
		fmt.Fprintln(w, p.tr("ROOM\tTITLE\tSETTINGS"))
		for i := range rs {
			fmt.Fprintf(w, "%s@%s\t%s\t%s\n", rs[i].User, rs[i].Domain, rs[i].Title, strings.Join(settingsOf(&rs[i]), " "))
		}
		return nil
	}
	return c
}

// settingsOf are the flags with which a room could be added.
func settingsOf(r *store.Room) []string {
	var words []string
	say := func(on bool, word string) {
		if on {
			words = append(words, word)
		}
	}
	say(r.PIN != "", "pin")
	say(r.ModeratorPIN != "", "moderator-pin")
	say(len(r.Owners) > 0, "owner="+strings.Join(r.Owners, ","))
	say(r.MaxMembers > 0, fmt.Sprintf("max=%d", r.MaxMembers))
	say(r.WaitForModerator, "wait-for-moderator")
	say(r.MuteOnEntry, "mute-on-entry")
	say(r.Quiet, "quiet")
	say(r.Record, "record")
	say(r.Factory, "factory")
	return words
}

func (p *program) newRoomShow() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "show NUMBER",
		Short:   p.tr("Show a conference room and what can be dialled in it"),
		Example: examples("sipwerk room show 4000", "sipwerk room show 4000 --json"),
		Args:    p.exactly("NUMBER"),
	}
	load := p.settings(c, "data", "domain")
	c.Flags().BoolVar(&asJSON, "json", false, p.tr("write JSON"))
	c.RunE = func(c *cobra.Command, args []string) error {
		user := args[0]
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		r, err := a.Room(c.Context(), a.domain, user)
		if err != nil {
			return p.roomError(err)
		}
		if asJSON {
			return json.NewEncoder(p.out).Encode(roomOf(&r))
		}
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		defer w.Flush()
		fmt.Fprintln(w, p.tr("ROOM\tTITLE\tSETTINGS"))
		fmt.Fprintf(w, "%s@%s\t%s\t%s\n\n", r.User, r.Domain, r.Title, strings.Join(settingsOf(&r), " "))
		fmt.Fprintln(w, p.tr("DIAL\tWHO\tIT"))
		for _, k := range server.RoomCommands() {
			who := p.tr("everybody")
			if k.Moderator {
				who = p.tr("moderators")
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", k.Dial, who, p.tr(k.Description))
		}
		return nil
	}
	return c
}

func (p *program) newRoomRemove() *cobra.Command {
	c := &cobra.Command{
		Use:     "remove NUMBER",
		Aliases: []string{"rm"},
		Short:   p.tr("Remove a conference room"),
		Example: examples("sipwerk room remove 4000"),
		Args:    p.exactly("NUMBER"),
	}
	load := p.settings(c, "data", "domain")
	c.RunE = func(c *cobra.Command, args []string) error {
		user := args[0]
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		if err := a.RemoveRoom(c.Context(), a.domain, user); err != nil {
			return p.roomError(err)
		}
		p.printf("%s@%s is removed\n", user, a.domain)
		return nil
	}
	return c
}
