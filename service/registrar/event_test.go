package registrar

import (
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

// audience is the watchers: it notes what it is told of, and knows who watches.
type audience struct {
	told, ended []string
	absent      bool
}

func (a *audience) Changed(pack, name string)   { a.told = append(a.told, pack+" "+name) }
func (a *audience) Watched(string, string) bool { return !a.absent }
func (a *audience) End(pack, name, reason string) {
	a.ended = append(a.ended, pack+" "+name+" "+reason)
}

// watcher asks a registrar as a subscriber of one resource does.
type watcher struct {
	source   event.Source
	resource string
	since    uint64
	version  uint32
	whole    bool // the next document is to tell everything, whatever is known
}

// watch subscribes.
func watchAs(t *testing.T, r *Registrar, user, uri string) (*watcher, error) {
	t.Helper()
	req, err := sip.ParseRequest([]byte("SUBSCRIBE " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:w@example.org>;tag=1\r\nTo: <" + uri +
		">\r\nCall-ID: w\r\nCSeq: 1 SUBSCRIBE\r\nEvent: reg\r\nContent-Length: 0\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if !IsWatch(req) {
		t.Error("it does not watch")
	}
	w := &watcher{source: r.Package().Source}
	w.resource, err = w.source.Find(&sip.Event{Kind: sip.EventRequest, Request: req, User: user})
	return w, err
}

// told is a document, flattened: what is told of the resource, then a line for each contact.
func (w *watcher) told(t *testing.T) string {
	t.Helper()
	d := w.source.Notice(event.Notice{Resource: w.resource, Version: w.version, Since: w.since})
	known := w.since != 0 && !w.whole
	w.version, w.since, w.whole = w.version+1, d.Mark, false
	if d.Nothing {
		return "nothing"
	}
	var doc struct {
		Version       uint32 `xml:"version,attr"`
		State         string `xml:"state,attr"`
		Registrations []struct {
			AOR      string `xml:"aor,attr"`
			State    string `xml:"state,attr"`
			Contacts []struct {
				State   string `xml:"state,attr"`
				Event   string `xml:"event,attr"`
				Expires string `xml:"expires,attr"`
				URI     string `xml:"uri"`
				Public  struct {
					URI string `xml:"uri,attr"`
				} `xml:"urn:ietf:params:xml:ns:gruuinfo pub-gruu"`
				Private struct {
					URI   string `xml:"uri,attr"`
					First string `xml:"first-cseq,attr"`
				} `xml:"urn:ietf:params:xml:ns:gruuinfo temp-gruu"`
			} `xml:"contact"`
		} `xml:"urn:ietf:params:xml:ns:reginfo registration"`
	}
	state := "full"
	if known {
		state = "partial"
	}
	if err := xml.Unmarshal(d.Bytes, &doc); err != nil || doc.State != state || doc.Version != w.version-1 || len(doc.Registrations) != 1 {
		t.Fatalf("%v in\n%s", err, d.Bytes)
	}
	reg := doc.Registrations[0]
	lines := []string{reg.AOR + " " + reg.State}
	for _, c := range reg.Contacts {
		line := strings.Join([]string{c.URI, c.State, c.Event, c.Expires}, " ")
		if c.Public.URI != "" {
			line += " " + c.Public.URI + " first " + c.Private.First
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func (w *watcher) want(t *testing.T, lines ...string) {
	t.Helper()
	if got, want := w.told(t), strings.Join(lines, "\n"); got != want {
		t.Errorf("told:\n%s\nwant:\n%s", got, want)
	}
}

// TestWatch: a watcher is told what is bound, what is renewed, what has ended and why, each once. RFC 3680 §4.7, §5.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, told := newOffice(), new(audience)
		o.Events = told
		o.send(t, call{user: "alice", headers: []string{"Contact: <sip:a@192.0.2.1>;expires=600"}})
		if len(told.told) != 0 {
			t.Errorf("told of %q before anybody watches", told.told)
		}
		w, err := watchAs(t, o.Registrar, "alice", "sip:alice@example.org")
		if err != nil {
			t.Fatal(err)
		}
		w.want(t, "sip:alice@example.org active", "sip:a@192.0.2.1 active registered 600")
		w.want(t, "nothing")
		time.Sleep(100 * time.Second)
		o.send(t, call{user: "alice", headers: []string{"Contact: <sip:a@192.0.2.1>;expires=600"}})
		w.want(t, "sip:alice@example.org active", "sip:a@192.0.2.1 active refreshed 600")
		o.send(t, call{user: "alice", callID: "c2", headers: []string{"Contact: <sip:b@192.0.2.2>;expires=60"}})
		o.send(t, call{user: "alice", headers: []string{"Contact: <sip:a@192.0.2.1>;expires=0"}})
		w.want(t, "sip:alice@example.org active", "sip:b@192.0.2.2 active registered 60", "sip:a@192.0.2.1 terminated unregistered 0")
		time.Sleep(61 * time.Second)
		o.send(t, call{user: "alice", callID: "c3", headers: []string{"Contact: <sip:c@192.0.2.3>;expires=60"}})
		o.send(t, call{user: "alice", callID: "c3", headers: []string{"Contact: <sip:c@192.0.2.3>;expires=0"}})
		w.want(t, "sip:alice@example.org terminated", "sip:b@192.0.2.2 terminated expired 0", "sip:c@192.0.2.3 terminated unregistered 0")
		if len(told.told) != 6 || told.told[0] != "reg sip:alice@example.org" {
			t.Errorf("told of %q", told.told)
		}
		// Who comes later hears nothing of those that have ended.
		w, _ = watchAs(t, o.Registrar, "alice", "sip:alice@example.org")
		w.want(t, "sip:alice@example.org init")
	})
}

// TestWatchPartial: a watcher who knows the rest is told what has changed, and everything if that is not known any more. RFC 3680 §5.1, §5.2.
func TestWatchPartial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		o.Events = new(audience)
		bind := func(name string, seconds int) {
			o.send(t, call{user: "alice", callID: name, headers: []string{fmt.Sprintf("Contact: <sip:%s@192.0.2.1>;expires=%d", name, seconds)}})
		}
		bind("a", 600)
		bind("b", 600)
		w, err := watchAs(t, o.Registrar, "alice", "sip:alice@example.org")
		if err != nil {
			t.Fatal(err)
		}
		w.want(t, "sip:alice@example.org active", "sip:a@192.0.2.1 active registered 600", "sip:b@192.0.2.1 active registered 600")
		bind("b", 300)
		w.want(t, "sip:alice@example.org active", "sip:b@192.0.2.1 active refreshed 300")
		bind("c", 300)
		w.want(t, "sip:alice@example.org active", "sip:c@192.0.2.1 active registered 300")
		bind("b", 0)
		w.want(t, "sip:alice@example.org active", "sip:b@192.0.2.1 terminated unregistered 0")
		for i := range mostGone + 1 {
			bind(fmt.Sprint("d", i), 60)
			bind(fmt.Sprint("d", i), 0)
		}
		w.whole = true // more has ended than is kept
		if got := w.told(t); !strings.Contains(got, "sip:a@192.0.2.1 active registered 600\n") {
			t.Errorf("told:\n%s", got)
		}
		bind("c", 0)
		bind("a", 0)
		w.want(t, "sip:alice@example.org terminated", "sip:c@192.0.2.1 terminated unregistered 0", "sip:a@192.0.2.1 terminated unregistered 0")
		time.Sleep(2 * keepGone)
		bind("e", 60)
		bind("e", 0)
		w.want(t, "sip:alice@example.org terminated", "sip:e@192.0.2.1 terminated unregistered 0")
		bind("f", 60)
		bind("f", 0)
		time.Sleep(2 * keepGone)
		bind("g", 60)
		bind("g", 0)
		w.whole = true // how f has ended is forgotten
		w.want(t, "sip:alice@example.org terminated", "sip:g@192.0.2.1 terminated unregistered 0")
	})
}

