// The document that says who is in a conference. RFC 4575 §5, §6.

package conference

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"time"

	"github.com/sipwerk/sipwerk/media/sdp"
)

// infoType is the type of the document. RFC 4575 §9.2.
const infoType = "application/conference-info+xml"

// info writes documents.
type info struct{ bytes.Buffer }

// document returns what has changed since a mark, everything for 0 or where that is not known any more. RFC 4575 §5.1: the version is the subscription's.
func (r *roster) document(version uint32, since uint64) []byte {
	whole := since == 0 || since < r.forgotten || since > r.mark
	if whole {
		since = 0
	}
	w := new(info)
	w.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<conference-info xmlns="urn:ietf:params:xml:ns:conference-info" entity="`)
	w.text(r.entity)
	w.WriteString(`" state="` + stateOf(whole) + `" version="` + strconv.FormatUint(uint64(version), 10) + `">` + "\n")
	if whole {
		w.description(r)
	}
	if r.state > since {
		w.state(r)
	}
	w.users(r, since, whole)
	w.WriteString("</conference-info>\n")
	return w.Bytes()
}

func stateOf(whole bool) string {
	if whole {
		return "full"
	}
	return "partial"
}

func (w *info) description(r *roster) {
	w.WriteString(" <conference-description>\n")
	if r.title != "" {
		w.element(2, "display-text", r.title)
	}
	w.WriteString("  <conf-uris>\n   <entry>\n")
	w.element(4, "uri", r.entity)
	w.WriteString("   </entry>\n  </conf-uris>\n")
	w.element(2, "maximum-user-count", strconv.Itoa(r.most))
	w.WriteString("  <available-media>\n")
	w.available("1", "audio")
	if r.video {
		w.available("2", "video")
	}
	w.WriteString("  </available-media>\n")
	w.WriteString(" </conference-description>\n")
}

func (w *info) available(label, kind string) {
	w.WriteString(`   <entry label="` + label + `">` + "\n")
	w.element(4, "type", kind)
	w.element(4, "status", "sendrecv")
	w.WriteString("   </entry>\n")
}

func (w *info) state(r *roster) {
	w.WriteString(" <conference-state>\n")
	w.element(2, "user-count", strconv.Itoa(len(r.users)))
	w.element(2, "active", strconv.FormatBool(len(r.users) > 0))
	w.element(2, "locked", strconv.FormatBool(r.locked))
	w.WriteString(" </conference-state>\n")
}

// users writes the users that have changed since a mark. RFC 4575 §6.2: in a partial document one that is there is told as a whole, one that is not as deleted.
func (w *info) users(r *roster, since uint64, whole bool) {
	news := whole
	for _, u := range r.users {
		news = news || u.changed > since
	}
	for _, d := range r.gone {
		news = news || d.at > since
	}
	if !news {
		return
	}
	w.WriteString(` <users state="` + stateOf(whole) + `">` + "\n")
	for _, u := range r.users {
		if u.changed > since {
			w.user(u)
		}
	}
	for _, d := range r.gone {
		if !whole && d.at > since {
			w.WriteString(`  <user entity="`)
			w.text(d.entity)
			w.WriteString(`" state="deleted"/>` + "\n")
		}
	}
	w.WriteString(" </users>\n")
}

func (w *info) user(u *user) {
	w.WriteString(`  <user entity="`)
	w.text(u.entity)
	w.WriteString(`" state="full">` + "\n")
	if u.display != "" {
		w.element(3, "display-text", u.display)
	}
	role := "participant"
	for _, p := range u.calls {
		if p.moderator {
			role = "moderator"
		}
	}
	w.WriteString("   <roles>\n")
	w.element(4, "entry", role)
	w.WriteString("   </roles>\n")
	for _, p := range u.calls {
		w.endpoint(p)
	}
	w.WriteString("  </user>\n")
}

// endpoint writes one call. RFC 4575 §5.7; the status of a stream is the member's (§5.8.5).
func (w *info) endpoint(p *presence) {
	w.WriteString(`   <endpoint entity="`)
	w.text(p.entity)
	w.WriteString(`" state="full">` + "\n")
	w.element(4, "status", p.status)
	method := "dialed-in"
	if p.invited {
		method = "dialed-out"
	}
	w.element(4, "joining-method", method)
	if !p.since.IsZero() {
		w.WriteString("    <joining-info>\n")
		w.element(5, "when", p.since.UTC().Format(time.RFC3339))
		w.WriteString("    </joining-info>\n")
	}
	for i, m := range p.media() {
		w.WriteString(`    <media id="` + strconv.Itoa(i+1) + `">` + "\n")
		w.element(5, "type", m.kind)
		if m.label != "" {
			w.element(5, "label", m.label)
		}
		w.element(5, "status", directionOf(m.sends, m.gets).String())
		w.WriteString("    </media>\n")
	}
	w.WriteString("   </endpoint>\n")
}

// directionOf is the status of a stream, seen from the member. RFC 4575 §5.8.5.
func directionOf(sends, gets bool) sdp.Direction {
	d := sdp.SendRecv
	if !sends {
		d = d.And(sdp.RecvOnly)
	}
	if !gets {
		d = d.And(sdp.SendOnly)
	}
	return d
}

// element writes an element with text.
func (w *info) element(indent int, name, text string) {
	w.Write(bytes.Repeat([]byte{' '}, indent))
	w.WriteString("<" + name + ">")
	w.text(text)
	w.WriteString("</" + name + ">\n")
}

// text writes text with its escapes.
func (w *info) text(s string) { _ = xml.EscapeText(w, []byte(s)) } // a Buffer takes everything
