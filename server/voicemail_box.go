// Mailboxes as the voicemail application asks for them: settings of the directory, greetings in the data folder. RFC 3842.

package server

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/conference"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// openVoicemail makes the voicemail and its lamps; the notifier must be there.
func (s *Server) openVoicemail(ctx context.Context, ds *domains) error {
	s.messages = OpenVoicemail(s.Store, s.Config.Data)
	if err := s.messages.recover(ctx); err != nil {
		return s.dataError(err)
	}
	s.messages.changed = func(box string) { s.events.Changed(pbx.MessageSummary, box) }
	s.messages.stored = func(m pbx.Message) {
		s.log.Info("a message was left", "box", m.Box, "id", m.ID, "from", m.From, "length", m.Length.Round(time.Second))
	}
	dial := ""
	for _, n := range pbx.DefaultNumbers() {
		if n.Feature == pbx.Mailbox {
			dial = n.Dial
		}
	}
	boxes := &boxes{ds, s.messages}
	s.voicemail = &pbx.Voicemail{Boxes: boxes, Messages: s.messages, Account: members{ds}.account, Dial: dial, Log: s.log}
	s.events.Packages = append(s.events.Packages, s.voicemail.Package())
	s.addPlayers(s.voicemail.Players())
	s.addPlayers(map[pbx.Feature]pbx.Player{pbx.Menu: &pbx.Menus{Directory: &menuBook{ds, s.Store, boxes}}})
	s.features.Identity = ds
	s.features.Language = ds.language
	s.features.Prompts = &prompt.Book{Folder: filepath.Join(s.Config.Data, "prompts")}
	s.features.Log = s.log
	s.features.MaxCalls = s.Config.Limits.Calls
	return nil
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
		if err := s.messages.recount(ctx, ""); err != nil && ctx.Err() == nil {
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

// language is that of an account, or of the domain.
func (d *domain) language(account string) string {
	set := d.directory.Settings(d.name)
	own, _ := set.Account(account)
	return cmp.Or(own.Language, set.DialPlan().Language)
}

// boxes implements [pbx.Boxes].
type boxes struct {
	domains  *domains
	messages *Voicemail
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
	domain, account := boxOf(box.Name())
	set, ok := b.domains.directory.Settings(domain).Mailboxes[account]
	return ok && conference.PIN(set.PIN).Matches(digits)
}

// SetPIN implements [pbx.Boxes].
func (b *boxes) SetPIN(ctx context.Context, box *pbx.Box, digits string) error {
	hash, err := HashPIN(digits)
	if err != nil {
		return err
	}
	domain, account := boxOf(box.Name())
	_, err = b.messages.store.Edit(ctx, domain, func(set *object.Settings) error {
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

// greeting is the file of a greeting.
func (b *boxes) greeting(box *pbx.Box, g pbx.Greeting) string {
	domain, account := boxOf(box.Name())
	return filepath.Join(b.messages.folder, domain, account, "greetings", string(g)+".wav")
}

// Greeting implements [pbx.Boxes].
func (b *boxes) Greeting(box *pbx.Box, g pbx.Greeting) (string, bool) {
	file := b.greeting(box, g)
	_, err := os.Stat(file)
	return file, err == nil
}

// RecordGreeting implements [pbx.Boxes].
func (b *boxes) RecordGreeting(box *pbx.Box, g pbx.Greeting, rate int) (pbx.Take, error) {
	file := b.greeting(box, g)
	t, err := newTape(file+".part", rate)
	if err != nil {
		return nil, err
	}
	return &greetingTake{t, file}, nil
}

// RemoveGreeting implements [pbx.Boxes].
func (b *boxes) RemoveGreeting(box *pbx.Box, g pbx.Greeting) error {
	if err := os.Remove(b.greeting(box, g)); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("server: remove greeting: %w", err)
	}
	return nil
}

// greetingTake is a greeting that is being spoken.
type greetingTake struct {
	*tape
	name string // the file that it becomes
}

// Keep implements [pbx.Take].
func (t *greetingTake) Keep(context.Context, time.Duration) error {
	if err := t.finish(); err != nil {
		return err
	}
	if err := os.Rename(t.File(), t.name); err != nil {
		return fmt.Errorf("server: keep greeting: %w", err)
	}
	return syncFolder(filepath.Dir(t.name))
}

// Drop implements [pbx.Take].
func (t *greetingTake) Drop() {
	t.close()
	_ = os.Remove(t.File()) // behind Keep it has another name
}
