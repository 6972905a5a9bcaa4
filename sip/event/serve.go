// SUBSCRIBE as it comes: what is refused, what is granted. RFC 6665 §4.2.1.

package event

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// retryAfter is what whoever is refused because there is too much is told, in seconds.
const retryAfter = "30"

// HandleEvent takes a SUBSCRIBE, inside a subscription or outside. Everything else is left alone.
func (n *Notifier) HandleEvent(ev *sip.Event) {
	if ev.Kind != sip.EventRequest || ev.Request.Method != sip.MethodSubscribe {
		return
	}
	var s *Subscription
	if tag := ev.Request.ToTag(); tag != "" {
		if s = n.lanes[ev.Stripe][tag]; s == nil || !s.Dialog.Matches(ev.Request.CallID(), ev.Request.FromTag()) || s.ending() {
			n.refuse(ev, ev.Request.Reply(sip.StatusCallDoesNotExist))
			return
		}
	}
	wish, res := n.wish(ev, s)
	switch {
	case res != nil:
		n.refuse(ev, res)
	case s != nil:
		n.refresh(ev, s, wish)
	default:
		n.subscribe(ev, wish)
	}
}

// wish is what a SUBSCRIBE asks for, as far as it is granted.
type wish struct {
	event   sip.EventPackage
	pack    *Package
	typ     string
	expires time.Duration
}

// wish reads a SUBSCRIBE, inside s if that is not nil; a response refuses it.
func (n *Notifier) wish(ev *sip.Event, s *Subscription) (w wish, refusal *sip.Response) {
	req := ev.Request
	if unknown := req.Unsupported(sip.HeaderRequire); len(unknown) > 0 {
		res := req.Reply(sip.StatusBadExtension)
		res.Set(sip.HeaderUnsupported, strings.Join(unknown, ", "))
		return w, res
	}
	var err error
	if w.event, err = sip.ParseEventPackage(req.Get(sip.HeaderEvent)); err == nil {
		w.pack = n.pack(w.event.Name)
	}
	if err == nil && s != nil && w.event.Name == s.Package {
		w.pack = s.pack // that of a REFER is not in the registry
	}
	if w.pack == nil {
		return w, n.badEvent(req)
	}
	if w.typ = w.pack.agree(req); w.typ == "" {
		res := req.Reply(sip.StatusNotAcceptable)
		res.Set(sip.HeaderAccept, strings.Join(w.pack.Types, ", "))
		return w, res
	}
	seconds, ok := req.Uint(sip.HeaderExpires)
	brief := false
	if w.expires, brief = w.pack.expires(time.Duration(seconds)*time.Second, ok); brief {
		return w, tooBrief(req, w.pack.least())
	}
	return w, nil
}

// badEvent refuses a package that we do not have. RFC 6665 §4.2.1.1, §8.3.2.
func (n *Notifier) badEvent(req *sip.Request) *sip.Response {
	res := req.Reply(sip.StatusBadEvent)
	res.Set(sip.HeaderAllowEvents, n.AllowEvents())
	return res
}

// tooBrief refuses what would end too soon.
func tooBrief(req *sip.Request, least time.Duration) *sip.Response {
	res := req.Reply(sip.StatusIntervalTooBrief)
	res.Set(sip.HeaderMinExpires, seconds(least))
	return res
}

// refuse answers a request that changes nothing: inside a dialog within its transaction, for a copy that comes when the subscription has ended would get
// another answer. An error means that the transaction is gone and nobody waits.
func (n *Notifier) refuse(ev *sip.Event, res *sip.Response) {
	n.refused.Add(1)
	answer(ev, res)
}

func answer(ev *sip.Event, res *sip.Response) {
	if ev.Request.ToTag() != "" {
		_ = ev.Engine.Respond(ev.Tx, res)
		return
	}
	_ = ev.Engine.RespondOnce(ev.Tx, res)
}

// subscribe makes a subscription, or tells the state once if it is to last no time. RFC 6665 §4.2.1, §4.4.3.
func (n *Notifier) subscribe(ev *sip.Event, w wish) {
	name, err := w.pack.Source.Find(ev)
	if err != nil {
		status, ok := errors.AsType[sip.Status](err)
		if !ok {
			status = sip.StatusForbidden
		}
		n.refuse(ev, ev.Request.Reply(status))
		return
	}
	d, err := dialog.NewUAS(ev.Request, ev.Engine.NewID(ev.Stripe))
	if err != nil {
		n.refuse(ev, ev.Request.Reply(sip.StatusBadRequest))
		return
	}
	s := &Subscription{notifier: n, engine: ev.Engine, stripe: ev.Stripe, pack: w.pack}
	s.State = State{Dialog: d, Event: strings.Clone(w.event.String()), Package: w.pack.Name, ID: strings.Clone(w.event.ID()), Resource: strings.Clone(name), Account: n.accountOf(ev), Type: w.typ}
	d.State = dialog.Confirmed
	d.Bind(dialog.ReturnFlow(ev, d))
	s.way = &line{engine: ev.Engine, stripe: ev.Stripe, dialog: d}
	if !n.admit(s) {
		res := ev.Request.Reply(sip.StatusServiceUnavailable)
		res.Set(sip.HeaderRetryAfter, retryAfter)
		n.refuse(ev, res)
		return
	}
	s.grant(ev, w.expires)
}

// refresh takes a SUBSCRIBE inside a subscription. RFC 6665 §4.2.1.3.
func (n *Notifier) refresh(ev *sip.Event, s *Subscription, w wish) {
	req := ev.Request
	switch cseq, err := req.CSeq(); {
	case err != nil || !s.Dialog.InOrder(cseq.Number):
		n.refuse(ev, req.Reply(sip.StatusServerInternalError))
	case n.accountOf(ev) != s.Account:
		n.refuse(ev, req.Reply(sip.StatusForbidden))
	case w.pack != s.pack || w.event.ID() != s.ID:
		// Another subscription in the same dialog, which we do not have.
		n.refuse(ev, req.Reply(sip.StatusCallDoesNotExist))
	default:
		s.Dialog.Refresh(&req.Message)
		s.Dialog.Bind(dialog.ReturnFlow(ev, s.Dialog))
		if req.Has(sip.HeaderAccept) {
			s.Type = w.typ
		}
		s.grant(ev, w.expires)
	}
}

// grant answers an accepted SUBSCRIBE, and tells the subscriber at once how things stand. RFC 6665 §4.2.1.2.
func (s *Subscription) grant(ev *sip.Event, expires time.Duration) {
	res := ev.Request.Reply(sip.StatusOK)
	if res.ToTag() == "" {
		res.Set(sip.HeaderTo, s.Dialog.Local)
		// RFC 6665 §4.2.1.2: the SUBSCRIBE makes a dialog, and its path is copied as RFC 3261 §12.1.1 says.
		for v := range ev.Request.Values(sip.HeaderRecordRoute) {
			res.Add(sip.HeaderRecordRoute, v)
		}
	}
	res.Set(sip.HeaderContact, s.Dialog.Contact)
	res.Set(sip.HeaderExpires, seconds(expires))
	_ = ev.Engine.Respond(ev.Tx, res)
	s.lasts(expires)
	if expires == 0 {
		s.reason = reasonTimeout
		s.step(noticeLeave)
		return
	}
	s.step(noticeSubscribe)
}

func seconds(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
