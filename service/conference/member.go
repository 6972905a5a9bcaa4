// A member: one call between the focus and somebody, from its INVITE to its BYE. RFC 4579 §5.1, §5.2; RFC 3264.

package conference

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/internal/lockout"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// member is one call. It lives in its stripe; entity, display and moderator are written before others see it, or under the mutex of its room.
type member struct {
	c        *Conference
	room     *room
	engine   sip.Engine
	stripe   sip.Stripe
	usage    *dialog.Usage
	endpoint *session.Endpoint
	seat     *session.Seat
	caller
	moderator bool // guarded by the mutex of the room once the member is admitted
	admitted  bool // so is this
	invited   bool // we called

	presence *presence // guarded by the mutex of the room
	gate     *gate     // asks for the PIN; nil when nothing is asked
	command  command   // digits of a command under way
	guests   []sip.URI // to be invited when the member is in
	muted    bool
	held     bool
	limit    sip.Timer // ends a call that lasts too long
	offered  bool      // our offer waits for its answer, which comes with the ACK
	picture  picturing
	over     bool
	inside   bool // the call does not leave the process: whoever routes calls is at its other end
	detail   Detail
}

// Speaker implements the interface of the same name of package b2bua.
func (m *member) Speaker() string { return m.account() }

// do runs f in the stripe of the member.
func (m *member) do(f func()) { m.engine.Do(m.stripe, f) }

// invite takes a call into a room. RFC 4579 §5.2; to a factory §5.4.
func (c *Conference) invite(ev *sip.Event, set Settings) {
	m := &member{c: c, engine: ev.Engine, stripe: ev.Stripe, caller: c.identify(ev), inside: ev.Flow.Transport == sip.Inside}
	m.moderator = m.owns(&set)
	if set.Page != nil {
		var status sip.Status
		if set, status = c.page(m, set); status != 0 {
			refuse(ev, status)
			return
		}
	}
	if set.Factory {
		set = c.fresh(ev, set)
		m.moderator = true
	}
	if c.lockout.Locked(m.suspect(set)) {
		refuse(ev, sip.StatusForbidden)
		return
	}
	guests, status := takeGuests(ev)
	if status != 0 {
		refuse(ev, status)
		return
	}
	if set.Page == nil {
		m.guests = guests
	}
	if status := c.enter(m, set); status != 0 {
		refuse(ev, status)
		return
	}
	usage, err := c.Dialogs.Incoming(ev, m)
	if err != nil {
		c.release(m) // the INVITE has been answered
		return
	}
	m.usage = usage
	m.begin(ev.Request)
	usage.SetContact(contactOf(set.URI))
	if err := m.answer(session.Peer{Remote: ev.Flow.Remote.Addr().Unmap(), Local: ev.Flow.Local.Addr().Unmap(), Inside: m.inside}); err != nil {
		status := description.Status(err)
		_ = usage.Reject(status)
		m.detail.Status = status
		m.end(BySystem, "")
	}
}

// fresh are the settings of a room of its own. Its name cannot be guessed: who knows it was told.
func (c *Conference) fresh(ev *sip.Event, set Settings) Settings {
	set.Factory = false
	set.URI.User = madePrefix + ev.Engine.NewID(ev.Stripe)
	set.PIN, set.Moderator = "", ""
	return set
}

func (m *member) suspect(set Settings) lockout.Suspect {
	return lockout.Suspect{Where: nameOf(set.URI), Who: m.name()}
}

// answer opens the media of the call and answers it.
func (m *member) answer(peer session.Peer) error {
	invitation := m.usage.Invitation()
	if !invitation.Accepts(description.Type) {
		return sip.StatusNotAcceptable // RFC 3261 §8.2.3
	}
	if err := m.listen(peer); err != nil {
		return err
	}
	theirs, err := description.Find(&invitation.Message)
	if err != nil {
		return err
	}
	ours, err := m.reply(theirs)
	if err != nil {
		return err
	}
	res := m.usage.Reply(sip.StatusOK)
	res.Set(sip.HeaderAllow, allowed)
	res.Set(sip.HeaderAllowEvents, packageName) // RFC 4579 §5.1
	res.SetBody(ours.Type, ours.Bytes)
	if err := m.usage.Send(res); err != nil {
		return err
	}
	m.settled()
	return nil
}

