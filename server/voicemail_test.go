// Voicemail of a whole server: messages outlive the program, and the lamp follows them. RFC 3842.

package server

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/voicemail"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// withBox gives an account a mailbox.
func withBox(t *testing.T, s *Server, account string) {
	t.Helper()
	_, err := s.Store.Edit(t.Context(), "example.org", func(set *object.Settings) error {
		set.Put(object.KindNamed("mailbox").Named(account))
		return nil
	})
	if err == nil {
		_, err = s.directory.Refresh(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// speak records a message of some seconds, and keeps it if that is wanted.
func speak(t *testing.T, v *voicemail.Keeper, account string, seconds int, keep bool) pbx.Take {
	t.Helper()
	take, err := v.Record(t.Context(), pbx.Message{Box: voicemail.BoxName("example.org", account), From: "200", Received: time.Now()}, 8000)
	if err == nil {
		err = take.WriteSamples(make([]int16, 8000*seconds))
	}
	if err == nil && keep {
		err = take.Keep(t.Context(), time.Duration(seconds)*time.Second)
	}
	if err != nil {
		t.Fatal(err)
	}
	return take
}

// TestMessages: a message is forwarded, heard and removed, and the counts follow.
func TestMessages(t *testing.T) {
	s := start(t, nil)
	withBox(t, s, "alice")
	withBox(t, s, "bob")
	var told []string
	s.messages.Stored = func(m pbx.Message) { told = append(told, m.Box) }
	v, ctx := s.messages, t.Context()
	speak(t, v, "alice", 2, true)
	all, err := v.List(ctx, "sip:alice@example.org")
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	bob, ok := s.voicemail.Boxes.Box(sip.URI{Scheme: "sip", User: "bob", Host: "example.org"})
	if !ok {
		t.Fatal("no box")
	}
	if err := v.Forward(ctx, all[0], &bob, "alice"); err != nil {
		t.Fatal(err)
	}
	if err := v.Save(ctx, all[0]); err != nil {
		t.Fatal(err)
	}
	if fresh, saved := v.Count("sip:alice@example.org"); fresh != 0 || saved != 1 {
		t.Errorf("%d new, %d saved", fresh, saved)
	}
	if forwarded, _ := v.List(ctx, bob.Name()); len(forwarded) != 1 || forwarded[0].Forwarded != "alice" || forwarded[0].Length != 2*time.Second {
		t.Errorf("%+v", forwarded)
	}
	if err := v.Remove(ctx, "sip:alice@example.org", all[0].ID); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(all[0].File); err == nil {
		t.Error("the recording of a message that was removed is still there")
	}
	if strings.Join(told, " ") != "sip:alice@example.org sip:bob@example.org" {
		t.Errorf("told of %v", told)
	}
}

// TestBoxes: what a box is set to, its PIN, and the greetings of its owner.
func TestBoxes(t *testing.T) {
	s := start(t, nil)
	withBox(t, s, "alice")
	boxes := s.voicemail.Boxes
	if _, ok := boxes.Box(sip.URI{Scheme: "sip", User: "bob", Host: "example.org"}); ok {
		t.Error("bob has a box")
	}
	box, ok := boxes.Box(sip.URI{Scheme: "sip", User: "alice-desk", Host: "example.org"})
	if !ok || box.PIN || box.Name() != "sip:alice@example.org" || box.MaxLength != 3*time.Minute || box.MaxMessages != 100 {
		t.Errorf("%+v", box)
	}
	if err := boxes.SetPIN(t.Context(), &box, "8064"); err != nil {
		t.Fatal(err)
	}
	if box, _ = boxes.Box(box.Account); !box.PIN || !boxes.Opens(&box, "8064") || boxes.Opens(&box, "8065") {
		t.Error("the PIN that was set")
	}
	take, err := boxes.RecordGreeting(&box, pbx.GreetBusy, 8000)
	if err == nil {
		err = take.WriteSamples(make([]int16, 8000))
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := boxes.Greeting(&box, pbx.GreetBusy); ok {
		t.Error("a greeting is heard before it is kept")
	}
	if err := take.Keep(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	take.Drop()
	if _, ok := boxes.Greeting(&box, pbx.GreetBusy); !ok {
		t.Error("the greeting was not kept")
	}
	if err := boxes.RemoveGreeting(&box, pbx.GreetBusy); err != nil || boxes.RemoveGreeting(&box, pbx.GreetBusy) != nil {
		t.Error(err)
	}
}

// TestMessageLamp: the lamp of a box is for its owner, goes on when a message comes and off when another process removes it. RFC 3842 §3.6, §5.2.
func TestMessageLamp(t *testing.T) {
	s := start(t, nil)
	withBox(t, s, "alice")
	withBox(t, s, "bob")
	h := newHandset(t, s)
	subscribe := func(uri, from, expires string) *sip.Request {
		return h.request("SUBSCRIBE", uri, from, "Event: message-summary", "Accept: application/simple-message-summary", "Expires: "+expires,
			"Contact: <sip:alice@"+h.conn.LocalAddr().String()+">")
	}
	if res := h.prove(subscribe("sip:bob@example.org", "sip:alice@example.org", "0"), "alice", "secret of alice"); res.Status != sip.StatusForbidden {
		t.Errorf("bob's lamp: %d", res.Status)
	}
	if res := h.prove(subscribe("sip:alice@example.org", "sip:alice@example.org", "600"), "alice", "secret of alice"); res.Status != sip.StatusOK {
		t.Fatalf("her lamp: %s", res)
	}
	notify := func(want string) {
		t.Helper()
		_ = h.conn.SetReadDeadline(time.Now().Add(time.Minute))
		for {
			req := h.notify()
			if strings.Contains(string(req.Body()), want) {
				if !strings.Contains(string(req.Body()), "Message-Account: sip:*97@example.org\r\n") {
					t.Errorf("%s", req.Body())
				}
				return
			}
		}
	}
	notify("Messages-Waiting: no\r\n")
	speak(t, s.messages, "alice", 2, true)
	notify("Voice-Message: 1/0 (0/0)\r\n")
	other := voicemail.Open(s.Store, s.Config.Data)
	rows, err := other.Rows(t.Context(), "example.org", "alice")
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	if err := other.Remove(context.Background(), "sip:alice@example.org", rows[0].ID); err != nil {
		t.Fatal(err)
	}
	notify("Messages-Waiting: no\r\n")
}

// TestMessageMailed: a message goes to the queue of mails with its recording, and only then leaves the box, if that is wanted.
func TestMessageMailed(t *testing.T) {
	s := start(t, nil)
	mails := func() int {
		files, err := filepath.Glob(filepath.Join(MailFolder(s.Config.Data), "*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	before := mails()
	set := func(host string) {
		_, err := s.Store.Edit(t.Context(), "example.org", func(set *object.Settings) error {
			box := object.KindNamed("mailbox").Named("alice").(*object.Mailbox)
			box.Email, box.DeleteAfterMail = "alice@example.net", true
			set.Put(box)
			if host != "" {
				set.Mail = &object.Mail{Host: host, Port: 1, TLS: "none", From: "pbx@example.org"}
			}
			return nil
		})
		if err == nil {
			_, err = s.directory.Refresh(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	set("")
	speak(t, s.messages, "alice", 2, true)
	if fresh, _ := s.messages.Count("sip:alice@example.org"); fresh != 1 || mails() != before {
		t.Errorf("%d messages and %d mails without a mail server", fresh, mails()-before)
	}
	set("127.0.0.1")
	speak(t, s.messages, "alice", 2, true)
	if fresh, _ := s.messages.Count("sip:alice@example.org"); fresh != 1 || mails() == before {
		t.Errorf("%d messages and %d mails with one", fresh, mails()-before)
	}
}
