// One subscription at the notifier: its timers, and the NOTIFYs that it sends. RFC 6665 §4.2.2.

package event

import (
	"errors"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// State is what a subscription is: plain data that can be stored or handed to another node.
type State struct {
	Dialog   *dialog.Dialog // nil for one inside a call, which lives and dies with it
	Event    string         // the value of Event as it was asked for
	Package  string
	ID       string // of Event
	Resource string
	Account  string // who subscribes
	Type     string // of the documents
	Expires  time.Time
	Version  uint32 // of the next document
	Since    uint64 // the mark of the state that the subscriber knows
}

// Subscription is a subscription at the notifier. It lives in its stripe.
type Subscription struct {
	State

	notifier *Notifier
	engine   sip.Engine
	stripe   sip.Stripe
	pack     *Package
	way      carrier
	notice   noticeState
	reason   string // why it ends
	pause    sip.Timer
	expiry   sip.Timer
}

// The reasons for an end. RFC 6665 §4.1.3.
const (
	reasonTimeout    = "timeout"
	reasonNoResource = "noresource"
	reasonRejected   = "rejected"
)

// carrier sends requests inside the dialog of a subscription. A [dialog.Usage] is one: the subscription of a REFER lives inside a call.
type carrier interface {
	// NewRequest returns the next request inside the dialog, nil if it is over.
	NewRequest(method sip.Method) *sip.Request
	// SendRequest sends it; done is called once with the final response, or with nil and the reason.
	SendRequest(req *sip.Request, done func(res *sip.Response, err error)) error
}

func (s *Subscription) resource() resource { return resource{s.Package, s.Resource} }

// ending reports whether the subscription is over, or its last NOTIFY is due.
func (s *Subscription) ending() bool { return s.notice >= noticeClosing }

// lasts sets the time that the subscription has from now on.
func (s *Subscription) lasts(d time.Duration) {
	stop(&s.expiry)
	s.Expires = time.Now().Add(d)
	if d > 0 {
		s.expiry = s.engine.After(s.stripe, d, func() {
			s.expiry = nil
			s.reason = reasonTimeout
			s.step(noticeExpire)
		})
	}
}

// end ends the subscription for a reason.
func (s *Subscription) end(reason string) {
	if !s.ending() {
		s.reason = reason
		s.step(noticeEnd)
	}
}

func (s *Subscription) step(in noticeInput) {
	next, actions := s.notice.step(in)
	s.notice = next
	if s.ending() {
		stop(&s.expiry)
	}
	for _, a := range actions {
		s.do(a)
	}
}

func (s *Subscription) do(a noticeAction) {
	switch a {
	case noticeTell:
		s.tell()
	case noticeTellAll, noticeTellEnd:
		s.Since = 0
		s.tell()
	case noticePause:
		if s.pack.Throttle == 0 {
			s.step(noticeDue)
			return
		}
		s.pause = s.engine.After(s.stripe, s.pack.Throttle, func() {
			s.pause = nil
			s.step(noticeDue)
		})
	case noticeStopPause:
		stop(&s.pause)
	case noticeForget:
		s.notifier.remove(s)
	}
}

// tell sends a NOTIFY with what the subscriber does not know.
func (s *Subscription) tell() {
	about, _ := sip.ParseEventPackage(s.Event) // it was read before
	var doc Document
	if !s.ending() || s.reason != reasonRejected {
		doc = s.pack.Source.Notice(Notice{Resource: s.Resource, Event: about, Account: s.Account, Type: s.Type, Version: s.Version, Since: s.Since})
	}
	if doc.Nothing && s.Since != 0 {
		s.step(noticeAnswered)
		return
	}
	req := s.way.NewRequest(sip.MethodNotify)
	if req == nil {
		s.step(noticeGone)
		return
	}
	req.Set(sip.HeaderEvent, s.Event)
	req.Set(sip.HeaderSubscriptionState, s.header())
	if len(doc.Bytes) > 0 {
		req.SetBody(doc.Type, doc.Bytes)
		s.Version++
	}
	s.Since = doc.Mark
	s.notifier.notified.Add(1)
	if err := s.way.SendRequest(req, s.answered); err != nil {
		s.answered(nil, err)
	}
}

// header is the value of Subscription-State. RFC 6665 §8.2.3.
func (s *Subscription) header() string {
	if s.ending() {
		return "terminated;reason=" + s.reason
	}
	// Rounded up: an end that is said too late is found by the subscriber, one that is said too soon makes it ask for a subscription of no time.
	return "active;expires=" + seconds(time.Until(s.Expires)+time.Second-1)
}

// answered takes the answer to the NOTIFY under way. What was not taken is told again with the next change, and everything with it.
func (s *Subscription) answered(res *sip.Response, err error) {
	switch {
	case res == nil && errors.Is(err, sip.ErrTimeout), res != nil && ends(res.Status):
		s.step(noticeGone)
		return
	case res == nil || !res.Status.Success():
		s.Since = 0
	}
	s.step(noticeAnswered)
}

// ends reports whether an answer to NOTIFY ends the subscription. RFC 6665 §4.2.2.
func ends(status sip.Status) bool {
	switch status {
	case 404, 405, 410, 416, 480, 481, 482, 483, 484, 485, 489, 501, 604:
		return true
	}
	return false
}

// line is the carrier of a subscription with a dialog of its own.
type line struct {
	engine sip.Engine
	stripe sip.Stripe
	dialog *dialog.Dialog
}

// NewRequest implements [carrier].
func (l *line) NewRequest(method sip.Method) *sip.Request { return l.dialog.Request(method) }

// SendRequest implements [carrier].
func (l *line) SendRequest(req *sip.Request, done func(res *sip.Response, err error)) error {
	_, err := l.engine.Start(l.stripe, req, l.dialog.Destination(), sip.EventHandlerFunc(func(ev *sip.Event) {
		switch {
		case ev.Kind == sip.EventResponse && ev.Response.Status.Provisional():
		case ev.Kind == sip.EventResponse:
			if ev.Response.Status.Success() {
				l.dialog.Refresh(&ev.Response.Message)
			}
			done(ev.Response, nil)
		case ev.Kind == sip.EventTimeout:
			done(nil, ev.Err)
		case ev.Kind == sip.EventFailure:
			// RFC 5626 §5.3: the connection is gone; whoever has an address is called back, and a browser comes with its next SUBSCRIBE.
			l.dialog.Bind(sip.Flow{})
			done(nil, ev.Err)
		}
	}))
	return err
}

// stop stops and forgets a timer.
func stop(t *sip.Timer) {
	if *t != nil {
		(*t).Stop()
		*t = nil
	}
}