// listen opens the media.
func (m *member) listen(peer session.Peer) (err error) {
	voice := m.c.Voice
	voice.Rate = m.c.rate()
	if m.room.set.Page != nil || m.picture.none {
		voice.Pictures = nil
	}
	voice.Failed = func(err error) {
		reason := securityReason
		if errors.Is(err, session.ErrAbsent) {
			reason = absentReason
		}
		m.do(func() {
			m.detail.Err = err
			m.bye(reason)
		})
	}
	voice.Refresh = func() { m.do(m.demandPicture) }
	if m.endpoint, err = m.c.Media.NewEndpoint(context.Background(), peer, voice); err != nil {
		return err
	}
	m.preferFormat()
	return nil
}

// reply returns our answer to an offer, or our offer if there is none.
func (m *member) reply(theirs *sdp.Description) (dialog.Body, error) {
	if m.offered = theirs == nil; m.offered {
		return dialog.SDP(m.endpoint.Offer().AppendTo(nil)), nil
	}
	ours, err := m.endpoint.Answer(theirs)
	if err != nil {
		return dialog.Body{}, err
	}
	m.hold(theirs)
	return dialog.SDP(ours.AppendTo(nil)), nil
}

// hold notes whether the peer listens to the room. RFC 4575 §5.7.3.
func (m *member) hold(theirs *sdp.Description) {
	m.lookAt(theirs)
	held := true
	for i := range theirs.Media {
		if line := &theirs.Media[i]; !line.Rejected() && theirs.Direction(line).Receives() {
			held = false
		}
	}
	if held == m.held {
		return
	}
	m.held = held
	if p := m.presence; p != nil {
		m.room.change(func(r *roster) {
			if p.status = "connected"; held {
				p.status = "on-hold"
			}
			r.touched(p)
		})
	}
}

// settled goes on once both sides have agreed on a session: to the gate, or into the room.
func (m *member) settled() {
	if m.offered || m.seat != nil || m.over {
		return
	}
	m.limit = m.engine.After(m.stripe, or(m.c.MaxDuration, DefaultMaxDuration), func() { m.bye(timeReason) })
	m.reached(Answered)
	if err := m.room.sit(m); err != nil {
		m.detail.Err = err
		m.bye(stopReason)
		return
	}
	if m.moderator || m.invited || m.room.set.PIN == "" {
		m.admit()
		return
	}
	m.ask()
}

// admit lets the member hear and be heard.
func (m *member) admit() {
	r := m.room
	m.muted = r.set.MuteOnEntry && !m.moderator
	// A name of its own: whoever knows the Call-ID of another could meddle in that call. RFC 4575 §5.7, §8.
	p := &presence{entity: m.engine.NewID(m.stripe), status: "connected", invited: m.invited, moderator: m.moderator, muted: m.muted, since: time.Now(), sound: true}
	if m.held {
		p.status = "on-hold"
	}
	before := r.open()
	r.admit(m, p)
	m.reached(Joined)
	if !before && r.open() {
		r.each(func(other *member) { other.apply() })
	}
	m.apply()
	r.signal(entryTone())
	if r.set.Record {
		r.record(true)
	}
	if !m.invited {
		r.air()
	}
	for _, uri := range m.guests {
		r.call(m.engine, m.stripe, guest{m.account(), uri}, nil)
	}
	m.guests = nil
}

// apply tells the mixer what the member hears and who hears it.
func (m *member) apply() {
	if m.seat == nil || m.over {
		return
	}
	in := m.admitted && m.room.open()
	m.seat.Deafen(!in)
	m.seat.Mute(!in || m.muted)
	m.room.stage.update(m)
}

// mute mutes the member, or lets it be heard again.
func (m *member) mute(on bool) {
	if m.presence == nil || m.over || m.muted == on {
		return
	}
	m.muted = on
	m.room.change(func(r *roster) {
		m.presence.muted = on
		r.touched(m.presence)
	})
	m.apply()
}

