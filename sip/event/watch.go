// One subscription at the subscriber: SUBSCRIBE, its refreshes, and the NOTIFYs that come. RFC 6665 §4.1.2, §4.1.3.

package event

import (
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// Subscriber makes subscriptions and keeps them alive. It is an event handler for the NOTIFY requests that a [dialog.Table] passes on. The zero Subscriber is ready.
type Subscriber struct {
	Limit int           // how many subscriptions there may be; 0 means 10,000
	T1    time.Duration // RFC 3261 §17.1.1.1; 0 means 500 ms

	lanes [sip.Stripes]map[string]*Watch // by local tag; each is the matter of its stripe
	count atomic.Int64
}

// ErrFull says that there are as many subscriptions as there may be.
var ErrFull = errors.New("event: too many subscriptions")

// Outgoing is a subscription to make.
type Outgoing struct {
	Engine sip.Engine
	Stripe sip.Stripe // the lane in which the subscription lives
	// Request is the SUBSCRIBE with From and Event, and as needed To, Accept, Expires (an hour if missing) and Contact; the rest is filled in.
	Request *sip.Request
	To      sip.Destination
	Auth    dialog.Authorizer // answers challenges; nil: nobody does
}

// Listener is told what a subscription brings. Both methods are called in its stripe and must not block.
type Listener interface {
	// Told brings a NOTIFY, valid until Told returns. It has been answered with 200.
	Told(w *Watch, notify *sip.Request)
	// Ended is the last call.
	Ended(w *Watch, end End)
}

// End says why a subscription is over.
type End struct {
	Reason     string        // of the last NOTIFY, RFC 6665 §4.1.3: "noresource", "timeout" …; "" without one
	RetryAfter time.Duration // of the last NOTIFY
	Status     sip.Status    // the answer that refused the SUBSCRIBE, 408 for none; 0 otherwise
	Err        error         // why it could not be sent
}

// Watch is a subscription at the subscriber. Its methods must be called from within its stripe, except Do.
type Watch struct {
	subscriber *Subscriber
	out        Outgoing
	listener   Listener
	about      sip.EventPackage
	tag        string
	callID     string
	dialog     *dialog.Dialog // nil before the first NOTIFY
	state      watchState
	seq        uint32
	tries      int
	expires    time.Duration
	until      time.Time
	end        End
	timerN     sip.Timer
	due        sip.Timer
	expiry     sip.Timer
}

const (
	defaultWatches = 10_000
	// maxTries is how often one SUBSCRIBE is sent because it was challenged or too brief.
	maxTries = 4
	// ahead is how long before its end a subscription is refreshed.
	ahead = time.Minute
)

// Subscribe makes a subscription; it must be called from within its stripe. l is told what comes of it, refusals included; an error means that nothing was begun.
func (s *Subscriber) Subscribe(o Outgoing, l Listener) (*Watch, error) {
	if s.count.Load() >= int64(orDefault(s.Limit, defaultWatches)) {
		return nil, ErrFull
	}
	req := o.Request.Clone()
	w := &Watch{subscriber: s, out: o, listener: l, tag: o.Engine.NewID(o.Stripe), callID: o.Engine.NewID(o.Stripe), seq: 1}
	var err error
	if w.about, err = sip.ParseEventPackage(strings.Clone(req.Get(sip.HeaderEvent))); err != nil {
		return nil, err
	}
	from, err := req.From()
	if err != nil {
		return nil, err
	}
	req.Set(sip.HeaderFrom, from.WithTag(w.tag).String())
	complete(req, w.callID)
	w.out.Request = req
	seconds, _ := req.Uint(sip.HeaderExpires)
	w.expires = time.Duration(seconds) * time.Second
	if err := w.ask(req, sip.Destination(o.To)); err != nil {
		return nil, err
	}
	lane := s.lanes[o.Stripe]
	if lane == nil {
		lane = make(map[string]*Watch)
		s.lanes[o.Stripe] = lane
	}
	lane[w.tag] = w
	s.count.Add(1)
	return w, nil
}

// complete fills in what a first SUBSCRIBE needs.
func complete(req *sip.Request, callID string) {
	fill := func(h sip.Header, value string) {
		if !req.Has(h) {
			req.Set(h, value)
		}
	}
	fill(sip.HeaderTo, "<"+req.URI.String()+">")
	fill(sip.HeaderMaxForwards, "70")
	fill(sip.HeaderContact, "<sip:"+sip.AnyHost+">")
	fill(sip.HeaderExpires, seconds(defaultExpires))
	req.Set(sip.HeaderCallID, callID)
	req.Set(sip.HeaderCSeq, sip.CSeq{Number: 1, Method: sip.MethodSubscribe}.String())
}

// Len returns how many subscriptions there are.
func (s *Subscriber) Len() int { return int(s.count.Load()) }

// Do runs f in the stripe of the subscription; it may be called from anywhere and does not wait.
func (w *Watch) Do(f func()) { w.out.Engine.Do(w.out.Stripe, f) }

// Unsubscribe ends the subscription; the listener is told when it is over.
func (w *Watch) Unsubscribe() { w.step(watchLeave) }

// HandleEvent takes a NOTIFY. Everything else is left alone.
func (s *Subscriber) HandleEvent(ev *sip.Event) {
	if ev.Kind != sip.EventRequest || ev.Request.Method != sip.MethodNotify {
		return
	}
	w := s.lanes[ev.Stripe][ev.Request.ToTag()]
	if w == nil || !w.knows(ev.Request) {
		answer(ev, ev.Request.Reply(sip.StatusCallDoesNotExist))
		return
	}
	w.notify(ev)
}

// knows reports whether a NOTIFY belongs to the subscription. The first one makes the dialog: of a request that forked, the others get 481 (RFC 6665 §4.1.2.4, §4.4.1).
func (w *Watch) knows(req *sip.Request) bool {
	about, err := sip.ParseEventPackage(req.Get(sip.HeaderEvent))
	if err != nil || about.Name != w.about.Name || about.ID() != w.about.ID() || req.CallID() != w.callID {
		return false
	}
	return w.dialog == nil || w.dialog.Matches(req.CallID(), req.FromTag())
}

// notify takes a NOTIFY of the subscription.
func (w *Watch) notify(ev *sip.Event) {
	req := ev.Request
	state, err := sip.ParseSubscriptionState(req.Get(sip.HeaderSubscriptionState))
	if err != nil {
		answer(ev, req.Reply(sip.StatusBadRequest))
		return
	}
	if w.dialog == nil {
		if w.dialog, err = dialog.NewUAS(req, w.tag); err != nil {
			answer(ev, req.Reply(sip.StatusBadRequest))
			return
		}
		w.dialog.State, w.dialog.LocalSeq, w.dialog.Contact = dialog.Confirmed, w.seq, w.out.Request.Get(sip.HeaderContact)
	}
	if cseq, err := req.CSeq(); err != nil || !w.dialog.InOrder(cseq.Number) {
		answer(ev, req.Reply(sip.StatusServerInternalError))
		return
	}
	w.dialog.Refresh(&req.Message)
	w.dialog.Bind(dialog.ReturnFlow(ev, w.dialog))
	_ = ev.Engine.Respond(ev.Tx, req.Reply(sip.StatusOK))
	if state.Terminated() {
		w.end.Reason = strings.Clone(state.Reason())
		w.end.RetryAfter, _ = state.RetryAfter()
		w.heed(watchTerminated, req)
		return
	}
	if d, ok := state.Expires(); ok {
		w.expires = d
	}
	w.heed(watchNotify, req)
}

func (w *Watch) step(in watchInput) { w.heed(in, nil) }

// heed steps with the NOTIFY at hand, if there is one.
func (w *Watch) heed(in watchInput, notify *sip.Request) {
	next, actions := w.state.step(in)
	w.state = next
	for _, a := range actions {
		w.do(a, notify)
	}
}

func (w *Watch) do(a watchAction, notify *sip.Request) {
	switch a {
	case watchTell:
		w.listener.Told(w, notify)
	case watchRefresh:
		w.again(w.out.Request.Get(sip.HeaderExpires))
	case watchGoodbye:
		stop(&w.due)
		w.again("0")
	case watchArm:
		w.arm()
	case watchStopN:
		stop(&w.timerN)
	case watchLater:
		w.after(&w.due, time.Until(w.until)/8, watchDue)
	case watchTellOver:
		stop(&w.timerN)
		stop(&w.due)
		stop(&w.expiry)
		delete(w.subscriber.lanes[w.out.Stripe], w.tag)
		w.subscriber.count.Add(-1)
		w.listener.Ended(w, w.end)
	}
}

// arm begins to count the time that was granted.
func (w *Watch) arm() {
	if w.expires <= 0 {
		return // RFC 6665 §4.4.3: a fetch ends with its NOTIFY, or with timer N
	}
	w.until = time.Now().Add(w.expires)
	w.after(&w.due, w.expires-min(ahead, w.expires/2), watchDue)
	w.after(&w.expiry, w.expires, watchExpired)
}

func (w *Watch) after(t *sip.Timer, d time.Duration, in watchInput) {
	stop(t)
	*t = w.out.Engine.After(w.out.Stripe, d, func() {
		*t = nil
		w.step(in)
	})
}

// again sends a SUBSCRIBE inside the dialog.
func (w *Watch) again(expires string) {
	req := w.dialog.Request(sip.MethodSubscribe)
	for _, h := range [...]sip.Header{sip.HeaderEvent, sip.HeaderAccept} {
		if v := w.out.Request.Get(h); v != "" {
			req.Set(h, v)
		}
	}
	req.Set(sip.HeaderExpires, expires)
	w.tries = 0
	if err := w.ask(req, w.dialog.Destination()); err != nil {
		w.step(watchRefused)
	}
}

// ask sends a SUBSCRIBE and starts timer N. RFC 6665 §4.1.2.1.
func (w *Watch) ask(req *sip.Request, to sip.Destination) error {
	w.tries++
	_, err := w.out.Engine.Start(w.out.Stripe, req, to, sip.EventHandlerFunc(func(ev *sip.Event) { w.answered(ev, req, to) }))
	if err != nil {
		return err
	}
	t1 := w.subscriber.T1
	if t1 == 0 {
		t1 = 500 * time.Millisecond
	}
	w.after(&w.timerN, 64*t1, watchTimerN)
	return nil
}

// answered takes what becomes of a SUBSCRIBE.
func (w *Watch) answered(ev *sip.Event, req *sip.Request, to sip.Destination) {
	if w.state == watchOver || ev.Kind == sip.EventResponse && ev.Response.Status.Provisional() {
		return
	}
	if ev.Kind != sip.EventResponse {
		w.refused(sip.StatusRequestTimeout, ev.Err)
		return
	}
	switch res := ev.Response; {
	case res.Status.Success():
		w.granted(res)
	case w.retry(req, res, to):
	default:
		w.refused(res.Status, nil)
	}
}

// granted takes a 2xx. RFC 6665 §4.1.2.1: it says how long the subscription lasts, and NOTIFY may shorten that.
func (w *Watch) granted(res *sip.Response) {
	if n, ok := res.Uint(sip.HeaderExpires); ok && n > 0 {
		w.expires = time.Duration(n) * time.Second
	}
	w.step(watchGranted)
}

// refused takes another final answer, or none.
func (w *Watch) refused(status sip.Status, err error) {
	in := watchRefused
	if w.state == watchAsking || ends(status) {
		w.end.Status, w.end.Err = status, err
		in = watchExpired
	}
	w.step(in)
}

// retry sends a SUBSCRIBE again that was challenged (RFC 3261 §22.2) or too brief (RFC 6665 §4.1.2.1), and reports whether it did.
func (w *Watch) retry(req *sip.Request, res *sip.Response, to sip.Destination) bool {
	if w.tries >= maxTries {
		return false
	}
	var again *sip.Request
	switch least, ok := res.Uint(sip.HeaderMinExpires); {
	case res.Status == sip.StatusIntervalTooBrief && ok:
		again = req.Clone()
		again.Set(sip.HeaderExpires, seconds(time.Duration(least)*time.Second))
		w.out.Request.Set(sip.HeaderExpires, again.Get(sip.HeaderExpires))
	case w.out.Auth != nil && (res.Status == sip.StatusUnauthorized || res.Status == sip.StatusProxyAuthRequired):
		if again, ok = w.out.Auth.Authorize(req, res); !ok {
			return false
		}
	default:
		return false
	}
	again.Remove(sip.HeaderVia) // of the attempt before
	w.seq++
	if w.dialog != nil {
		w.dialog.LocalSeq++
		w.seq = w.dialog.LocalSeq
	}
	again.Set(sip.HeaderCSeq, sip.CSeq{Number: w.seq, Method: sip.MethodSubscribe}.String())
	return w.ask(again, to) == nil
}
