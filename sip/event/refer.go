// The subscription that a REFER makes by itself: it tells what becomes of the reference. RFC 3515 §2.4; RFC 4488; RFC 3420.

package event

import (
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// referTime is how long the subscription of a REFER lasts that nobody reports about.
const referTime = 3 * time.Minute

// referPackage is the package of RFC 3515 §3.
const referPackage = "refer"

// sipfrag is the type of the reports. RFC 3420 §3.
const sipfrag = "message/sipfrag;version=2.0"

// Referral is a REFER that was accepted. It lives in the stripe of its REFER.
type Referral struct {
	notifier *Notifier
	s        *Subscription // nil: the referrer wants no reports
	status   sip.Status    // the last report
	reason   string
}

// Refer accepts the REFER of ev, which stands outside any dialog, with 202 and reports 100. It must be called from within the stripe of ev. On an error the REFER has
// been refused.
func (n *Notifier) Refer(ev *sip.Event) (*Referral, error) {
	d, err := dialog.NewUAS(ev.Request, ev.Engine.NewID(ev.Stripe))
	if err != nil {
		n.refuse(ev, ev.Request.Reply(sip.StatusBadRequest))
		return nil, err
	}
	d.State = dialog.Confirmed
	d.Bind(dialog.ReturnFlow(ev, d))
	r := n.referral(ev.Request, ev.Engine, ev.Stripe)
	res := ev.Request.Reply(sip.StatusAccepted)
	res.Set(sip.HeaderTo, d.Local)
	for v := range ev.Request.Values(sip.HeaderRecordRoute) {
		res.Add(sip.HeaderRecordRoute, v)
	}
	if r.s != nil {
		r.s.Dialog, r.s.Account = d, n.accountOf(ev)
		r.s.way = &line{engine: ev.Engine, stripe: ev.Stripe, dialog: d}
		if !n.admit(r.s) {
			full := ev.Request.Reply(sip.StatusServiceUnavailable)
			full.Set(sip.HeaderRetryAfter, retryAfter)
			n.refuse(ev, full)
			return nil, ErrFull
		}
	} else {
		res.Set(sip.HeaderReferSub, "false") // RFC 4488 §4
	}
	_ = ev.Engine.Respond(ev.Tx, res)
	r.begin()
	return r, nil
}

// ReferWithin does the same for a REFER inside a call of a party called account; the NOTIFYs go inside the call.
func (n *Notifier) ReferWithin(e sip.Engine, u *dialog.Usage, req *dialog.Request, account string) (*Referral, error) {
	r := n.referral(req.Request, e, u.Stripe())
	res := u.ReplyTo(req.Request, sip.StatusAccepted)
	if r.s != nil {
		r.s.Account, r.s.way = account, u
		if !n.admit(r.s) {
			n.refused.Add(1)
			_ = u.Respond(req, u.ReplyTo(req.Request, sip.StatusServiceUnavailable))
			return nil, ErrFull
		}
	} else {
		res.Set(sip.HeaderReferSub, "false")
	}
	if err := u.Respond(req, res); err != nil {
		r.abandon()
		return nil, err
	}
	r.begin()
	return r, nil
}

// referral makes the subscription of a REFER, if it wants one.
func (n *Notifier) referral(req *sip.Request, e sip.Engine, stripe sip.Stripe) *Referral {
	r := &Referral{notifier: n, status: sip.StatusTrying, reason: sip.StatusTrying.Reason()}
	if !req.ReferSub() {
		return r
	}
	about := referPackage
	if cseq, err := req.CSeq(); err == nil {
		// RFC 3515 §2.4.6: several REFER of one dialog are told apart by the number of each.
		about += ";id=" + strconv.FormatUint(uint64(cseq.Number), 10)
	}
	r.s = &Subscription{notifier: n, engine: e, stripe: stripe, pack: &Package{Name: referPackage, Types: []string{sipfrag}, Source: r}}
	r.s.State = State{Event: about, Package: referPackage, Type: sipfrag}
	return r
}

func (r *Referral) begin() {
	if r.s != nil {
		r.s.lasts(referTime)
		r.s.step(noticeSubscribe)
	}
}

func (r *Referral) abandon() {
	if r.s != nil {
		r.s.step(noticeGone)
	}
}

// Report tells the referrer how far the reference has come; a final status ends the subscription. reason may be empty.
func (r *Referral) Report(status sip.Status, reason string) {
	if r.status.Final() || r.s == nil {
		return
	}
	if reason == "" {
		reason = status.Reason()
	}
	r.status, r.reason = status, strings.Clone(reason)
	if status.Final() {
		r.s.end(reasonNoResource) // RFC 3515 §2.4.7
		return
	}
	r.s.step(noticeChange)
}

// Find implements [Source]. Nobody subscribes to a reference but by REFER (RFC 3515 §2.4.4).
func (r *Referral) Find(*sip.Event) (string, error) { return "", sip.StatusForbidden }

// Notice implements [Source]: the status line of the last response. RFC 3515 §2.4.5.
func (r *Referral) Notice(Notice) Document {
	text := "SIP/2.0 " + strconv.Itoa(int(r.status)) + " " + r.reason + "\r\n"
	return Document{Type: sipfrag, Bytes: []byte(text)}
}