// TestWatchGRUU: the GRUUs of each contact are told, and lead to it. RFC 5628 §4, §5.
func TestWatchGRUU(t *testing.T) {
	o := newOffice()
	o.send(t, call{user: "alice", headers: []string{"Supported: gruu", `Contact: <sip:a@192.0.2.1>;expires=600;+sip.instance="<urn:uuid:1>"`}})
	w, err := watchAs(t, o.Registrar, "alice", "sip:alice@example.org")
	if err != nil {
		t.Fatal(err)
	}
	d := w.source.Notice(event.Notice{Resource: w.resource})
	for _, part := range []string{`uri="sip:alice@example.org;gr=urn:uuid:1"`, `first-cseq="1"`, `<unknown-param name="+sip.instance">`} {
		if !strings.Contains(string(d.Bytes), part) {
			t.Errorf("no %s in\n%s", part, d.Bytes)
		}
	}
	_, rest, _ := strings.Cut(string(d.Bytes), `<gr:temp-gruu uri="`)
	temporary, _, _ := strings.Cut(rest, `"`)
	if got := found(t, o, temporary); got != "sip:a@192.0.2.1" {
		t.Errorf("%s leads to %s", temporary, got)
	}
}

// TestWatchBulk: a number is told of as if it were registered alone, and nobody hears of the bulk contact itself, or of its GRUU.
func TestWatchBulk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, told := provider(), new(audience)
		o.Events = told
		number, err := watchAs(t, o.Registrar, "pbx", "sip:+12145550102@ssp.example.com")
		if err != nil {
			t.Fatal(err)
		}
		system, err := watchAs(t, o.Registrar, "pbx", "sip:pbx@ssp.example.com")
		if err != nil {
			t.Fatal(err)
		}
		number.want(t, "sip:+12145550102@ssp.example.com init")
		system.want(t, "sip:pbx@ssp.example.com init")
		o.send(t, bulk(`<sip:198.51.100.3;bnc>;expires=7200;+sip.instance="<urn:uuid:1>"`))
		number.want(t, "sip:+12145550102@ssp.example.com active", "sip:+12145550102@198.51.100.3 active registered "+number.left(t))
		system.want(t, "nothing")
		o.send(t, bulk(`<sip:198.51.100.3;bnc>;expires=0;+sip.instance="<urn:uuid:1>"`))
		number.want(t, "sip:+12145550102@ssp.example.com terminated", "sip:+12145550102@198.51.100.3 terminated unregistered 0")
		if len(told.told) != 2 {
			t.Errorf("told of %q", told.told)
		}
	})
}

