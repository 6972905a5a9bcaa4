// What the server says by mail: messages that were left, and calls that were missed.

package server

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/server/mail"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/sip"
)

// missedQueue is how many missed calls wait to become mails; of more there is no mail.
const missedQueue = 1000

// books is what the server keeps of calls, and says of them.
type books struct {
	records *records
	mail    *mail.Queue
	missed  chan missedCall // of which there is to be a mail
}

// MailFolder is the queue of mails in a data folder.
func MailFolder(data string) string { return filepath.Join(data, "mail") }

// openMail opens the queue.
func (s *Server) openMail() error {
	s.missed = make(chan missedCall, missedQueue)
	s.mail = &mail.Queue{Folder: MailFolder(s.Config.Data), Log: s.log, Settings: func(domain string) (mail.Settings, error) {
		return MailSettings(s.directory.Settings(domain).Mail, s.directory.Reveal)
	}}
	if err := s.mail.Open(); err != nil {
		return s.dataError(err)
	}
	return nil
}

// MailSettings are those of a mail server as package mail takes them. The error wraps [mail.ErrNoServer] if none is set.
func MailSettings(m *object.Mail, reveal func(object.Secret) (string, error)) (mail.Settings, error) {
	if m == nil || m.Host == "" {
		return mail.Settings{}, mail.ErrNoServer
	}
	password, err := reveal(m.Secret)
	if err != nil {
		return mail.Settings{}, fmt.Errorf("secret of the mail server: %w", err)
	}
	key, err := reveal(m.DKIMKey)
	if err != nil {
		return mail.Settings{}, fmt.Errorf("dkim-key: %w", err)
	}
	return mail.Settings{Host: m.Host, Port: m.Port, TLS: m.TLS, User: m.User, Password: password, From: m.From, Trust: m.Trust,
		Key: mail.Key{Domain: m.DKIMDomain, Selector: m.DKIMSelector, PEM: key}}, nil
}

// runMail sends mail until ctx ends.
func (s *Server) runMail(ctx context.Context) {
	s.running.Go(func() { s.mail.Run(ctx) })
	for {
		select {
		case <-ctx.Done():
			return
		case m := <-s.missed:
			if !m.machine {
				s.put(m.Message())
				continue
			}
			s.running.Go(func() { s.unlessLeft(ctx, m) })
		}
	}
}

// missedCall is one of which there is to be a mail.
type missedCall struct {
	mail.Missed
	machine bool // no person has answered, but the voicemail or the like
}

// messageTime is how soon behind the end of its call a message is in the box.
const messageTime = 2 * time.Second

// unlessLeft sends the mail of a call that the voicemail has answered, unless a message was left: that has a mail of its own.
func (s *Server) unlessLeft(ctx context.Context, m missedCall) {
	select {
	case <-ctx.Done():
	case <-time.After(messageTime):
	}
	messages, err := s.Store.Voicemails(context.WithoutCancel(ctx), m.Domain, m.Account)
	if err != nil {
		s.log.Error("the messages of a box cannot be read", "box", m.Account, "err", err)
	}
	if !slices.ContainsFunc(messages, func(v store.Voicemail) bool { return !v.Received.Before(m.At.Truncate(time.Second)) }) {
		s.put(m.Message())
	}
}

// byPerson reports whether a telephone has answered a call, here or behind a trunk.
func byPerson(c *store.CDR) bool {
	return slices.ContainsFunc(c.Legs, func(l store.CDRLeg) bool {
		return l.Side == "callee" && !l.Answer.IsZero() && (l.Account != "" || l.Trunk != "")
	})
}

// put queues a mail and logs why it cannot be. A domain without a mail server wants none.
func (s *Server) put(m mail.Message, err error) {
	if err == nil {
		err = s.mail.Put(m)
	}
	if err != nil && !errors.Is(err, mail.ErrNoServer) {
		s.log.Error("a mail was not queued", "to", m.To, "err", err)
	}
}

// notify is told of each call record, in the stripe of the call: of a call that no person has answered, who was called gets a mail, if the mailbox says so.
func (s *Server) notify(c *store.CDR) {
	if byPerson(c) {
		return
	}
	to, err := sip.ParseURI(c.To)
	if err != nil {
		return
	}
	d, account, ok := s.records.domains.account(to)
	if !ok {
		return
	}
	set := s.directory.Settings(d.name)
	box := set.Mailboxes[account]
	if box == nil || !box.Missed || box.Email == "" || set.Mail == nil || account == c.Account {
		return
	}
	m := missedCall{machine: !c.Answer.IsZero()}
	m.Missed = mail.Missed{Domain: d.name, Language: languageOf(set, box), To: box.Email, Account: account, From: c.From, FromName: c.Name, At: c.Start,
		Busy: c.Status == int(sip.StatusBusyHere) || c.Status == int(sip.StatusBusyEverywhere)}
	if user, ok := s.directory.Lookup(d.name, account); ok {
		m.Name = user.Name
	}
	if !c.Ring.IsZero() {
		m.Rang = c.End.Sub(c.Ring)
	}
	select {
	case s.missed <- m:
	default:
		s.log.Warn("too many missed calls at once; there is no mail of this one", "account", account, "from", c.From)
	}
}

// languageOf is the language in which a box writes.
func languageOf(set *object.Settings, box *object.Mailbox) string {
	if box.Language != "" {
		return box.Language
	}
	if a, _ := set.Account(box.User); a.Language != "" {
		return a.Language
	}
	return set.DialPlan().Language
}
