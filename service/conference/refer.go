// REFER to the focus: invite somebody, or remove somebody. RFC 4579 §5.5, §5.11; RFC 3515 §2.4.

package conference

import (
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/event"
)

// wish is what a REFER asks of a room.
type wish struct {
	method sip.Method
	uri    sip.URI
}

// wishOf reads a REFER; a status refuses it.
func (r *room) wishOf(req *sip.Request, inside, moderator bool) (w wish, refusal sip.Status) {
	to, err := req.ReferTo()
	if err != nil {
		return w, sip.StatusBadRequest
	}
	w = wish{wantsMethod(to.URI), target(to.URI)}
	r.mu.Lock()
	locked := r.roster.locked
	r.mu.Unlock()
	switch {
	case !inside:
		return w, sip.StatusForbidden
	case w.method == sip.MethodInvite && (moderator || !locked):
		return w, 0
	case w.method == sip.MethodBye && moderator:
		return w, 0
	case w.method == sip.MethodInvite, w.method == sip.MethodBye:
		return w, sip.StatusForbidden
	}
	return w, sip.StatusNotImplemented
}

// rights says what somebody outside a call is to the room: a member by another way, a moderator.
func (r *room) rights(who caller) (inside, moderator bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	moderator = who.owns(&r.set)
	for m := range r.members {
		if who.proven && m.proven && m.entity == who.entity && m.admitted {
			inside, moderator = true, moderator || m.moderator
		}
	}
	return inside || moderator, moderator
}

// refer takes a REFER outside any dialog.
func (c *Conference) refer(ev *sip.Event, set Settings) {
	r := c.live(nameOf(set.URI))
	switch {
	case c.Events == nil:
		refuse(ev, sip.StatusMethodNotAllowed)
		return
	case r == nil:
		refuse(ev, sip.StatusTemporarilyUnavailable)
		return
	}
	who := c.identify(ev)
	inside, moderator := r.rights(who)
	w, status := r.wishOf(ev.Request, inside, moderator)
	if status != 0 {
		refuse(ev, status)
		return
	}
	referral, err := c.Events.Refer(ev)
	if err != nil {
		return // it has been answered
	}
	r.grant(ev.Engine, ev.Stripe, who, w, referral)
}

// refer takes a REFER inside the call of a member.
func (m *member) refer(ev *dialog.Request) {
	if m.c.Events == nil {
		return // the usage refuses it
	}
	w, status := m.room.wishOf(ev.Request, m.admitted, m.moderator)
	if status != 0 {
		_ = m.usage.Respond(ev, m.usage.ReplyTo(ev.Request, status))
		return
	}
	referral, err := m.c.Events.ReferWithin(m.engine, m.usage, ev, m.name())
	if err != nil {
		return // it has been answered
	}
	m.room.grant(m.engine, m.stripe, m.caller, w, referral)
}

// grant does what a REFER of somebody asks for.
func (r *room) grant(e sip.Engine, stripe sip.Stripe, who caller, w wish, referral *event.Referral) {
	if w.method == sip.MethodInvite {
		r.call(e, stripe, guest{who.account(), w.uri}, func(status sip.Status) { referral.Report(status, "") })
		return
	}
	entity := w.uri.String()
	if r.c.Locator != nil {
		if account, _, ok := r.c.Locator.Lookup(who.account(), w.uri); ok {
			entity = account.String()
		}
	}
	if r.remove(entity) {
		referral.Report(sip.StatusOK, "")
		return
	}
	referral.Report(sip.StatusNotFound, "")
}
