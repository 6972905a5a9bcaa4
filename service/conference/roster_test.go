// Who is there, as documents. RFC 4575 §5, §6.

package conference

import (
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

// golden compares text with a file of testdata, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	file = "testdata/" + file
	if f := flag.Lookup("update"); f.Value.String() == "true" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

// wellFormed fails the test unless a document is XML.
func wellFormed(t *testing.T, document []byte) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(string(document))); ; {
		if _, err := d.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
	}
}

// TestRoster: what each change makes of the document that a subscriber gets next.
func TestRoster(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoster("sip:4000@example.org", `Sales <"&Service">`, 20)
		alice := &presence{entity: "call-1", status: "connected", moderator: true, since: time.Now(), sound: true}
		bob := &presence{entity: "call-2", status: "dialing-out", invited: true}
		desk := &presence{entity: "call-3", status: "on-hold", muted: true, sound: true}
		var text strings.Builder
		since := uint64(0)
		for version, step := range []struct {
			what string
			do   func()
		}{
			{"nobody", func() {}},
			{"alice comes", func() { r.join("sip:alice@example.org", "Alice", alice) }},
			{"bob is called, alice has a second telephone", func() {
				r.join("sip:bob@example.org", "", bob)
				r.join("sip:alice@example.org", "", desk)
			}},
			{"alice's first telephone is muted", func() { alice.muted = true; r.touched(alice) }},
			{"bob goes, the room is locked", func() { r.leave("sip:bob@example.org", bob); r.lock(true) }},
			{"bob comes and goes again", func() { r.join("sip:bob@example.org", "", bob); r.leave("sip:bob@example.org", bob) }},
			{"one telephone of alice goes", func() { r.leave("sip:alice@example.org", desk) }},
		} {
			step.do()
			document := r.document(uint32(version), since)
			wellFormed(t, document)
			fmt.Fprintf(&text, "# %s. RFC 4575 §6.2.\n%s\n", step.what, document)
			since = r.mark
		}
		golden(t, "roster.txt", text.String())
		if d := r.document(9, since-100); !strings.Contains(string(d), `state="full"`) {
			t.Errorf("before everything:\n%s", d)
		}
		for i := range maxDepartures + 1 {
			p, who := &presence{}, fmt.Sprintf("sip:%d@example.org", i)
			r.join(who, "", p)
			r.leave(who, p)
		}
		if d := r.document(10, since); !strings.Contains(string(d), `<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="sip:4000@example.org" state="full"`) {
			t.Errorf("what is forgotten is told in parts:\n%s", d)
		}
		if n := len(r.gone); n > maxDepartures {
			t.Errorf("%d departures are remembered", n)
		}
	})
}

// watcher hears who is there.
type watcher struct{ documents []string }

func (w *watcher) Told(_ *event.Watch, notify *sip.Request) {
	w.documents = append(w.documents, string(notify.Body()))
}
func (w *watcher) Ended(*event.Watch, event.End) { w.documents = append(w.documents, "ended") }

// watch subscribes a telephone to a room.
func (p *phone) watch(user string) (heard *watcher, leave func()) {
	heard = &watcher{}
	subscriber := &event.Subscriber{}
	next := p.table.Next
	p.table.Next = sip.EventHandlerFunc(func(ev *sip.Event) {
		if ev.Kind == sip.EventRequest && ev.Request.Method == sip.MethodNotify {
			subscriber.HandleEvent(ev)
			return
		}
		next.HandleEvent(ev)
	})
	req := sip.NewRequest(sip.MethodSubscribe, sip.URI{Scheme: "sip", User: user, Host: p.w.Addr("focus").String()})
	req.Set(sip.HeaderFrom, "<"+p.uri()+">")
	req.Set(sip.HeaderEvent, "conference")
	req.Set(sip.HeaderAccept, infoType)
	var watch *event.Watch
	done := make(chan error, 1)
	stripe := sip.StripeOf(p.name)
	p.stack.Do(stripe, func() {
		var err error
		watch, err = subscriber.Subscribe(event.Outgoing{Engine: p.stack, Stripe: stripe, Request: req}, heard)
		done <- err
	})
	if err := <-done; err != nil {
		p.w.T.Fatal(err)
	}
	p.w.Wait(time.Second)
	return heard, func() {
		watch.Do(watch.Unsubscribe)
		p.w.Wait(2 * time.Second)
	}
}

// TestSubscribe: a telephone follows a conference; what it hears is the roster.
func TestSubscribe(t *testing.T) {
	run(t, func(w *world) {
		alice, bob := w.phone("alice"), w.phone("bob")
		heard, leave := alice.watch("4000")
		a := alice.dial("4000")
		w.Wait(time.Second)
		b := bob.dial("4000")
		w.Wait(time.Second)
		b.press("*6")
		w.Wait(time.Second)
		b.bye()
		w.Wait(time.Second)
		a.bye()
		w.Wait(time.Second)
		leave()
		golden(t, "subscribe.txt", "# What a subscriber hears of two who come and go. RFC 4575 §4.\n"+strings.Join(heard.documents, "\n"))
		w.Golden("subscribe", "A telephone follows a conference. RFC 4575 §3, RFC 4579 §5.2.")
	})
}

// TestGateKeepsRoster: who has not said the PIN sees nobody; who is not there may not ask.
func TestGateKeepsRoster(t *testing.T) {
	run(t, func(w *world) {
		pin, _ := newPIN("4711", quick)
		w.set["4000"] = Settings{PIN: pin}
		alice, bob, mallory := w.phone("alice"), w.phone("bob"), w.phone("mallory")
		refused, _ := mallory.watch("4000")
		if len(refused.documents) != 1 || refused.documents[0] != "ended" {
			t.Errorf("mallory hears %v", refused.documents)
		}
		a := alice.dial("4000")
		a.press("4711#")
		b := bob.dial("4000")
		heard, leave := bob.watch("4000")
		if d := heard.documents; len(d) != 1 || strings.Contains(d[0], "alice") {
			t.Errorf("at the gate bob hears %v", d)
		}
		b.press("4711#")
		w.Wait(time.Second)
		if d := heard.documents; !strings.Contains(d[len(d)-1], "alice") || !strings.Contains(d[len(d)-1], `state="full" version=`) {
			t.Errorf("in the room bob hears %s", d[len(d)-1])
		}
		leave()
	})
}
