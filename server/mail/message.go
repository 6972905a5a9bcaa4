// A mail as it is written. RFC 5322 §3, RFC 2045 §6.7, RFC 3834 §5.

package mail

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	gomail "github.com/wneessen/go-mail"
)

// Message is a mail to be sent.
type Message struct {
	Domain  string // of ours, whose mail server sends it
	To      string // address
	Subject string
	Text    string
	File    string // is attached under its own name, or that of Name; empty: nothing is
	Name    string
}

// render writes a message. id is the part of its Message-ID before the "@".
func (m *Message) render(from, id string, now time.Time) ([]byte, error) {
	msg := gomail.NewMsg(gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingQP))
	if err := msg.From(from); err != nil {
		return nil, fmt.Errorf("mail: sender %s: %w", from, err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("mail: recipient %s: %w", m.To, err)
	}
	msg.Subject(oneLine(m.Subject))
	msg.SetMessageIDWithValue(id + "@" + from[strings.LastIndexByte(from, '@')+1:])
	msg.SetDateWithValue(now)
	msg.SetUserAgent("Sipwerk")
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: no holiday notice comes back
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	if m.File != "" {
		name := m.Name
		if name == "" {
			name = filepath.Base(m.File)
		}
		msg.AttachFile(m.File, gomail.WithFileName(oneLine(name)), gomail.WithFileContentType(contentType(m.File)))
	}
	var b bytes.Buffer
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("mail: write: %w", err)
	}
	return b.Bytes(), nil
}

// contentType is that of a recording.
func contentType(file string) gomail.ContentType {
	switch strings.ToLower(filepath.Ext(file)) {
	case ".wav":
		return "audio/wav"
	case ".opus", ".ogg":
		return "audio/ogg; codecs=opus"
	}
	return gomail.TypeAppOctetStream
}

// oneLine leaves out what does not belong into a header: names come from callers.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
}
