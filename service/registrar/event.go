// The registration event package: whoever may bind an account may watch what is bound. RFC 3680; with the GRUUs of each contact, RFC 5628. A number of a bulk registration is told of as if it
// were registered alone.

package registrar

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

const (
	regPackage = "reg"
	regType    = "application/reginfo+xml"
	// regExpires is the default of RFC 3680 §4.4, regThrottle what §4.10 recommends.
	regExpires  = 3761 * time.Second
	regThrottle = 5 * time.Second
	// Why subscriptions end: RFC 6665 §4.1.3.
	goneResource = "noresource"
	lostResource = "rejected"
)

// Package returns the event package "reg", for the notifier that is [Registrar.Events].
func (r *Registrar) Package() *event.Package {
	return &event.Package{Name: regPackage, Types: []string{regType}, Expires: regExpires, Max: 24 * time.Hour, Throttle: regThrottle, Source: (*watched)(r)}
}

// IsWatch reports whether a request outside of dialogs asks for the package, which is the registrar's to answer wherever the devices are.
func IsWatch(req *sip.Request) bool {
	if req.Method != sip.MethodSubscribe || req.ToTag() != "" {
		return false
	}
	about, err := sip.ParseEventPackage(req.Get(sip.HeaderEvent))
	return err == nil && about.Name == regPackage
}

// watched is the registrar as the source of the package.
type watched Registrar

// Find implements [event.Source]. RFC 3680 §4.6: who may change the bindings may see them, and nobody else.
func (v *watched) Find(ev *sip.Event) (string, error) {
	r := (*Registrar)(v)
	found, known := r.Resolve(ev.Request.URI)
	aor := sip.URI{Scheme: "sip", User: found.User, Host: found.Host}
	switch {
	case !known:
		return "", sip.StatusNotFound
	case !r.mayWatch(ev, aor):
		return "", sip.StatusForbidden
	}
	return r.watches.open(subjectOf(&found), r.Events), nil
}

// mayWatch reports whether the sender of a request may see what is bound to aor. Who is trusted says whom it asks for (RFC 3325 §5), and sees no more than they do.
func (r *Registrar) mayWatch(ev *sip.Event, aor sip.URI) bool {
	if !ev.Trusted {
		return r.Accounts.MayBind(ev.User, aor)
	}
	for asserted, err := range ev.Request.Addresses(sip.HeaderPAssertedIdentity) {
		if err == nil && r.mayBindAs(asserted.URI, aor) {
			return true
		}
	}
	from, err := ev.Request.From()
	return err == nil && !ev.Request.Has(sip.HeaderPAssertedIdentity) && r.mayBindAs(from.URI, aor)
}

// mayBindAs reports whether the account that a URI names may change the bindings of aor, which is of the same domain.
func (r *Registrar) mayBindAs(who, aor sip.URI) bool {
	account, known := r.Resolve(who)
	return known && strings.EqualFold(account.Host, aor.Host) && r.Accounts.MayBind(account.UserName(), aor)
}

// Notice implements [event.Source]. The first document is a whole one, and so is the answer to each SUBSCRIBE; the others hold the contacts that have changed since the one before. RFC 3680 §5.1.
func (v *watched) Notice(n event.Notice) event.Document {
	r := (*Registrar)(v)
	aor, over := r.watchable(n.Resource)
	if over != "" {
		r.endWatch(n.Resource, over)
		return event.Document{Type: regType, Nothing: true}
	}
	s := subjectOf(&aor)
	news := r.watches.since(s, n.Since) // before the bindings are read: what happens in between is told twice
	if n.Since == news.mark {
		return event.Document{Type: regType, Mark: news.mark, Nothing: true}
	}
	var res Result
	r.find(&res, aor)
	doc := regDocument{GRUUs: "urn:ietf:params:xml:ns:gruuinfo", Version: n.Version, State: "full"}
	if news.partial {
		doc.State = "partial"
	}
	reg := regEntry{AOR: s.own, ID: contactID(s.own), State: "init"}
	here := make(map[string]bool)
	for i := range res.Bindings {
		c := r.describe(aor, &res.Bindings[i])
		last := news.present[c.ID] // nothing, if it was bound before anybody watched
		c.Event = max(last.kind, Added).String()
		if reg.State, here[c.ID] = "active", true; !news.partial || last.mark > n.Since {
			reg.Contacts = append(reg.Contacts, c)
		}
	}
	for _, gone := range news.gone {
		if c := gone.contact; !here[c.ID] { // or it has come back
			reg.Contacts = append(reg.Contacts, c)
		}
	}
	if len(res.Bindings) == 0 && len(reg.Contacts) > 0 {
		reg.State = "terminated" // RFC 3680 §4.7: told once
	}
	doc.Registrations = []regEntry{reg}
	text, err := xml.Marshal(doc)
	if err != nil {
		r.Log.Error("a registration cannot be told", "aor", s.own, "err", err)
		return event.Document{Type: regType, Mark: news.mark, Nothing: true}
	}
	return event.Document{Type: regType, Bytes: append([]byte(xml.Header), text...), Mark: news.mark}
}

