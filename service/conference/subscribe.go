// The conference event package: who may see who is there, and what they are told. RFC 4575 §3.

package conference

import (
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

// Package returns the conference event package, for the notifier that becomes [Conference.Events]. RFC 4575 §3.
func (c *Conference) Package() *event.Package {
	// RFC 4575 §3.10 asks for no more than one NOTIFY in a second … of the notifier's own choice; half of one feels immediate and still gathers a crowd.
	return &event.Package{Name: packageName, Types: []string{infoType}, Expires: time.Hour, Max: 24 * time.Hour, Throttle: 500 * time.Millisecond, Source: c}
}

const packageName = "conference"

// Find implements [event.Source]. A room without PIN is seen by everybody who may call it, another by its members and owners only.
func (c *Conference) Find(ev *sip.Event) (string, error) {
	set, ok := c.settings(ev.Request)
	if !ok || set.Factory {
		return "", sip.StatusNotFound
	}
	name := nameOf(set.URI)
	who := c.identify(ev)
	if set.PIN == "" || who.owns(&set) {
		return name, nil
	}
	if r := c.live(name); r != nil && who.proven && r.hosts(who.entity) {
		return name, nil
	}
	return "", sip.StatusForbidden
}

// Notice implements [event.Source]. Who stands at the gate sees the conference and nobody in it.
func (c *Conference) Notice(n event.Notice) event.Document {
	r := c.live(n.Resource)
	if r == nil {
		uri, err := sip.ParseURI(n.Resource)
		if err != nil {
			return event.Document{}
		}
		set, _ := c.Rooms.Room(sip.NewRequest(sip.MethodSubscribe, uri))
		return event.Document{Type: infoType, Bytes: c.rosterOf(n.Resource, &set).document(n.Version, 0)}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.seesLocked(n.Account) {
		return event.Document{Type: infoType, Bytes: c.rosterOf(r.name, &r.set).document(n.Version, 0)}
	}
	return event.Document{Type: infoType, Bytes: r.roster.document(n.Version, n.Since), Mark: r.roster.mark, Nothing: n.Since == r.roster.mark}
}

// seesLocked reports whether somebody may see who is in the room.
func (r *room) seesLocked(entity string) bool {
	if r.set.PIN == "" || slices.Contains(r.set.Owners, entity) {
		return true
	}
	for m := range r.members {
		if m.proven && m.entity == entity && m.admitted {
			return true
		}
	}
	return false
}

// hosts reports whether somebody is in the room, or at its gate.
func (r *room) hosts(entity string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for m := range r.members {
		if m.proven && m.entity == entity {
			return true
		}
	}
	return false
}
