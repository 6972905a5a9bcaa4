// Lamps: who may look at which, and what they are called. RFC 4235 §3.6.

package server

import (
	"slices"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
)

// openLamps makes the lamps; the notifier must be there.
func (s *Server) openLamps(ds *domains) {
	s.lamps = &pbx.Lamps{Onlookers: &onlookers{domains: ds, registrar: s.registrar}, Events: s.events}
	s.conferences.Busy = func(account sip.URI) bool { return s.lamps.Calls(account.AOR()) > 0 }
	s.events.Packages = append(s.events.Packages, s.lamps.Packages()...)
}

// openReview has subscriptions end as soon as what they show is no more, or the account that watches; lamps and mailboxes must be there. The registrar does it for its own package.
// RFC 6665 §4.1.3.
func (s *Server) openReview() {
	looks := s.lamps.Onlookers.(*onlookers)
	looks.boxes = s.voicemail.Boxes
	s.directory.WatchAll(func() { s.events.Review(looks.over) }) // once for all domains: there may be thousands, and it looks at every subscription
}

// over says why a subscription is over; "" for one that goes on.
func (o *onlookers) over(pack, name, watcher string) (reason string) {
	lamp := pack == pbx.DialogPackage || pack == pbx.PresencePackage
	who, err := sip.ParseURI(watcher)
	uri, err2 := sip.ParseURI(name)
	if !lamp && pack != pbx.MessageSummary || err != nil || err2 != nil {
		return ""
	}
	if _, _, known := o.domains.account(who); !known {
		return "rejected"
	}
	there := false
	if lamp {
		var now string
		now, there = o.find(uri)
		there = there && now == name
	} else {
		_, there = o.boxes.Box(uri)
	}
	if !there {
		return "noresource"
	}
	return ""
}

// onlookers says who may look at which lamp.
type onlookers struct {
	domains   *domains
	registrar *registrar.Registrar
	park      *pbx.Park
	night     *nightLamps
	boxes     pbx.Boxes
}

// Lamp implements [pbx.Onlookers]. The lamps of a domain are for its own people.
func (o *onlookers) Lamp(ev *sip.Event) (string, error) {
	d := o.domains.of(ev.Request.URI)
	if d == nil || ev.User == "" && !ev.Trusted || o.domains.sender(ev.Request) != d {
		return "", sip.StatusForbidden
	}
	if name, ok := o.find(ev.Request.URI); ok {
		return name, nil
	}
	return "", sip.StatusNotFound
}

// find returns the name of the lamp that a URI stands for.
func (o *onlookers) find(uri sip.URI) (name string, ok bool) {
	if account, ok := o.registrar.Resolve(uri); ok {
		return account.AOR(), true
	}
	if name, ok := o.Shared(uri); ok {
		return name, true
	}
	return o.night.lamp(uri)
}

// Sees implements [pbx.Onlookers]: people see their own calls, and those of whom they supervise; of their pickup group, and the members of a group of that, who calls, and what they can
// take; and everybody what is parked.
func (o *onlookers) Sees(watcher, name string) pbx.Sight {
	if watcher == name {
		return pbx.SeesDialog
	}
	uri, err := sip.ParseURI(name)
	who, err2 := sip.ParseURI(watcher)
	d := o.domains.of(uri)
	if err != nil || err2 != nil || d == nil || o.domains.of(who) != d {
		return pbx.SeesCall
	}
	set := d.directory.Settings(d.name)
	if _, ok := o.park.Lamp(uri); ok {
		return pbx.SeesParked
	}
	sight := pbx.SeesCall
	if members, ok := sharers(set, uri.UserName()); ok {
		if slices.Contains(members, who.UserName()) {
			sight = pbx.SeesPeer
		}
		return sight
	}
	theirs, _ := set.Account(uri.UserName())
	own, _ := set.Account(who.UserName())
	switch {
	case supervises(own, uri.UserName()):
		sight = pbx.SeesDialog
	case own.PickupGroup != "" && own.PickupGroup == theirs.PickupGroup:
		sight = pbx.SeesPeer
	}
	return sight
}

// sharers are those who take the calls of a group or a queue; false for everything else.
func sharers(set *object.Settings, number string) ([]string, bool) {
	switch o := set.Number(number).(type) {
	case *object.Group:
		return o.Members, true
	case *object.Queue:
		return o.Agents, true
	}
	return nil, false
}

// Online implements [pbx.Onlookers].
func (o *onlookers) Online(name string) bool {
	uri, err := sip.ParseURI(name)
	if err != nil {
		return false
	}
	_, shared := o.Shared(uri)
	_, night := o.night.lamp(uri)
	if shared || night {
		return true
	}
	return len(o.registrar.Lookup(uri)) > 0
}

// Shared implements [pbx.Onlookers]: groups, queues and park slots have lamps.
func (o *onlookers) Shared(asked sip.URI) (string, bool) {
	if name, ok := o.park.Lamp(asked); ok {
		return name, true
	}
	d := o.domains.of(asked)
	if d == nil {
		return "", false
	}
	if _, ok := sharers(d.directory.Settings(d.name), asked.UserName()); !ok {
		return "", false
	}
	uri := d.uri(asked.UserName())
	return uri.AOR(), true
}
