// What the queue promises, against a mail server that speaks SMTP.

package mail

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// run runs a queue until the end of the test, or until stop.
func run(t *testing.T, q *Queue) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { q.Run(ctx); close(ended) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// recording writes a WAV file of some size, with bytes of every kind.
func recording(t *testing.T) (name string, content []byte) {
	t.Helper()
	content = append([]byte("RIFF....WAVEfmt "), make([]byte, 50_000)...)
	for i := range content[16:] {
		content[16+i] = byte(i * 7)
	}
	name = filepath.Join(t.TempDir(), "message.wav")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name, content
}

// TestVoicemail: the mail arrives over STARTTLS (RFC 3207 §4) after a login (RFC 4954 §4), in the language of the box, and its attachment is the recording, byte for byte.
func TestVoicemail(t *testing.T) {
	for _, language := range []string{"en", "de"} {
		server := serveMail(t, "127.0.0.1:0", false)
		q := newQueue(t, t.TempDir(), of(server))
		run(t, q)
		file, content := recording(t)
		v := Voicemail{Domain: "example.org", Language: language, To: "bob@example.com", Box: "200", BoxName: "Bob Müller", From: "+493012345", FromName: "Älice\r\nBcc: x@example.net",
			At: time.Date(2026, 11, 23, 14, 5, 0, 0, time.UTC), Length: 75 * time.Second, File: file, Count: 3}
		m, err := v.Message()
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Put(m); err != nil {
			t.Fatal(err)
		}
		os.Remove(file) // the mail has its own copy
		got := server.wait()
		if got.from != "phone@example.org" || got.to != "bob@example.com" {
			t.Errorf("from %s to %s", got.from, got.to)
		}
		subject, text, attached := takeApart(t, got.text)
		want := map[string][3]string{
			"en": {"Voicemail from Älice  Bcc: x@example.net (+493012345), 1:15 minutes", "2026-11-23 14:05", "3 messages wait"},
			"de": {"Sprachnachricht von Älice  Bcc: x@example.net (+493012345), 1:15 Minuten", "23.11.2026 14:05", "3 Nachrichten"},
		}[language]
		if subject != want[0] || !strings.Contains(text, want[1]) || !strings.Contains(text, want[2]) || !strings.Contains(text, "Bob Müller (200)") {
			t.Errorf("%s: subject %q, text\n%s", language, subject, text)
		}
		if !bytes.Equal(attached, content) {
			t.Errorf("%d bytes are attached, want %d", len(attached), len(content))
		}
		until(t, "the queue is empty", func() bool { return q.Counts().Waiting == 0 })
		if left, err := os.ReadDir(q.Folder); err != nil || len(left) > 0 {
			t.Errorf("left in the folder: %v %v", left, err)
		}
	}
}

// TestSpan: how long a message is, or a telephone rang, is said in words of the language.
func TestSpan(t *testing.T) {
	for _, c := range []struct {
		length time.Duration
		en, de string
	}{
		{600 * time.Millisecond, "1 second", "1 Sekunde"},
		{9 * time.Second, "9 seconds", "9 Sekunden"},
		{59700 * time.Millisecond, "1:00 minutes", "1:00 Minuten"},
		{125 * time.Second, "2:05 minutes", "2:05 Minuten"},
	} {
		for language, want := range map[string]string{"en": c.en + " long", "de": c.de + " lang"} {
			v := Voicemail{Language: language, Length: c.length}
			m, err := v.Message()
			if err != nil || !strings.Contains(m.Text, ", "+want+".\n") {
				t.Errorf("%s, %s: %v, text\n%s", c.length, language, err, m.Text)
			}
			missed := Missed{Language: language, Rang: c.length}
			want = map[string]string{"en": "It rang for " + c.en + ".", "de": "Es klingelte " + c.de + " lang."}[language]
			if m, err := missed.Message(); err != nil || !strings.Contains(m.Text, want) {
				t.Errorf("%s, %s: %v, text\n%s", c.length, language, err, m.Text)
			}
		}
	}
}

// takeApart reads a mail as its receiver does. RFC 5322 §3.6, RFC 2045 §6.8, RFC 3834 §5.
func takeApart(t *testing.T, b []byte) (subject, text string, attached []byte) {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get("Auto-Submitted") != "auto-generated" || m.Header.Get("Bcc") != "" || m.Header.Get("Date") == "" {
		t.Errorf("header %v", m.Header)
	}
	subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		t.Fatal(kind, err)
	}
	for r := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return subject, text, attached
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		switch kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type")); kind {
		case "text/plain":
			text = string(content)
		case "audio/wav":
			if attached, err = base64.StdEncoding.DecodeString(strings.ReplaceAll(string(content), "\r\n", "")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestServerDown: a mail server that is away for a while, and a program that ends meanwhile, cost nothing; and nothing is sent twice.
func TestServerDown(t *testing.T) {
	first := serveMail(t, "127.0.0.1:0", false)
	settings := first.settings()
	first.close() // nobody listens at its port now
	folder := t.TempDir()
	q := newQueue(t, folder, func(string) (Settings, error) { return settings, nil })
	stop := run(t, q)
	for _, to := range []string{"a@example.com", "b@example.com", "c@example.com"} {
		if err := q.Put(Message{Domain: "example.org", To: to, Subject: to, Text: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "several attempts have failed", func() bool { return q.Counts().Retried > 6 })
	stop()
	list, err := List(folder)
	if err != nil || len(list) != 3 || !strings.Contains(list[0].Error, "cannot be reached") || list[0].Attempts == 0 {
		t.Fatalf("%+v %v", list, err)
	}
	server := serveMail(t, "127.0.0.1:0", false)
	q = newQueue(t, folder, of(server)) // the program has started again
	run(t, q)
	seen := map[string]bool{}
	for range list {
		m := server.wait()
		seen[m.to] = true
	}
	until(t, "the queue is empty", func() bool { return q.Counts().Waiting == 0 })
	if got := server.received(); len(seen) != 3 || len(got) != 3 {
		t.Errorf("%d mails came to %v", len(got), seen)
	}
}

// TestUnsure: a connection that breaks when the server may have taken the mail costs no mail; the second has the Message-ID of the first.
func TestUnsure(t *testing.T) {
	server := serveMail(t, "127.0.0.1:0", false)
	server.answer(nil, errBusy)
	folder := t.TempDir()
	q := newQueue(t, folder, of(server))
	q.Pauses = []time.Duration{time.Hour}
	stop := run(t, q)
	if err := q.Put(Message{Domain: "example.org", To: "a@example.com", Subject: "s", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	one := server.wait()
	until(t, "the answer has come", func() bool { return q.Counts().Retried == 1 })
	stop()
	list, err := List(folder)
	if err != nil || len(list) != 1 || !list[0].Unsure {
		t.Fatalf("%+v %v", list, err)
	}
	server.answer(nil, nil)
	list[0].Next = time.Now()
	if err := spool(folder).note(&list[0]); err != nil {
		t.Fatal(err)
	}
	run(t, newQueue(t, folder, of(server)))
	two := server.wait()
	if id := messageID(t, one.text); id == "" || id != messageID(t, two.text) {
		t.Errorf("Message-IDs %s and %s", id, messageID(t, two.text))
	}
}

func messageID(t *testing.T, b []byte) string {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header.Get("Message-ID")
}

// TestRefused: what the server refuses for good is given up at once and kept to be seen. RFC 5321 §4.2.1.
func TestRefused(t *testing.T) {
	server := serveMail(t, "127.0.0.1:0", false)
	server.answer(errUnknown, nil)
	q := newQueue(t, t.TempDir(), of(server))
	run(t, q)
	if err := q.Put(Message{Domain: "example.org", To: "nobody@example.com", Subject: "s", Text: "x"}); err != nil {
		t.Fatal(err)
	}
	until(t, "it is given up", func() bool { return q.Counts().Failed == 1 })
	until(t, "it is in the list", func() bool {
		list, err := List(q.Folder)
		return err == nil && len(list) == 1 && list[0].Failed && list[0].Attempts == 1 && strings.Contains(list[0].Error, "refuses the recipient")
	})
}

// TestFailures: each thing that goes wrong has its sentence, over STARTTLS and over TLS from the start (RFC 8314 §3.3).
func TestFailures(t *testing.T) {
	starttls, implicit := serveMail(t, "127.0.0.1:0", false), serveMail(t, "127.0.0.1:0", true)
	for _, c := range []struct {
		name string
		on   *mailServer
		set  func(*Settings)
		want string // "" is sent
	}{
		{"STARTTLS", starttls, func(*Settings) {}, ""},
		{"TLS", implicit, func(s *Settings) { s.TLS = TLS }, ""},
		{"wrong password", starttls, func(s *Settings) { s.Password = "x" }, "refuses user and password"},
		{"no login", starttls, func(s *Settings) { s.User = "" }, "refuses the sender"},
		{"unknown authority", starttls, func(s *Settings) { s.Trust = "" }, "certificate of the mail server"},
		{"another name", starttls, func(s *Settings) { s.Host = "localhost" }, "certificate of the mail server"},
		{"no authority in the file", starttls, func(s *Settings) { s.Trust = os.DevNull }, "nobody is trusted"},
		{"TLS where it is STARTTLS", starttls, func(s *Settings) { s.TLS = TLS }, "does not speak TLS as it is set"},
		{"login in clear", starttls, func(s *Settings) { s.TLS = None }, "refuses user and password"},
		{"nobody there", starttls, func(s *Settings) { s.Port = 1 }, "cannot be reached"},
		{"no key", starttls, func(s *Settings) { s.Key.PEM = "x" }, "cannot be signed"},
	} {
		set := c.on.settings()
		c.set(&set)
		m := Message{To: "a@example.com", Subject: "s", Text: "x"}
		text, err := m.render(set.From, "1", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		err = set.Send(t.Context(), m.To, text, nil)
		if got := ""; err != nil {
			if got = err.Error(); c.want == "" || !strings.Contains(got, c.want) {
				t.Errorf("%s: %s", c.name, got)
			}
		} else if c.want != "" {
			t.Errorf("%s: it was sent", c.name)
		}
	}
}

// TestDKIM: the receiver finds the signature good, with either kind of key (RFC 8463 §3); a changed text it does not. RFC 6376 §6.1.
func TestDKIM(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaPublic, err := x509.MarshalPKIXPublicKey(short.Public())
	if err != nil {
		t.Fatal(err)
	}
	edPrivate, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for record, key := range map[string]*pem.Block{
		"v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(rsaPublic):  {Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(short)},
		"v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public): {Type: "PRIVATE KEY", Bytes: edPrivate},
	} {
		server := serveMail(t, "127.0.0.1:0", false)
		set := server.settings()
		set.Key = Key{Selector: "phone", PEM: string(pem.EncodeToMemory(key))}
		q := newQueue(t, t.TempDir(), func(string) (Settings, error) { return set, nil })
		run(t, q)
		file, _ := recording(t)
		if err := q.Put(Message{Domain: "example.org", To: "a@example.com", Subject: "Überschrift", Text: "Grüße\n.\nEnde\n", File: file}); err != nil {
			t.Fatal(err)
		}
		got := server.wait().text
		look := &dkim.VerifyOptions{LookupTXT: func(name string) ([]string, error) {
			if name != "phone._domainkey.example.org" {
				return nil, errors.New("no record " + name)
			}
			return []string{record}, nil
		}}
		if v, err := dkim.VerifyWithOptions(bytes.NewReader(got), look); err != nil || len(v) != 1 || v[0].Err != nil || v[0].Domain != "example.org" {
			t.Errorf("%v: %+v", err, v)
		}
		changed := bytes.Replace(got, []byte("Ende"), []byte("Anfang"), 1)
		if v, err := dkim.VerifyWithOptions(bytes.NewReader(changed), look); err == nil && len(v) == 1 && v[0].Err == nil {
			t.Error("a changed mail is taken for signed")
		}
	}
}

// TestSpool: what a crash leaves of a mail that was never acknowledged is no mail, and goes.
func TestSpool(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"1.mail", "2.mail.new", "3.json.new"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	q := newQueue(t, folder, func(string) (Settings, error) { return Settings{}, ErrNoServer })
	if n := q.Counts().Waiting; n != 0 {
		t.Errorf("%d mails wait", n)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("left: %v %v", left, err)
	}
	if err := q.Put(Message{Domain: "example.org", To: "a@example.com"}); !errors.Is(err, ErrNoServer) {
		t.Errorf("without a mail server: %v", err)
	}
}

// TestMissed: why nobody has answered is said.
func TestMissed(t *testing.T) {
	m := Missed{Domain: "example.org", Language: "de", To: "bob@example.com", Account: "bob", From: "sip:alice@example.org", At: time.Date(2026, 11, 23, 14, 5, 0, 0, time.UTC)}
	for want, set := range map[string]func(){
		"erreichbar": func() {}, "klingelte 20 Sekunden lang.": func() { m.Rang = 20 * time.Second }, "besetzt": func() { m.Busy = true },
	} {
		m.Rang, m.Busy = 0, false
		set()
		got, err := m.Message()
		if err != nil || got.Subject != "Anruf von alice@example.org verpasst" || !strings.Contains(got.Text, want) || !strings.Contains(got.Text, "bob angerufen") {
			t.Errorf("%v %+v", err, got)
		}
	}
}
