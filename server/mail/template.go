// What is written: in English and German.

package mail

import (
	"embed"
	"fmt"
	"strings"
	"text/template"
	"time"
)

//go:embed text/*.txt
var texts embed.FS

// Voicemail is a message that was left.
type Voicemail struct {
	Domain, Language string        // of the box; language "de", everything else is English
	To               string        // address
	Box, BoxName     string        // number or name of the box, and of whom it is
	From, FromName   string        // who has called: number or URI, and the name that was shown
	At               time.Time     // when the message was left
	Length           time.Duration // of it
	File             string        // the recording, to be attached; empty: it is not
	Count            int           // messages in the box that nobody has heard, this one included; 0: not said
}

// Missed is a call that nobody has answered.
type Missed struct {
	Domain, Language string
	To               string // address
	Account, Name    string // who was called
	From, FromName   string // who has called
	At               time.Time
	Rang             time.Duration // 0: no telephone rang
	Busy             bool
}

// Message writes the mail.
func (v *Voicemail) Message() (Message, error) {
	subject, text, err := write("voicemail", v.Language, v)
	if err != nil {
		return Message{}, err
	}
	return Message{Domain: v.Domain, To: v.To, Subject: subject, Text: text, File: v.File}, nil
}

// Message writes the mail.
func (m *Missed) Message() (Message, error) {
	subject, text, err := write("missed", m.Language, m)
	if err != nil {
		return Message{}, err
	}
	return Message{Domain: m.Domain, To: m.To, Subject: subject, Text: text}, nil
}

// Test is the mail of the test command.
func Test(domain, language, to string) (Message, error) {
	subject, text, err := write("test", language, domain)
	return Message{Domain: domain, To: to, Subject: subject, Text: text}, err
}

// write fills a template, whose first line is the subject.
func write(name, language string, what any) (subject, text string, err error) {
	if language != "de" {
		language = "en"
	}
	functions := template.FuncMap{
		"who":  who,
		"time": func(t time.Time) string { return moment(t, language) },
		"span": func(d time.Duration) string { return span(d, language) },
	}
	file := "text/" + name + "." + language + ".txt"
	t, err := template.New(name+"."+language+".txt").Funcs(functions).ParseFS(texts, file)
	if err != nil {
		return "", "", fmt.Errorf("mail: %w", err)
	}
	var b strings.Builder
	if err := t.Execute(&b, what); err != nil {
		return "", "", fmt.Errorf("mail: %w", err)
	}
	subject, text, _ = strings.Cut(b.String(), "\n")
	return subject, strings.TrimLeft(text, "\n"), nil
}

// who is a caller as a person would say it.
func who(name, number string) string {
	name, number = oneLine(name), oneLine(strings.TrimPrefix(number, "sip:"))
	if name == "" || name == number {
		return number
	}
	return name + " (" + number + ")"
}

// moment is a time as it is written in that language.
func moment(t time.Time, language string) string {
	if language == "de" {
		return t.Format("02.01.2006 15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// span is a time span in seconds, or from a minute on in minutes and seconds.
func span(d time.Duration, language string) string {
	one, seconds, minutes := "1 second", "seconds", "minutes"
	if language == "de" {
		one, seconds, minutes = "1 Sekunde", "Sekunden", "Minuten"
	}
	switch s := int(d.Round(time.Second) / time.Second); {
	case s == 1:
		return one
	case s < 60:
		return fmt.Sprintf("%d %s", s, seconds)
	default:
		return fmt.Sprintf("%d:%02d %s", s/60, s%60, minutes)
	}
}
