// The lamp of a mailbox: the package message-summary. RFC 3842.

package pbx

import (
	"fmt"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

// MessageSummary is the name of the package; whoever changes a box tells [event.Notifier.Changed] of it and of [Box.Name].
const MessageSummary = "message-summary"

// summaryType is that of its documents. RFC 3842 §5.2.
const summaryType = "application/simple-message-summary"

// Package is the package message-summary, for a notifier.
func (v *Voicemail) Package() *event.Package {
	// RFC 3842 §3.3 leaves the length open; an hour is that of the registrations beside it.
	return &event.Package{Name: MessageSummary, Types: []string{summaryType}, Expires: time.Hour, Max: 24 * time.Hour, Source: (*lampOfBox)(v)}
}

// lampOfBox tells how many messages are in a box.
type lampOfBox Voicemail

// Find implements [event.Source]: everybody sees the lamp of their own box and of no other. RFC 3842 §3.6. Telephones ask for it under the address of their account, or under what
// they dial to hear their messages.
func (v *lampOfBox) Find(ev *sip.Event) (string, error) {
	box, ok := (*Voicemail)(v).boxOf(v.Account(ev))
	if !ok {
		return "", sip.StatusNotFound
	}
	if asked, ok := v.Boxes.Box(ev.Request.URI); ok && asked.Name() != box.Name() {
		return "", sip.StatusForbidden
	}
	return box.Name(), nil
}

// Notice implements [event.Source]. RFC 3842 §5.2.
func (v *lampOfBox) Notice(n event.Notice) event.Document {
	fresh, saved := v.Messages.Count(n.Resource)
	waiting := "no"
	if fresh > 0 {
		waiting = "yes"
	}
	text := fmt.Sprintf("Messages-Waiting: %s\r\n", waiting)
	if uri, err := sip.ParseURI(n.Resource); err == nil && v.Dial != "" {
		uri.User = sip.EscapeUser(v.Dial)
		text += fmt.Sprintf("Message-Account: %s\r\n", uri)
	}
	text += fmt.Sprintf("Voice-Message: %d/%d (0/0)\r\n", fresh, saved)
	mark := uint64(fresh)<<32 | uint64(saved) + 1
	return event.Document{Type: summaryType, Bytes: []byte(text), Mark: mark, Nothing: n.Since == mark}
}