// watchable returns what a resource stands for as [Registrar.Resolve] finds it now, or why its watchers are told no more: its account is gone, or its number is another's.
func (r *Registrar) watchable(resource string) (found sip.URI, over string) {
	name, _, _ := strings.Cut(resource, " ")
	uri, err := sip.ParseURI(name)
	if err != nil {
		return found, goneResource
	}
	found, known := r.Resolve(uri)
	if !known {
		return found, goneResource
	}
	if s := subjectOf(&found); s.resource() != resource {
		return found, lostResource
	}
	return found, ""
}

// endWatch ends the subscriptions to a resource.
func (r *Registrar) endWatch(resource, reason string) {
	r.watches.drop(resource)
	if r.Events != nil {
		r.Events.End(regPackage, resource, reason)
	}
}

// Review ends the subscriptions to what their watchers may not see any more: the registrations of accounts that are gone, and of numbers that belong to others. It is for whoever has
// changed what Accounts knows; without it they end with the next news of them, which nobody is told.
func (r *Registrar) Review() {
	for _, resource := range r.watches.resources() {
		if _, over := r.watchable(resource); over != "" {
			r.endWatch(resource, over)
		}
	}
}

// regDocument is the document of RFC 3680 §5.1.
type regDocument struct {
	XMLName       xml.Name   `xml:"urn:ietf:params:xml:ns:reginfo reginfo"`
	GRUUs         string     `xml:"xmlns:gr,attr"`
	Version       uint32     `xml:"version,attr"`
	State         string     `xml:"state,attr"`
	Registrations []regEntry `xml:"registration"`
}

type regEntry struct {
	AOR      string       `xml:"aor,attr"`
	ID       string       `xml:"id,attr"`
	State    string       `xml:"state,attr"`
	Contacts []regContact `xml:"contact"`
}

type regContact struct {
	ID      string     `xml:"id,attr"`
	State   string     `xml:"state,attr"`
	Event   string     `xml:"event,attr"`
	Expires int        `xml:"expires,attr"`
	Q       string     `xml:"q,attr"`
	CallID  string     `xml:"callid,attr"`
	CSeq    uint32     `xml:"cseq,attr"`
	URI     string     `xml:"uri"`
	Params  []regParam `xml:"unknown-param"`
	Public  *regGRUU   `xml:"gr:pub-gruu"`
	Private *regGRUU   `xml:"gr:temp-gruu"`
}

type regParam struct {
	Name  string `xml:"name,attr"`
	Value string `xml:",chardata"`
}

type regGRUU struct {
	URI   string `xml:"uri,attr"`
	First string `xml:"first-cseq,attr,omitempty"`
}

// describe says what is told of a binding that is in force. A bulk contact is told with the number in it, and without GRUUs, for those are made by the system.
func (r *Registrar) describe(aor sip.URI, b *Binding) regContact {
	c := contactOf(b)
	if b.bulk() {
		return c
	}
	aor.Params = ""
	if public, ok := publicGRUU(aor, b); ok {
		c.Public = &regGRUU{URI: public}
		// RFC 5628 §4: all that this registration has got are good, for they are read by its Call-ID and not by its CSeq.
		c.Private = &regGRUU{URI: r.temporaryGRUU(aor, b), First: "1"}
	}
	return c
}

// contactOf says what is told of any binding.
func contactOf(b *Binding) regContact {
	c := regContact{State: "active", Expires: max(0, int(time.Until(b.Expires)/time.Second)), CallID: strings.Clone(b.CallID), CSeq: b.CSeq,
		Q: fmt.Sprintf("%d.%03d", b.Q/1000, b.Q%1000), ID: contactID(b.Instance, fmt.Sprint(b.RegID), b.Number)}
	if uri, err := b.Target(); err == nil {
		uri.Params = withoutPush(uri.Params) // they are for whoever wakes the device, even those that a proxy on its Path wants
		c.URI = uri.String()
	}
	if b.Instance == "" {
		c.ID = contactID(c.URI)
		return c
	}
	c.Params = append(c.Params, regParam{"+sip.instance", `"<` + strings.Clone(b.Instance) + `>"`})
	if b.RegID != 0 {
		c.Params = append(c.Params, regParam{"reg-id", fmt.Sprint(b.RegID)})
	}
	return c
}

// contactID names a contact in all documents alike. RFC 3680 §5.2.2.
func contactID(of ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(of, "\x00")))
	return hex.EncodeToString(sum[:8])
}