// left is how many seconds the only contact has yet, by the document.
func (w *watcher) left(t *testing.T) string {
	t.Helper()
	d := w.source.Notice(event.Notice{Resource: w.resource})
	_, rest, _ := strings.Cut(string(d.Bytes), `expires="`)
	left, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("no expiry in\n%s", d.Bytes)
	}
	return left
}

// TestWatchRefused: only those who may bind may watch. RFC 3680 §4.6.
func TestWatchRefused(t *testing.T) {
	o := newOffice()
	if _, err := watchAs(t, o.Registrar, "bob", "sip:alice@example.org"); !errors.Is(err, sip.StatusForbidden) {
		t.Errorf("somebody else: %v", err)
	}
	if _, err := watchAs(t, o.Registrar, "alice", "sip:nobody@elsewhere.example"); !errors.Is(err, sip.StatusNotFound) {
		t.Errorf("nobody: %v", err)
	}
}

// TestWatchPush: how a device is woken is told to nobody, whatever stands on its Path. RFC 8599.
func TestWatchPush(t *testing.T) {
	o := newOffice()
	o.send(t, call{user: "alice", headers: []string{"Supported: path", "Path: <sip:edge.example.org;lr>", "Contact: <sip:a@192.0.2.1;pn-provider=apns;pn-prid=secret;x=1>;expires=600"}})
	w, err := watchAs(t, o.Registrar, "alice", "sip:alice@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if text := string(w.source.Notice(event.Notice{Resource: w.resource}).Bytes); strings.Contains(text, "pn-") || !strings.Contains(text, "<uri>sip:a@192.0.2.1;x=1</uri>") {
		t.Error(text)
	}
}

// market is a domain whose numbers belong to accounts, and move.
type market map[string]string

func (m market) AOR(uri sip.URI) (sip.URI, bool) {
	owner, ok := m[uri.UserName()]
	return sip.URI{Scheme: "sip", User: owner, Host: "ssp.example.com"}, ok
}

