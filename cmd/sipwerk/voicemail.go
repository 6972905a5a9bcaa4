// `sipwerk voicemail`: what was left in mailboxes. A running server knows of a change within a second, and the lamps with it.

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/server/voicemail"
)

func (p *program) newVoicemail() *cobra.Command {
	c := &cobra.Command{
		Use:   "voicemail",
		Short: p.Text("List, export and delete the messages in mailboxes"),
		Long:  p.Text("Messages are heard by telephone (`sipwerk numbers`). These commands show what there is, copy recordings, and delete messages; they work while a server runs in the same data folder."),
	}
	c.AddCommand(p.newVoicemailList(), p.newVoicemailExport(), p.newVoicemailDelete())
	return c
}

// messages are the mailboxes of an open data folder.
type messages struct {
	*accounts
	keeper *voicemail.Keeper
}

// withMessages is [program.with] with the mailboxes.
func (p *program) withMessages(load func() (*config.Config, error), f func(c *cobra.Command, m *messages, user string) error) func(*cobra.Command, []string) error {
	return p.with(load, func(c *cobra.Command, a *accounts, user string) error {
		return f(c, &messages{a, voicemail.Open(a.Store, a.config.Data)}, user)
	})
}

// message is how a listing shows one.
type message struct {
	store.Voicemail
	Seconds float64 `json:"seconds"`
	File    string  `json:"file"`
}

func (p *program) newVoicemailList() *cobra.Command {
	c := &cobra.Command{
		Use:     "list [ACCOUNT]",
		Aliases: []string{"ls"},
		Short:   p.Text("List messages, the oldest first"),
		Long:    p.Text("Lists the messages in the mailbox of an account, or in those of all accounts of the domain."),
		Example: terminal.Examples("sipwerk voicemail list 200", "sipwerk voicemail list --json | jq -r '.[].file'"),
		Args:    p.AtMost(1),
	}
	load := p.Settings(c, "data", "domain")
	out := p.Report(c)
	c.RunE = p.withMessages(load, func(c *cobra.Command, m *messages, user string) error {
		rows, err := m.keeper.Rows(c.Context(), m.domain, user)
		if err != nil {
			return err
		}
		all := make([]message, len(rows))
		for i := range rows {
			all[i] = message{rows[i], rows[i].Length.Seconds(), m.keeper.File(&rows[i])}
		}
		return out.Write(all, func(w io.Writer) {
			fmt.Fprintln(w, p.Text("MESSAGE\tBOX\tFROM\tWHEN\tLENGTH\tSTATE"))
			for _, r := range rows {
				from := r.Caller
				if from == "" {
					from = p.Text("anonymous")
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", r.ID, r.Account, from, r.Received.Local().Format("2006-01-02 15:04"), r.Length.Round(time.Second), r.State)
			}
		})
	})
	return c
}

// find returns the messages of an account with those IDs, all of them if none is named.
func (m *messages) find(c *cobra.Command, p *program, user string, ids []string) ([]store.Voicemail, error) {
	rows, err := m.keeper.Rows(c.Context(), m.domain, user)
	if err != nil || len(ids) == 0 {
		return rows, err
	}
	byID := make(map[string]store.Voicemail, len(rows))
	for _, r := range rows {
		byID[r.ID] = r
	}
	var found []store.Voicemail
	for _, id := range ids {
		r, ok := byID[id]
		if !ok {
			return nil, p.Errorf("%s: %s has no such message; `sipwerk voicemail list %s` shows what there is", id, user, user)
		}
		found = append(found, r)
	}
	return found, nil
}

func (p *program) newVoicemailExport() *cobra.Command {
	var folder string
	c := &cobra.Command{
		Use:     "export ACCOUNT [MESSAGE…]",
		Short:   p.Text("Copy recordings out of a mailbox"),
		Long:    p.Text("Copies the recordings of messages as WAV files, of all messages of the account if none is named. The messages stay as they are."),
		Example: terminal.Examples("sipwerk voicemail export 200 --to /tmp/messages"),
		Args:    p.AtLeast("ACCOUNT"),
	}
	load := p.Settings(c, "data", "domain")
	c.Flags().StringVar(&folder, "to", ".", p.Text("folder for the files"))
	var ids []string
	c.PreRun = func(_ *cobra.Command, args []string) { ids = args[1:] }
	c.RunE = p.withMessages(load, func(c *cobra.Command, m *messages, user string) error {
		rows, err := m.find(c, p, user, ids)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
		for _, r := range rows {
			to := filepath.Join(folder, r.Account+"-"+r.ID+".wav")
			if err := copyFile(to, m.keeper.File(&r)); err != nil {
				return err
			}
			fmt.Fprintln(p.Out, to)
		}
		return nil
	})
	return c
}

// copyFile copies a file for its owner's eyes only. It never writes over another.
func copyFile(to, from string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}

func (p *program) newVoicemailDelete() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:     "delete ACCOUNT [MESSAGE…]",
		Aliases: []string{"rm"},
		Short:   p.Text("Delete messages"),
		Example: terminal.Examples("sipwerk voicemail delete 200 20261123-142233-3f9a0b1c2d3e", "sipwerk voicemail delete 200 --all"),
		Args:    p.AtLeast("ACCOUNT"),
	}
	load := p.Settings(c, "data", "domain")
	c.Flags().BoolVar(&all, "all", false, p.Text("delete every message of the account"))
	var ids []string
	c.PreRun = func(_ *cobra.Command, args []string) { ids = args[1:] }
	c.RunE = p.withMessages(load, func(c *cobra.Command, m *messages, user string) error {
		if all == (len(ids) > 0) {
			return p.Errorf("name the messages to delete, or give --all")
		}
		rows, err := m.find(c, p, user, ids)
		if err != nil {
			return err
		}
		gone := make([]string, len(rows))
		for i := range rows {
			gone[i] = rows[i].ID
		}
		if err := m.keeper.Remove(c.Context(), voicemail.BoxName(m.domain, user), gone...); err != nil {
			return err
		}
		p.Printf("%d deleted\n", len(gone))
		return nil
	})
	return c
}
