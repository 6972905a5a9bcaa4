// The mail of a missed call, from the call to the queue.

package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/mail"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/sip"
)

// TestMissedCall: who wants a mail of missed calls gets one, in the language of the box; others do not.
func TestMissedCall(t *testing.T) {
	s := start(t, nil)
	desk := &setup.Setup{Store: s.Store}
	if _, err := desk.Edit(t.Context(), "example.org", func(set *object.Settings) error {
		set.Put(&object.Mail{Host: "127.0.0.1", Port: 1, TLS: "starttls", From: "phone@example.org"})
		account(set, "bob", func(a *object.Account) { a.ForwardOffline = "hangup" }) // not to the voicemail
		set.Put(&object.Mailbox{User: "bob", Email: "bob@example.com", Attach: true, Missed: true, Language: "de", MaxSeconds: 60, MaxMessages: 10})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	alice, bob := telephone(t, s, "alice", "udp"), telephone(t, s, "bob", "udp")
	if _, err := bob.Dial(t.Context(), "sip:alice@example.org"); sip.StatusOf(err) != sip.StatusTemporarilyUnavailable {
		t.Fatal(err)
	}
	if _, err := alice.Dial(t.Context(), "sip:bob@example.org"); sip.StatusOf(err) != sip.StatusDecline {
		t.Fatal(err)
	}
	deadline := time.After(time.Minute)
	var list []mail.Entry
	for len(list) == 0 {
		var err error
		if list, err = mail.List(MailFolder(s.Config.Data)); err != nil {
			t.Fatal(err)
		}
		select {
		case <-deadline:
			t.Fatal("there is no mail")
		case <-time.After(10 * time.Millisecond):
		}
	}
	if len(list) != 1 || list[0].To != "bob@example.com" || list[0].Subject != "Anruf von ALICE (alice@example.org) verpasst" {
		t.Errorf("%+v", list)
	}
	text, err := os.ReadFile(filepath.Join(MailFolder(s.Config.Data), list[0].ID+".mail"))
	if err != nil || !strings.Contains(string(text), "From: <phone@example.org>") || !strings.Contains(string(text), "BOB (bob)") {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestMissedByVoicemail: a caller whom the voicemail has answered and who leaves no message is a missed call; one who leaves a message is none, nor is one whom a telephone has answered.
func TestMissedByVoicemail(t *testing.T) {
	s := start(t, nil)
	edit(t, s, func(set *object.Settings) {
		set.Put(&object.Mail{Host: "127.0.0.1", Port: 1, TLS: "starttls", From: "phone@example.org"})
		set.Put(&object.Mailbox{User: "alice", Email: "alice@example.com", Missed: true, MaxSeconds: 60, MaxMessages: 10})
		set.Put(&object.Mailbox{User: "bob", Email: "bob@example.com", Missed: true, MaxSeconds: 60, MaxMessages: 10})
	})
	now := time.Now()
	if err := s.Store.AddVoicemail(t.Context(), store.Voicemail{ID: "1", Domain: "example.org", Account: "alice", State: store.VoicemailNew, Received: now}); err != nil {
		t.Fatal(err)
	}
	call := func(to string, answerer store.CDRLeg) {
		answerer.Side, answerer.Answer = "callee", now
		s.notify(&store.CDR{From: "sip:200@example.org", To: "sip:" + to + "@example.org", Start: now, Answer: now, End: now, Status: 200, Legs: []store.CDRLeg{{Side: "caller", Answer: now}, answerer}})
	}
	call("bob", store.CDRLeg{Account: "bob"})
	call("bob", store.CDRLeg{Account: "carol"}) // picked up, forwarded
	call("bob", store.CDRLeg{Trunk: "provider"})
	call("alice", store.CDRLeg{Target: "sip:voicemail@inside"}) // she has a message
	call("bob", store.CDRLeg{Target: "sip:voicemail@inside"})
	deadline := time.After(time.Minute)
	for {
		list, err := mail.List(MailFolder(s.Config.Data))
		if err != nil {
			t.Fatal(err)
		}
		if len(list) > 0 {
			if len(list) != 1 || list[0].To != "bob@example.com" || list[0].Subject != "Missed call from 200@example.org" {
				t.Errorf("mails %+v", list)
			}
			return
		}
		select {
		case <-deadline:
			t.Fatal("there is no mail")
		case <-time.After(10 * time.Millisecond):
		}
	}
}
