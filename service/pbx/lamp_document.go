// What a telephone is told of a lamp: the dialog event package, and, for telephones that know only that one, presence. RFC 4235 §4; RFC 3863 §4, RFC 4480 §3.2.

package pbx

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

// The packages of the lamps.
const (
	DialogPackage   = "dialog"
	PresencePackage = "presence"
)

// The types of their documents.
const (
	dialogType   = "application/dialog-info+xml"
	presenceType = "application/pidf+xml"
)

// lampThrottle is how long changes of a lamp are gathered after a NOTIFY. The first of a call is told at once.
const lampThrottle = 200 * time.Millisecond

// Packages returns the event packages of the lamps, for the notifier that becomes [Lamps.Events]. RFC 4235 §3: who talks; RFC 3856 §6: only whether somebody is there, and
// whether they talk, which is all that some telephones understand.
func (l *Lamps) Packages() []*event.Package {
	terms := func(name, typ string, tell telling) *event.Package {
		return &event.Package{Name: name, Types: []string{typ}, Expires: time.Hour, Max: 24 * time.Hour, Throttle: lampThrottle, Source: &view{l, tell}}
	}
	return []*event.Package{terms(DialogPackage, dialogType, (*lamp).dialogs), terms(PresencePackage, presenceType, (*lamp).presence)}
}

// telling makes the document of a lamp.
type telling func(b *lamp, n event.Notice, sees Sight, online bool) event.Document

// view is the lamps as the source of one package.
type view struct {
	lamps *Lamps
	tell  telling
}

// Find implements [event.Source].
func (v *view) Find(ev *sip.Event) (string, error) {
	name, err := v.lamps.Onlookers.Lamp(ev)
	if err != nil {
		return "", err
	}
	v.lamps.mu.Lock()
	defer v.lamps.mu.Unlock()
	if v.lamps.lamps[name] == nil {
		v.lamps.makeLocked(strings.Clone(name)) // so that what comes later is news and not everything
	}
	return name, nil
}

// Notice implements [event.Source].
func (v *view) Notice(n event.Notice) event.Document {
	sees, online := v.lamps.Onlookers.Sees(n.Account, n.Resource), v.lamps.Onlookers.Online(n.Resource)
	v.lamps.mu.Lock()
	defer v.lamps.mu.Unlock()
	b := v.lamps.lamps[n.Resource]
	if b == nil {
		b = v.lamps.makeLocked(n.Resource)
	}
	v.lamps.nameLocked(b, sees)
	d := v.tell(b, n, sees, online)
	d.Mark, d.Nothing = b.mark, n.Since == b.mark
	return d
}

// dialogs makes the document of RFC 4235 §4: everything, or, for a subscriber who knows the rest, the calls that have changed.
func (b *lamp) dialogs(n event.Notice, sees Sight, _ bool) event.Document {
	whole := n.Since == 0 || n.Since < b.forgotten
	state, since := "partial", n.Since
	if whole {
		state, since = "full", 0
	}
	w := new(document)
	w.WriteString(`<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="` + strconv.FormatUint(uint64(n.Version), 10) + `" state="` + state + `"`)
	w.attribute("entity", n.Resource)
	w.WriteString(">\n")
	for _, c := range b.calls {
		if c.changed > since && (!whole || c.Phase != b2bua.LegOver) {
			w.dialog(c, n.Resource, sees)
		}
	}
	w.WriteString("</dialog-info>\n")
	return event.Document{Type: dialogType, Bytes: w.all()}
}

// dialog writes one call. RFC 4235 §4.1. What names it, and who is on the other side, is for those who may see it (§3.6).
func (w *document) dialog(c *lampCall, entity string, sees Sight) {
	w.WriteString(" <dialog")
	w.attribute("id", c.ID)
	id := c.told(sees)
	w.attribute("call-id", id.CallID)
	w.attribute("local-tag", id.FromTag)
	w.attribute("remote-tag", id.ToTag)
	direction := "recipient"
	if c.Initiator {
		direction = "initiator"
	}
	w.attribute("direction", direction)
	w.WriteString(">\n  <state>" + stateOf(c.Phase) + "</state>\n")
	if !c.since.IsZero() && c.Phase == b2bua.LegConfirmed {
		w.WriteString("  <duration>" + strconv.FormatInt(int64(time.Since(c.since)/time.Second), 10) + "</duration>\n")
	}
	if sees >= SeesPeer && c.Phase != b2bua.LegOver {
		w.party("local", sip.Address{}, entity, entity)
		// A call is picked up by an INVITE to this target: any address of ours will do, for Replaces says which.
		w.party("remote", c.Remote, c.Remote.URI.AOR(), entity)
	}
	w.WriteString(" </dialog>\n")
}

// stateOf is the word of RFC 4235 §3.7.1.
func stateOf(p b2bua.LegPhase) string {
	return [...]string{"trying", "trying", "early", "confirmed", "terminated"}[p]
}

// party writes one side of a call. RFC 4235 §4.1.6.
func (w *document) party(side string, who sip.Address, identity, target string) {
	w.WriteString("  <" + side + ">\n   <identity")
	if who.Display != "" {
		w.attribute("display", who.Name())
	}
	w.WriteString(">")
	w.text(identity)
	w.WriteString("</identity>\n   <target")
	w.attribute("uri", target)
	w.WriteString("/>\n  </" + side + ">\n")
}

// presence makes the document of RFC 3863: whether there is a telephone, and whether it is in use (RFC 4480 §3.2).
func (b *lamp) presence(n event.Notice, _ Sight, online bool) event.Document {
	w := new(document)
	w.WriteString(`<presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid"`)
	w.attribute("entity", n.Resource)
	basic := "closed"
	if online {
		basic = "open"
	}
	w.WriteString(">\n <tuple id=\"telephone\">\n  <status><basic>" + basic + "</basic></status>\n </tuple>\n")
	if b.live() > 0 {
		w.WriteString(" <dm:person id=\"person\">\n  <rpid:activities><rpid:on-the-phone/></rpid:activities>\n </dm:person>\n")
	}
	w.WriteString("</presence>\n")
	return event.Document{Type: presenceType, Bytes: w.all()}
}

// document writes XML.
type document struct{ bytes.Buffer }

// all returns what was written, behind the declaration.
func (w *document) all() []byte {
	return append([]byte(xml.Header), w.Bytes()...)
}

// attribute writes an attribute, unless it is empty.
func (w *document) attribute(name, value string) {
	if value == "" {
		return
	}
	w.WriteString(" " + name + `="`)
	w.text(value)
	w.WriteString(`"`)
}

// text writes text with its escapes.
func (w *document) text(s string) { _ = xml.EscapeText(w, []byte(s)) } // a Buffer takes everything
