// The session timer of a usage: what is asked and granted, the refresh, the end. RFC 4028.

package dialog

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// timerTag is the option tag of session timers.
const timerTag = "timer"

// defaultSession is the SessionExpires of a Table that does not say. RFC 4028 §4.
const defaultSession = 30 * time.Minute

// maxPackages bounds the packages of INFO that are remembered of a peer.
const maxPackages = 16

// errTooBrief says that a request asks for a session that lasts too short.
var errTooBrief = errors.New("dialog: session interval too small")

// session is what both sides agreed, and the timer that keeps it.
type session struct {
	state    timerState
	due      bool // the timer is for the next refresh; otherwise for the end
	interval time.Duration
	timer    sip.Timer
}

// policy returns what the table wants.
func (t *Table) policy() policy {
	p := policy{t.SessionExpires, t.MinSE}
	if p.interval == 0 {
		p.interval = defaultSession
	}
	if p.interval < 0 {
		return policy{}
	}
	p.least = max(p.least, shortestSession)
	p.interval = max(p.interval, p.least)
	return p
}

// wishOf reads what a request says about its session. A malformed Session-Expires says nothing.
func wishOf(req *sip.Request) wish {
	w := wish{supported: req.HasToken(sip.HeaderSupported, timerTag) || req.HasToken(sip.HeaderRequire, timerTag)}
	if value := req.Get(sip.HeaderSessionExpires); value != "" {
		if asked, err := sip.ParseSessionExpires(value); err == nil {
			w.asked = asked
		}
	}
	if least, ok := req.Uint(sip.HeaderMinSE); ok {
		w.least = time.Duration(least) * time.Second
	}
	return w
}

// tooBrief refuses a request whose session would be too short with 422, and reports whether it did. RFC 4028 §9.
func (t *Table) tooBrief(ev *sip.Event) bool {
	p := t.policy()
	if p.interval == 0 || !ev.Request.Has(sip.HeaderSessionExpires) || !p.tooBrief(wishOf(ev.Request)) {
		return false
	}
	res := ev.Request.Reply(sip.StatusSessionIntervalTooSmall)
	res.Set(sip.HeaderMinSE, inSeconds(p.least))
	respond(ev, res)
	return true
}

func inSeconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }

// propose writes into a request of ours how long the session shall last. RFC 4028 §7.1, §7.4: who refreshes is left open at first and kept afterwards.
func (u *Usage) propose(req *sip.Request) {
	p := u.table.policy()
	if p.interval == 0 {
		return
	}
	s := &u.session
	least := max(p.least, u.least())
	asked := sip.SessionExpires{Interval: max(p.interval, least)}
	if s.state != timerOff {
		asked.Interval = max(s.interval, least)
	}
	switch s.state {
	case timerOff:
	case timerTheirs:
		asked.Refresher = "uas"
	default:
		asked.Refresher = "uac"
	}
	req.Set(sip.HeaderSessionExpires, asked.String())
	if least > shortestSession {
		req.Set(sip.HeaderMinSE, inSeconds(least))
	}
}

// lengthen returns the request to send after a 422: the same with a longer session. RFC 4028 §7.3.
func (u *Usage) lengthen(req *sip.Request, res *sip.Response, tries int) (*sip.Request, bool) {
	least, ok := res.Uint(sip.HeaderMinSE)
	asked := wishOf(req).asked
	if d := time.Duration(least) * time.Second; !ok || tries >= maxTries || asked.Interval == 0 || d <= asked.Interval && d <= u.least() {
		return nil, false
	}
	u.rare().least = time.Duration(least) * time.Second
	again := req.Clone()
	again.Remove(sip.HeaderVia) // of the attempt before
	u.propose(again)
	return again, true
}

// grant writes into the 2xx to a request of the peer how long the session lasts, and begins to count. RFC 4028 §9.
func (u *Usage) grant(req *sip.Request, res *sip.Response) {
	p := u.table.policy()
	if p.interval == 0 {
		return
	}
	w := wishOf(req)
	given := p.grant(w)
	res.Set(sip.HeaderSessionExpires, given.String())
	if given.Refresher == "uac" {
		res.Set(sip.HeaderRequire, timerTag) // RFC 4028 §9: it has to know that it is expected to
	}
	u.agree(given.Interval, given.Refresher == "uas")
}

// granted takes the terms of a 2xx to a request of ours and begins to count. RFC 4028 §7.2.
func (u *Usage) granted(req *sip.Request, res *sip.Response) {
	asked := wishOf(req).asked
	if asked.Interval == 0 {
		return
	}
	given, err := sip.ParseSessionExpires(res.Get(sip.HeaderSessionExpires))
	if err != nil || given.Interval < shortestSession {
		// RFC 4028 §4: 90 s is the least that there is.
		given = sip.SessionExpires{}
	}
	u.agree(settle(asked.Interval, given))
}

func (u *Usage) agree(interval time.Duration, ours bool) {
	u.session.interval = interval
	if ours {
		u.stepTimer(timerAgreeOurs)
	} else {
		u.stepTimer(timerAgreeTheirs)
	}
}

