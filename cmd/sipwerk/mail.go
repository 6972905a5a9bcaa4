// `sipwerk mail test` and `sipwerk mail queue`: whether mail can be sent, and what waits.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/mail"
)

func (p *program) newMailTest() *cobra.Command {
	c := &cobra.Command{
		Use:     "test ADDRESS",
		Short:   p.Text("Send a mail now and say what the mail server said"),
		Long:    p.Text("Sends a mail to ADDRESS by the mail server of the domain, at once and not by the queue. What goes wrong is said in one sentence, with what helps."),
		Example: terminal.Examples("sipwerk mail test me@example.org"),
		Args:    p.Exactly("ADDRESS"),
	}
	load := p.Settings(c, "data", "domain")
	c.RunE = func(c *cobra.Command, args []string) error {
		user := ""
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		if err := p.testMail(c.Context(), a, args[0]); err != nil {
			return p.mailError(err)
		}
		p.Printf("the mail server has taken a mail to %s\n", args[0])
		return nil
	}
	return c
}

// testMail sends a mail.
func (p *program) testMail(ctx context.Context, a *accounts, to string) error {
	all, err := a.Settings(ctx, a.domain)
	if err != nil {
		return err
	}
	set, err := server.MailSettings(all.Mail, a.Reveal)
	if err != nil {
		return err
	}
	m, err := mail.Test(a.domain, p.Language(), to)
	if err != nil {
		return err
	}
	return set.Try(ctx, m)
}

// mailError says an error in the language of the user.
func (p *program) mailError(err error) error {
	var f *mail.Failure
	switch {
	case errors.As(err, &f):
		return errors.New(p.Text(f.Sentence(), f.Arguments()...))
	case errors.Is(err, mail.ErrNoServer):
		return errors.New(p.Text("no mail server is set; set one with `sipwerk mail set`"))
	}
	return err
}

func (p *program) newMailQueue() *cobra.Command {
	c := &cobra.Command{
		Use:     "queue",
		Short:   p.Text("List mails that wait or were given up"),
		Example: terminal.Examples("sipwerk mail queue", "sipwerk mail queue --json | jq '.[] | select(.failed)'"),
		Args:    p.Exactly(),
	}
	load := p.Settings(c, "data", "domain")
	out := p.Report(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := load()
		if err != nil {
			return err
		}
		list, err := mail.List(server.MailFolder(cfg.Data))
		if err != nil {
			return err
		}
		return out.Write(append([]mail.Entry{}, list...), func(w io.Writer) {
			fmt.Fprintln(w, p.Text("SINCE\tTO\tSUBJECT\tATTEMPTS\tNEXT\tERROR"))
			for _, e := range list {
				next := p.Text("given up")
				if !e.Failed {
					next = e.Next.Local().Format(time.DateTime)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", e.Created.Local().Format(time.DateTime), e.To, e.Subject, e.Attempts, next, e.Error)
			}
		})
	}
	return c
}
