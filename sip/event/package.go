// What a package says of itself, and where its state comes from. RFC 6665 §5.4.

package event

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Package is one event package of a [Notifier]. RFC 6665 §5.4. Fill the fields before first use and leave them alone.
type Package struct {
	Name  string   // of the Event header: "conference", "dialog", "message-summary"
	Types []string // of the documents, the best first; a subscriber that does not say what it takes gets the first
	// Expires is how long a subscription lasts whose subscriber does not say; Min is the shortest and Max the longest. 0: an hour, a minute, Expires.
	Expires, Min, Max time.Duration
	// Throttle is how long after a NOTIFY the next one waits; changes in between are told together. RFC 6665 §5.4.10.
	Throttle time.Duration
	Source   Source
}

// Source knows the state of the resources of a package. Both methods are called in the stripe of a subscription and must not block.
type Source interface {
	// Find returns the name of the resource that the SUBSCRIBE of ev asks for: the one by which [Notifier.Changed] calls it. An error that is a
	// [sip.Status] refuses the subscription with it, any other with 403. It must keep nothing of ev.
	Find(ev *sip.Event) (resource string, err error)
	// Notice returns what a subscriber is to be told now.
	Notice(n Notice) Document
}

// Notice is what is known of a subscriber that is to be told something.
type Notice struct {
	Resource string
	Event    sip.EventPackage // as it was asked for, with id and other parameters
	Account  string           // who subscribes
	Type     string           // the type of document that was agreed
	Version  uint32           // of the document that is asked for: 0 for the first, one up with each
	Since    uint64           // the Mark of the document that the subscriber knows; 0: none, everything is to be told
}

// Document is what is told.
type Document struct {
	Type  string
	Bytes []byte // empty: a NOTIFY without body
	// Mark stands for the state that the document tells: [Notice.Since] of the next. 0 is no mark: the next document tells everything again.
	Mark uint64
	// Nothing says that there is no news since [Notice.Since]: no NOTIFY is sent if it was to be about a change.
	Nothing bool
}

// The defaults of a package that does not say.
const (
	defaultExpires = time.Hour
	defaultMin     = time.Minute
)

// expires returns how long a subscription lasts that asks for d; ok is false if it does not say. tooBrief means 423. RFC 6665 §4.2.1.1: no longer than it asks for.
func (p *Package) expires(d time.Duration, ok bool) (granted time.Duration, tooBrief bool) {
	usual := p.Expires
	if usual == 0 {
		usual = defaultExpires
	}
	longest := p.Max
	if longest == 0 {
		longest = usual
	}
	if !ok {
		return min(usual, longest), false
	}
	return min(d, longest), d > 0 && d < p.least()
}

// least is the shortest subscription. RFC 6665 §4.2.1.1: an hour or more is never too brief.
func (p *Package) least() time.Duration {
	if p.Min == 0 {
		return defaultMin
	}
	return min(p.Min, time.Hour)
}

// agree returns the type of document that the sender of a SUBSCRIBE takes, "" if there is none.
func (p *Package) agree(req *sip.Request) string {
	if !req.Has(sip.HeaderAccept) {
		return p.Types[0]
	}
	for _, t := range p.Types {
		if req.Accepts(t) {
			return t
		}
	}
	return ""
}
