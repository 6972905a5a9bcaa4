// Calls that are taken where they ring, where they wait, or as they go: pickup, park slots, supervisors. RFC 5359 §2.15, §2.16; RFC 3911 §4.

package server

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/server/music"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// pickUp leads the dialler of **NUMBER to the call that rings there, at a member if it is a group, and the dialler of *8 to one that rings in their pickup group; false if nothing of
// the kind was dialled. Whoever is not known takes nobody's call, and the calls of a domain are for its own people.
func (r *router) pickUp(q *b2bua.Question) (b2bua.Route, bool) {
	user := q.Request.URI.UserName()
	number, directed := strings.CutPrefix(user, pbx.PickupCode)
	grouped := user == pbx.GroupPickupCode || strings.EqualFold(user, string(pbx.GroupPickup))
	if !grouped && (!directed || number == "") {
		return b2bua.Route{}, false
	}
	d := r.domains.of(q.Caller.Account)
	if !r.atHome(q) {
		return b2bua.Route{Refuse: sip.StatusForbidden}, true
	}
	if grouped {
		return r.pickUpInGroup(d, q.Caller.Account.UserName()), true
	}
	there := q.Request.URI
	there.User = number
	if account, ok := r.registrar.Resolve(there); ok {
		return b2bua.Route{PickUp: []sip.URI{account}}, true
	}
	members, _ := sharers(d.directory.Settings(d.name), number)
	return d.anyOf(members), true
}

// atHome reports whether an account asks in its own domain.
func (r *router) atHome(q *b2bua.Question) bool {
	return q.Caller.Account.Host != "" && r.domains.of(q.Caller.Account) == r.domains.of(q.Request.URI)
}

// pickUpInGroup leads to a call of those whose pickup group is that of user.
func (r *router) pickUpInGroup(d *domain, user string) b2bua.Route {
	set := d.directory.Settings(d.name)
	own, _ := set.Account(user)
	if own.PickupGroup == "" {
		return b2bua.Route{Refuse: sip.StatusForbidden}
	}
	var members []string
	for name, a := range set.Accounts {
		if a.PickupGroup == own.PickupGroup && name != user {
			members = append(members, name)
		}
	}
	return d.anyOf(members)
}

// anyOf leads to a call that rings at one of these accounts.
func (d *domain) anyOf(users []string) b2bua.Route {
	route := b2bua.Route{Refuse: sip.StatusNotFound}
	for _, user := range users {
		route.PickUp = append(route.PickUp, d.uri(user))
	}
	return route
}

// openPark makes the lots; features and lamps must be there.
func (s *Server) openPark(ds *domains) {
	s.park = &pbx.Park{Show: s.lamps.Show, Music: s.parkMusic(ds), Tell: func(parker, slot sip.URI) { s.tellSlot(ds, parker, slot) }}
	s.lamps.Onlookers.(*onlookers).park = s.park
	s.addPlayers(map[pbx.Feature]pbx.Player{pbx.Parking: s.park, pbx.Pickup: pbx.PlayerFunc(noExtension), pbx.Supervise: pbx.PlayerFunc(noExtension)})
}

// parkedAt is what a parker reads, by language.
var parkedAt = map[string]string{prompt.English: "Your call is parked at %s.", prompt.German: "Ihr Anruf ist auf %s geparkt."}

// tellSlot writes to the telephones of whoever has parked a call which slot it got. One that takes no messages says so, and nobody minds. RFC 3428 §4.
func (s *Server) tellSlot(ds *domains, parker, slot sip.URI) {
	d, account, ok := ds.account(parker)
	if !ok {
		return
	}
	to := d.uri(account)
	for _, b := range s.calls.Locator.Lookup(to) {
		if b.Spare {
			continue
		}
		req := sip.NewRequest(sip.MethodMessage, b.Target)
		for _, hop := range b.Path {
			req.Add(sip.HeaderRoute, hop)
		}
		req.Set(sip.HeaderFrom, sip.Address{URI: slot}.String())
		req.Set(sip.HeaderTo, sip.Address{URI: to}.String())
		req.SetBody("text/plain", fmt.Appendf(nil, cmp.Or(parkedAt[d.language(account)], parkedAt[prompt.English]), slot.User))
		s.send(req, b.To, slotPause)
	}
}

// slotPause is how long after the call the message comes: telephones show what has come last, and the end of the transfer is to be over by then.
const slotPause = time.Second

// send sends a request of which nothing more is wanted, after a while.
func (s *Server) send(req *sip.Request, to sip.Destination, after time.Duration) {
	stripe := sip.StripeOf(req.URI.User)
	s.stack.Do(stripe, func() {
		s.stack.After(stripe, after, func() {
			from, err := req.From()
			if err != nil {
				return
			}
			req.Set(sip.HeaderFrom, from.WithTag(s.stack.NewID(stripe)).String())
			req.Set(sip.HeaderCallID, s.stack.NewID(stripe))
			req.Set(sip.HeaderCSeq, sip.CSeq{Number: 1, Method: req.Method}.String())
			// A way that is broken by now leads to nobody who could be told.
			_, _ = s.stack.Start(stripe, req, to, sip.EventHandlerFunc(func(*sip.Event) {}))
		})
	})
}

// parkMusic says what is heard in the slots of a domain.
func (s *Server) parkMusic(ds *domains) func(sip.URI) *session.Music {
	return func(slot sip.URI) *session.Music {
		d := ds.of(slot)
		if d == nil {
			return s.usualMusic()
		}
		plan := d.directory.Settings(d.name).DialPlan()
		return s.shelf.Music(cmp.Or(plan.ParkMusic, plan.Music, s.Config.Media.Music, music.Tune))
	}
}

// parks leads whoever asks for a park slot; false if it is none.
// Whoever is not known takes nobody's call, and nobody one of another domain.
func (r *router) parks(q *b2bua.Question) (b2bua.Route, bool) {
	route, ok := r.park.Route(q, r.features)
	if ok && q.How == b2bua.Dialled && q.Flow.Transport != sip.Inside && !r.atHome(q) {
		return b2bua.Route{Refuse: sip.StatusForbidden}, true
	}
	return route, ok
}

// MayJoin implements [b2bua.Supervisors] by the setting of the account.
func (ds *domains) MayJoin(who b2bua.Caller, account sip.URI) bool {
	d, supervisor, ok := ds.account(who.Account)
	other, user, known := ds.account(account)
	if !ok || !known || d != other {
		return false
	}
	set, _ := ds.directory.Settings(d.name).Account(supervisor)
	return supervises(set, user)
}

// supervises reports whether an account may join the calls of another.
func supervises(own *object.Account, user string) bool {
	return slices.Contains(own.Supervise, user) || slices.Contains(own.Supervise, "*")
}

// joins leads the dialler of *51NUMBER, *52NUMBER or *53NUMBER to the call; false if nothing of the kind was dialled.
func (r *router) joins(req *sip.Request) (b2bua.Route, bool) {
	dialled, ok := strings.CutPrefix(req.URI.UserName(), pbx.JoinCode)
	if !ok || len(dialled) < 2 {
		return b2bua.Route{}, false
	}
	mode := strings.IndexByte(pbx.JoinModes, dialled[0])
	if mode < 0 {
		return b2bua.Route{}, false
	}
	there := req.URI
	there.User = dialled[1:]
	account, ok := r.registrar.Resolve(there)
	if !ok {
		return b2bua.Route{Refuse: sip.StatusNotFound}, true
	}
	return b2bua.Route{Join: b2bua.Join{Account: account, Mode: b2bua.JoinMode(mode)}}, true
}