func (u *Usage) stepTimer(in timerInput) {
	next, actions := u.session.state.step(in)
	u.session.state = next
	for _, a := range actions {
		u.doTimer(a)
	}
}

func (u *Usage) doTimer(a timerAction) {
	s := &u.session
	switch a {
	case timerArm:
		u.arm(true, s.interval/2)
	case timerAwait:
		u.arm(false, s.life())
	case timerRefresh:
		u.refresh()
	case timerLater:
		u.retry(s.interval / 8)
	case timerHangUp:
		u.expired()
	case timerStop:
		u.disarm()
	}
}

// life is how long a session lasts that nobody refreshes.
func (s *session) life() time.Duration { return s.interval - margin(s.interval) }

// arm waits for the next refresh, or for the end.
func (u *Usage) arm(due bool, d time.Duration) {
	u.disarm()
	u.session.due = due
	u.session.timer = u.engine.After(u.stripe, d, u.timeUp)
}

func (u *Usage) disarm() {
	stop(&u.session.timer)
	if u.extra != nil {
		stop(&u.extra.retry)
	}
}

// timeUp takes the timer of the session.
func (u *Usage) timeUp() {
	s := &u.session
	s.timer = nil
	if !s.due {
		u.stepTimer(timerExpired)
		return
	}
	u.arm(false, s.life()-s.interval/2)
	u.stepTimer(timerDue)
}

// retry tries to refresh once more before the end.
func (u *Usage) retry(d time.Duration) {
	x := u.rare()
	stop(&x.retry)
	x.retry = u.engine.After(u.stripe, d, func() {
		x.retry = nil
		u.stepTimer(timerDue)
	})
}

// expired ends a session that nobody has refreshed.
func (u *Usage) expired() {
	if u.up() {
		u.hangUp(Expired)
	}
}

// refresh keeps the session alive: by an UPDATE without body if the peer takes UPDATE, by a re-INVITE with our last description otherwise. RFC 4028 §7.4.
func (u *Usage) refresh() {
	if !u.up() {
		u.stepTimer(timerRefused) // no ACK yet, or we are leaving
		return
	}
	if u.updates {
		u.refreshByUpdate()
		return
	}
	u.refreshByInvite()
}

func (u *Usage) refreshByUpdate() {
	req := u.dialog.Request(sip.MethodUpdate)
	_, _, confirmed := u.table.supported()
	promise(&req.Message, confirmed)
	u.propose(req)
	x, err := u.exchange(u.dialog, req, nil)
	if err != nil {
		u.stepTimer(timerRefused)
		return
	}
	x.done = func(o outcome) { u.refreshed(x.request, o) }
}

// refreshed takes the outcome of an UPDATE without body, or of the re-INVITE in its place.
func (u *Usage) refreshed(req *sip.Request, o outcome) {
	switch {
	case u.hungUp():
	case o.status.Success():
		u.dialog.Refresh(&o.response.Message)
		u.heed(&o.response.Message)
		u.granted(req, o.response)
		if len(o.response.Body()) > 0 {
			u.tell(Refreshed{Response: o.response})
		}
	case o.gone():
		u.hangUp(DialogGone)
	case req.Method == sip.MethodUpdate && (o.status == sip.StatusMethodNotAllowed || o.status == sip.StatusNotImplemented):
		u.updates = false
		u.refreshByInvite()
	case o.status == sip.StatusSessionIntervalTooSmall && u.longer(req, o.response):
		u.refresh()
	default:
		u.stepTimer(timerRefused)
	}
}

// longer takes the Min-SE of a 422 and reports whether it asks for more than we did.
func (u *Usage) longer(req *sip.Request, res *sip.Response) bool {
	_, ok := u.lengthen(req, res, 0)
	return ok
}

// refreshByInvite lets the next re-INVITE refresh: one that waits or is under way, or one with the description that the peer knows.
func (u *Usage) refreshByInvite() {
	n := u.offer()
	switch {
	case n.waiting || n.state == offerSent:
	case len(u.ours.Bytes) == 0:
		u.stepTimer(timerRefused)
	default:
		n.body, n.waited, n.waiting, n.refresh, n.method = u.ours, 0, true, true, sip.MethodInvite
		u.nextOffer()
	}
}

// heed notes what the peer says that it takes: UPDATE, and packages of INFO. RFC 3311 §5.1; RFC 6086 §4.2.
func (u *Usage) heed(m *sip.Message) {
	if m.Has(sip.HeaderAllow) {
		u.updates = m.HasToken(sip.HeaderAllow, string(sip.MethodUpdate))
	}
	if m.Has(sip.HeaderSupported) {
		u.renames = m.HasToken(sip.HeaderSupported, fromChange)
	}
	if m.Has(sip.HeaderRecvInfo) {
		var all []string
		for p := range m.Values(sip.HeaderRecvInfo) {
			if len(all) < maxPackages && p != "" {
				all = append(all, strings.Clone(p))
			}
		}
		if u.extra != nil || all != nil {
			u.rare().packages = all
		}
	}
}
