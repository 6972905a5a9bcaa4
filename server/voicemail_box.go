// Mailboxes as the voicemail application asks for them: settings of the directory, greetings in the data folder. RFC 3842.

package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/server/mail"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/server/voicemail"
	"github.com/sipwerk/sipwerk/service/conference"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// openVoicemail makes the voicemail and its lamps; the notifier must be there.
func (s *Server) openVoicemail(ctx context.Context, ds *domains) error {
	s.messages = voicemail.Open(s.Store, s.Config.Data)
	if err := s.messages.Recover(ctx); err != nil {
		return s.dataError(err)
	}
	s.messages.Changed = func(box string) { s.events.Changed(pbx.MessageSummary, box) }
	s.messages.Stored = s.messageLeft
	dial := ""
	for _, n := range pbx.DefaultNumbers() {
		if n.Feature == pbx.Mailbox {
			dial = n.Dial
		}
	}
	boxes := &boxes{s.messages, ds, s.Store}
	s.voicemail = &pbx.Voicemail{Boxes: boxes, Messages: s.messages, Account: members{ds}.account, Dial: dial, Log: s.log}
	s.events.Packages = append(s.events.Packages, s.voicemail.Package())
	s.addPlayers(s.voicemail.Players())
	s.addPlayers(map[pbx.Feature]pbx.Player{pbx.Menu: &pbx.Menus{Directory: &menuBook{ds, s.Store, boxes}}})
	s.features.Identity = ds
	s.features.Language, s.features.Country = ds.language, ds.country
	s.features.Prompts = &prompt.Book{Folder: filepath.Join(s.Config.Data, "prompts")}
	s.features.Log = s.log
	s.features.MaxCalls = s.Config.Limits.Calls
	return nil
}

// messageLeft tells of a message that is on the disk: in the log, and to its owner by mail. One that is in the queue of mails need not be in the box too.
func (s *Server) messageLeft(m pbx.Message) {
	s.log.Info("a message was left", "box", m.Box, "id", m.ID, "from", m.From, "length", m.Length.Round(time.Second))
	domain, account := voicemail.AccountOf(m.Box)
	set := s.directory.Settings(domain)
	box := set.Mailboxes[account]
	if box == nil || box.Email == "" {
		return
	}
	fresh, _ := s.messages.Count(m.Box)
	n := mail.Voicemail{Domain: domain, Language: languageOf(set, box), To: box.Email, Box: account, From: m.From, FromName: m.FromName, At: m.Received, Length: m.Length, Count: fresh}
	if user, ok := s.directory.Lookup(domain, account); ok {
		n.BoxName = user.Name
	}
	if box.Attach {
		n.File = m.File
	}
	letter, err := n.Message()
	if err == nil {
		err = s.mail.Put(letter)
	}
	switch {
	case err == nil && box.DeleteAfterMail:
		err = s.messages.Remove(context.Background(), m.Box, m.ID)
	case errors.Is(err, mail.ErrNoServer):
		err = nil
	}
	if err != nil {
		s.log.Error("a message was not mailed", "box", m.Box, "id", m.ID, "err", err)
	}
}

// followVoicemail counts messages anew when something in the database has changed, until ctx ends.
func (s *Server) followVoicemail(ctx context.Context) {
	changed := make(chan struct{}, 1)
	s.directory.Watch(func(*object.Settings) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
		if err := s.messages.Recount(ctx, ""); err != nil && ctx.Err() == nil {
			s.log.Error("the messages of the mailboxes cannot be counted", "err", err)
		}
	}
}

// account is the account that has proved to send a request, zero if none has.
func (m members) account(ev *sip.Event) sip.URI {
	if ev.User == "" {
		return sip.URI{}
	}
	if d := m.domains.sender(ev.Request); d != nil {
		if account, ok := d.directory.Account(d.name, ev.User); ok {
			return d.uri(account)
		}
	}
	return sip.URI{}
}

// language is that of a call to an application: of the account that calls, or of the domain.
func (ds *domains) language(f *pbx.Facts) string {
	if d, account, ok := ds.account(f.Account); ok {
		return d.language(account)
	}
	if d := ds.of(f.To.URI); d != nil {
		return d.language("")
	}
	return ""
}

// country is that of a call to an application: of the domain of the account that calls, or that was called.
func (ds *domains) country(f *pbx.Facts) string {
	d, _, ok := ds.account(f.Account)
	if !ok {
		d = ds.of(f.To.URI)
	}
	if d == nil {
		return ""
	}
	return d.directory.Settings(d.name).DialPlan().Country
}

// language is that of an account, or of the domain.
func (d *domain) language(account string) string {
	set := d.directory.Settings(d.name)
	own, _ := set.Account(account)
	return cmp.Or(own.Language, set.DialPlan().Language)
}

// boxes implements [pbx.Boxes]; the greetings are with the messages.
type boxes struct {
	*voicemail.Keeper
	domains *domains
	store   *store.Store
}

// Box implements [pbx.Boxes].
func (b *boxes) Box(uri sip.URI) (pbx.Box, bool) {
	d, account, ok := b.domains.account(uri)
	if !ok {
		return pbx.Box{}, false
	}
	set, ok := d.directory.Settings(d.name).Mailboxes[account]
	if !ok {
		return pbx.Box{}, false
	}
	return pbx.Box{Account: d.uri(account), Language: cmp.Or(set.Language, d.language(account)), PIN: set.PIN != "",
		MaxLength: time.Duration(set.MaxSeconds) * time.Second, MaxMessages: set.MaxMessages}, true
}

// Opens implements [pbx.Boxes].
func (b *boxes) Opens(box *pbx.Box, digits string) bool {
	domain, account := voicemail.AccountOf(box.Name())
	set, ok := b.domains.directory.Settings(domain).Mailboxes[account]
	return ok && conference.PIN(set.PIN).Matches(digits)
}

// SetPIN implements [pbx.Boxes].
func (b *boxes) SetPIN(ctx context.Context, box *pbx.Box, digits string) error {
	hash, err := setup.HashPIN(digits)
	if err != nil {
		return err
	}
	domain, account := voicemail.AccountOf(box.Name())
	_, err = b.store.Edit(ctx, domain, func(set *object.Settings) error {
		m, ok := set.Mailboxes[account]
		if !ok {
			return fmt.Errorf("server: set PIN: there is no mailbox of %s", account)
		}
		m.PIN = object.PIN(hash)
		return nil
	})
	if err == nil {
		_, err = b.domains.directory.Refresh(ctx)
	}
	return err
}