// HandleUsage implements [dialog.Owner].
func (m *member) HandleUsage(u *dialog.Usage, ev dialog.Event) {
	m.usage = u
	switch ev := ev.(type) {
	case dialog.AckReceived:
		m.acknowledged(ev.Request)
	case dialog.Offer:
		m.changeSession(ev.Request)
	case dialog.Modified:
		m.modified(ev)
	case *dialog.Request:
		m.request(ev)
	case dialog.Cancelled:
		m.detail.Status = sip.StatusRequestTerminated
		m.end(ByMember, ev.Reason)
	case dialog.Rejected:
		m.end(BySystem, "")
	case dialog.Ended:
		by := BySystem
		if ev.Cause == dialog.ByeReceived {
			by = ByMember
		}
		m.end(by, ev.Reason)
	}
}

// request takes a request inside the call; the usage answers what is left.
func (m *member) request(ev *dialog.Request) {
	switch ev.Request.Method {
	case sip.MethodRefer:
		m.refer(ev)
	case sip.MethodInfo:
		if description.Trickles(ev.Request) {
			m.trickled(ev)
			return
		}
		if d := ev.Request.DTMF(); d != 0 {
			_ = m.usage.Respond(ev, m.usage.ReplyTo(ev.Request, sip.StatusOK)) // a transaction that has ended needs no answer
			m.digit(d)
			return
		}
		if description.DemandsPicture(ev.Request) {
			_ = m.usage.Respond(ev, m.usage.ReplyTo(ev.Request, sip.StatusOK))
			m.endpoint.Refreshed()
		}
	}
}

// trickled takes candidates of the peer. RFC 8840 §4.3.
func (m *member) trickled(ev *dialog.Request) {
	status := description.TakeTrickle(ev.Request, func(fragment *sdp.Description) {
		if m.endpoint != nil {
			m.endpoint.Trickled(fragment)
		}
	})
	_ = m.usage.Respond(ev, m.usage.ReplyTo(ev.Request, status)) // a transaction that has ended needs no answer
}

// acknowledged takes the answer to our offer, if the ACK is to hold one.
func (m *member) acknowledged(ack *sip.Request) {
	if !m.offered {
		return
	}
	m.offered = false
	answer, err := description.Read(&ack.Message)
	if err == nil && answer == nil {
		err = sip.StatusNotAcceptableHere
	}
	if err == nil {
		err = m.endpoint.Accept(answer)
	}
	if err != nil {
		// RFC 3261 §13.2.2.4: an answer that cannot be taken ends the call.
		m.detail.Err = err
		m.bye(`SIP;cause=488;text="Not Acceptable Here"`)
		return
	}
	m.hold(answer)
	m.settled()
	m.room.stage.update(m)
}

// changeSession answers a re-INVITE or UPDATE: hold, resume, another address or codec.
func (m *member) changeSession(req *sip.Request) {
	theirs, err := description.Read(&req.Message)
	var ours dialog.Body
	if err == nil {
		ours, err = m.reply(theirs)
	}
	if err != nil {
		m.offered = false
		_ = m.usage.Refuse(description.Status(err)) // an exchange that is gone needs no answer
		return
	}
	_ = m.usage.Accept(ours)
	m.room.stage.update(m)
}

// bye ends the call from our side.
func (m *member) bye(reason string) {
	if m.over || m.usage == nil || m.usage.Bye(reason) != nil {
		return // it is ending
	}
	m.detail.By, m.detail.Reason = BySystem, reason
	m.silence()
	m.room.leaves(m)
	if m.usage.Over() {
		m.end(BySystem, reason)
	}
}

// silence takes the member out of the mix and off the roster.
func (m *member) silence() {
	m.room.stage.leave(m)
	if w := m.picture.waiting; w != nil {
		w.Stop()
	}
	if m.seat != nil {
		m.room.rise(m.seat)
		m.seat = nil
	}
	if m.presence != nil {
		m.room.dismiss(m)
		m.room.signal(leaveTone())
	}
	m.stopGate()
}

// end frees what the call holds.
func (m *member) end(by Side, reason string) {
	if m.over {
		return
	}
	m.over = true
	if m.detail.Reason == "" {
		m.detail.By, m.detail.Reason = by, strings.Clone(reason)
	}
	if m.limit != nil {
		m.limit.Stop()
	}
	m.silence()
	m.room.leaves(m)
	if e := m.endpoint; e != nil {
		m.detail.Media = e.Statistics()
		// Close waits for the frame that is being sent: not in the stripe.
		m.c.work.Go(e.Close)
		m.endpoint = nil
	}
	m.reached(Ended)
	m.c.release(m)
}