func (market) MayBind(user string, aor sip.URI) bool { return user == aor.User }

// TestWatchLost: whoever has lost a number is told of it no more, and nothing of what its next owner binds. RFC 3680 §4.6.
func TestWatchLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const number = "sip:+12145550102@ssp.example.com"
		m, told := market{"pbx": "pbx", "next": "next", "+12145550102": "pbx"}, new(audience)
		o := &office{Registrar: &Registrar{Accounts: m, Events: told}}
		o.send(t, bulk("<sip:198.51.100.3;bnc>;expires=7200"))
		before, err := watchAs(t, o.Registrar, "pbx", number)
		if err != nil {
			t.Fatal(err)
		}
		before.want(t, number+" active", "sip:+12145550102@198.51.100.3 active registered "+before.left(t))
		m["+12145550102"] = "next"
		o.send(t, call{user: "next", to: "sip:next@ssp.example.com", callID: "n", headers: []string{"Contact: <sip:n@192.0.2.9>;expires=600"}})
		after, err := watchAs(t, o.Registrar, "next", number)
		if err != nil {
			t.Fatal(err)
		}
		before.want(t, "nothing")
		if d := before.source.Notice(event.Notice{Resource: before.resource}); len(d.Bytes) > 0 {
			t.Errorf("the one before is told at the end:\n%s", d.Bytes)
		}
		if d := after.told(t); !strings.Contains(d, "sip:n@192.0.2.9 active registered") {
			t.Errorf("the next owner is told:\n%s", d)
		}
		if want := "reg " + before.resource + " rejected"; len(told.ended) == 0 || told.ended[0] != want {
			t.Errorf("ended: %q, want %s", told.ended, want)
		}
		told.ended = nil
		o.Review()
		if len(told.ended) != 0 {
			t.Errorf("ended: %q, and the next owner may watch", told.ended)
		}
		delete(m, "+12145550102")
		o.Review()
		if want := "reg " + after.resource + " noresource"; len(told.ended) != 1 || told.ended[0] != want {
			t.Errorf("ended: %q, want %s", told.ended, want)
		}
	})
}

// TestWatchNumber: a number's watchers hear of what its account and the number itself bind, even if it was forgotten for a moment.
func TestWatchNumber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, told := provider(), new(audience)
		o.Events = told
		w, err := watchAs(t, o.Registrar, "pbx", "sip:+12145550102@ssp.example.com")
		if err != nil {
			t.Fatal(err)
		}
		o.watches.drop(w.resource) // as [watches.open] does, if nobody watches yet
		w.want(t, "sip:+12145550102@ssp.example.com init")
		o.send(t, bulk("<sip:198.51.100.3;bnc>;expires=7200"))
		w.want(t, "sip:+12145550102@ssp.example.com active", "sip:+12145550102@198.51.100.3 active registered "+w.left(t))
		o.send(t, bulk("<sip:198.51.100.3;bnc>;expires=0"))
		w.want(t, "sip:+12145550102@ssp.example.com terminated", "sip:+12145550102@198.51.100.3 terminated unregistered 0")
		o.send(t, call{user: "pbx", to: "sip:pbx@ssp.example.com", callID: "d", headers: []string{"Contact: <sip:d@192.0.2.9>;expires=7200"}})
		w.want(t, "sip:+12145550102@ssp.example.com active", "sip:d@192.0.2.9 active registered "+w.left(t))
	})
}

// TestWatchesEnd: what nobody watches any more is forgotten when there is much of it, and who comes back is told everything.
func TestWatchesEnd(t *testing.T) {
	var w watches
	told := new(audience)
	for i := range fewWatches {
		w.open(subject{own: fmt.Sprintf("sip:+%d@example.org", i), account: "sip:a@example.org"}, told)
	}
	told.absent = true
	one := subject{own: "sip:b@example.org", account: "sip:b@example.org"}
	name := w.open(one, told)
	if len(w.of) != 1 || len(w.told) != 1 {
		t.Errorf("%d and %d are left", len(w.of), len(w.told))
	}
	before := w.since(one, 0).mark
	w.drop(name)
	if after := w.since(one, before); after.mark == before {
		t.Error("nothing is new to somebody who was forgotten")
	}
}
