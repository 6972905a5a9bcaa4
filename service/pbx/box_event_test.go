package pbx

import (
	"errors"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

// TestMessageSummary: the lamp of one's own box, under whatever name, and of no other. RFC 3842 §3.6, §5.2.
func TestMessageSummary(t *testing.T) {
	s := &shelf{folder: t.TempDir(), pins: map[string]string{"200": "", "201": ""}, limit: 10}
	who := "200"
	v := &Voicemail{Boxes: s, Messages: s, Dial: "*97", Account: func(*sip.Event) (uri sip.URI) {
		if who != "" {
			uri = sip.URI{Scheme: "sip", User: who, Host: "example.org"}
		}
		return uri
	}}
	source := v.Package().Source
	find := func(uri string) (string, error) {
		return source.Find(&sip.Event{Request: sip.NewRequest(sip.MethodSubscribe, sip.MustParseURI(uri))})
	}
	for _, uri := range []string{"sip:200@example.org", "sip:*97@example.org"} {
		if name, err := find(uri); name != "sip:200@example.org" || err != nil {
			t.Errorf("%s: %q, %v", uri, name, err)
		}
	}
	if _, err := find("sip:201@example.org"); !errors.Is(err, sip.StatusForbidden) {
		t.Errorf("another's: %v", err)
	}
	for _, who = range []string{"", "299"} {
		if _, err := find("sip:200@example.org"); !errors.Is(err, sip.StatusNotFound) {
			t.Errorf("%q: %v", who, err)
		}
	}
	tell := func(since uint64) event.Document {
		return source.Notice(event.Notice{Resource: "sip:200@example.org", Since: since})
	}
	empty := tell(0)
	if string(empty.Bytes) != "Messages-Waiting: no\r\nMessage-Account: sip:*97@example.org\r\nVoice-Message: 0/0 (0/0)\r\n" || empty.Nothing {
		t.Errorf("%s", empty.Bytes)
	}
	s.put(t, "200", "", 700)
	s.put(t, "200", "", 700)
	s.messages[0].Saved = true
	full := tell(empty.Mark)
	if string(full.Bytes) != "Messages-Waiting: yes\r\nMessage-Account: sip:*97@example.org\r\nVoice-Message: 1/1 (0/0)\r\n" || full.Nothing || !tell(full.Mark).Nothing {
		t.Errorf("%s", full.Bytes)
	}
}
