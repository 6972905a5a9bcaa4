// `sipwerk mail test` and `queue`.

package main

import (
	"bufio"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// takeMail is a mail server that takes one mail after the other, without TLS and login, and gives their texts.
func takeMail(t *testing.T) (port string, texts <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	taken := make(chan string, 10)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			converse(c, taken)
			c.Close()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, taken
}

// converse speaks just so much SMTP that a mail can be given.
func converse(c net.Conn, taken chan<- string) {
	say := func(line string) { c.Write([]byte(line + "\r\n")) }
	say("220 test")
	var text strings.Builder
	inText := false
	for in := bufio.NewScanner(c); in.Scan(); {
		switch line := in.Text(); {
		case inText && line == ".":
			inText = false
			taken <- text.String()
			say("250 taken")
		case inText:
			text.WriteString(line + "\n")
		case line == "DATA":
			inText = true
			say("354 go on")
		case strings.HasPrefix(line, "RCPT TO:<nobody@"):
			say("550 no such user")
		default:
			say("250 well")
		}
	}
}

func TestMail(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	port, texts := takeMail(t)
	env := map[string]string{"SIPWERK_DATA": dir, "SIPWERK_DOMAIN": "example.org"}
	for _, l := range []line{
		{args: "mail test me@example.com", code: 1, fails: "sipwerk: no mail server is set; set one with `sipwerk mail set`\n"},
		{args: "mail set --host 127.0.0.1 --tls starttls --from phone@example.org --port " + port, want: "…"},
		{args: "mail test me@example.com", code: 1, fails: "sipwerk: the mail server 127.0.0.1:" + port + " does not speak TLS as it is set: it offers no STARTTLS; set tls…\n"},
		{args: "mail set --tls none", want: "…"},
		{args: "mail test nobody@example.com --lang de", code: 1, fails: "sipwerk: der Mailserver 127.0.0.1:" + port + " nimmt den Empfänger nicht an: 550 …no such user…; die Adresse prüfen\n"},
		{args: "mail test me@example.com", want: "the mail server has taken a mail to me@example.com\n"},
		{args: "mail queue", want: "SINCE  TO  SUBJECT  ATTEMPTS  NEXT  ERROR\n"},
		{args: "mail queue --json", want: "[]\n"},
	} {
		l.run(t, dir, env)
	}
	if text := <-texts; !strings.Contains(text, "Subject: Test of the telephone system of example.org") {
		t.Error(text)
	}
}
