package b2bua

// A request outside any dialog, from its coming until it is known where it goes. Some decisions must wait for somebody else; meanwhile the caller may give up.

import (
	"context"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// maxWaits is how often the decision about one request may be put off.
const maxWaits = 3

// arrival is such a request.
type arrival struct {
	b     *B2BUA
	ev    *sip.Event
	who   Caller
	aor   string // whose call it is counted as; "" for nobody's
	calls int    // that this account has

	waits int
	stop  context.CancelFunc // of the decision that waits
	gone  bool               // the caller has given up
}

// arrive asks the router what becomes of a request.
func (b *B2BUA) arrive(ev *sip.Event) {
	a := arrival{b: b, ev: ev}
	if b.Identity != nil {
		a.who = b.Identity.Identify(ev)
	}
	if ev.Request.Method == sip.MethodInvite && a.who.Account.Host != "" {
		a.aor = a.who.Account.AOR()
		a.calls, _ = b.seat(a.aor, 0)
	}
	a.follow(b.Router.Route(a.question()))
}

func (a *arrival) question() *Question {
	return &Question{Request: a.ev.Request, Flow: a.ev.Flow, Caller: a.who, Calls: a.calls}
}

// follow goes the first step.
func (a *arrival) follow(r Route) {
	switch {
	case r.Later != nil:
		a.wait(r.Later)
	case len(r.PickUp) > 0 && a.ev.Request.Method == sip.MethodInvite:
		a.uncount()
		a.b.pickUp(a.ev, r.PickUp)
	case r.Join.Account.Host != "" && a.ev.Request.Method == sip.MethodInvite:
		a.uncount()
		a.b.joinAccount(a.ev, r.Join)
	case r.Take.CallID != "" && a.ev.Request.Method == sip.MethodInvite:
		a.uncount()
		a.b.replacing(a.ev, r.Take, claim{any: true})
	case r.Application != nil:
		a.uncount()
		r.Application.HandleEvent(a.ev)
	case !r.leads():
		a.refuse(or(r.Refuse, sip.StatusNotFound))
	case a.ev.Request.Method == sip.MethodInvite:
		a.b.invite(a, r)
	default:
		a.uncount()
		res := a.ev.Request.Reply(sip.StatusMethodNotAllowed)
		res.Set(sip.HeaderAllow, "INVITE, ACK, CANCEL, BYE")
		// An error means that the transaction is gone: nobody waits for the answer.
		_ = a.ev.Engine.Respond(a.ev.Tx, res)
	}
}

func (a *arrival) refuse(status sip.Status) {
	a.uncount()
	a.b.refuse(a.ev, status)
}

// uncount takes the request out of the calls of its sender: it has become none.
func (a *arrival) uncount() {
	if a.aor != "" {
		a.b.unseat(a.aor)
		a.aor = ""
	}
}

// wait lets a decision run in a goroutine of its own. It is bounded by the calls that there may be.
func (a *arrival) wait(later func(context.Context, *Question) Route) {
	ctx, cancel := context.WithCancel(context.Background())
	kept := &arrival{b: a.b, ev: dialog.Carry(a.ev, a.ev.Stripe), who: a.who.keep(), aor: a.aor, calls: a.calls, waits: a.waits + 1, stop: cancel}
	kept.ev.User = strings.Clone(a.ev.User)
	if kept.waits > maxWaits || !a.b.expect(kept) {
		cancel()
		a.refuse(sip.StatusServiceUnavailable)
		return
	}
	// An error means that the transaction is gone: the decision comes to nothing.
	kept.gone = kept.ev.Engine.Own(kept.ev.Tx, kept) != nil
	engine, stripe := kept.ev.Engine, kept.ev.Stripe
	go func() {
		route := later(ctx, kept.question())
		engine.Do(stripe, func() { kept.decided(route) })
	}()
}

// decided takes a decision that has waited.
func (a *arrival) decided(r Route) {
	a.stop()
	a.b.expected(a)
	if a.gone {
		a.uncount()
		return
	}
	a.follow(r)
}

// HandleEvent takes the CANCEL of a caller whose way is not known yet.
func (a *arrival) HandleEvent(ev *sip.Event) {
	if a.gone {
		return
	}
	a.gone = true
	a.stop()
	if ev.Kind == sip.EventCancel {
		a.b.refuse(a.ev, sip.StatusRequestTerminated)
	}
}

// giveUp refuses a request whose decision waits, because the service stops.
func (a *arrival) giveUp() {
	if !a.gone {
		a.gone = true
		a.stop()
		a.b.refuse(a.ev, sip.StatusServiceUnavailable)
	}
}

// decide lets the decision about a later step run in a goroutine of its own.
func (h *hunt) decide(later func(context.Context, *Question) Route) {
	ctx, cancel := context.WithCancel(context.Background())
	h.stop = cancel
	c, q := h.call, h.ask()
	go func() {
		route := later(ctx, q)
		c.engine.Do(c.stripe, func() {
			if ctx.Err() == nil && h.stop != nil {
				h.stop()
				h.stop = nil
				h.decided(route)
			}
			c.sweep()
		})
	}()
}

// decided goes on with the step that was decided on.
func (h *hunt) decided(r Route) {
	switch {
	case r.none(), h.step >= maxSteps:
		h.fail(h.outcome())
	case !h.enter(r):
		h.lead(h.outcome())
	}
}
