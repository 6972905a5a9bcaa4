// A call as one party sees it: what it does of itself, and what came of it.

package storm

import (
	"fmt"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// leg is one usage of a party. Its fields are written in its stripe and guarded by the party's mu.
type leg struct {
	party   *party
	life    int // of the party
	usage   *dialog.Usage
	caller  bool
	session string // Session-ID of the caller's side
	callID  string
	version int

	answered bool
	acked    bool
	status   sip.Status // that refused it, on either side
	wire     bool       // status came from the wire
	cause    dialog.Cause
	last     string // the last event
	ends     int    // last events, and refusals of our own
	late     bool   // something came behind the last event
	gaveUp   bool   // our CANCEL
	hungUp   bool   // our BYE
	crashed  bool

	// The session as this side knows it: directions.
	said, heard string
	offering    string // of the change under way; "" asks for an offer
	changes     int    // under way or waiting
	fork        string // tag of the early dialog that has described a session
	muddled     bool   // one change has waited for another: after a 491 the later may stand for both; or several branches have described one
}

func (l *leg) over() bool { return l.ends > 0 }

// in runs f under the lock of the party.
func (l *leg) in(f func()) {
	l.party.mu.Lock()
	defer l.party.mu.Unlock()
	f()
}

// call starts a call, with or without an offer.
func (p *party) call(to sip.URI, n uint64) {
	stripe := sip.Stripe(n % sip.Stripes)
	p.stack.Do(stripe, func() { p.dial(to, stripe) })
}

func (p *party) dial(to sip.URI, stripe sip.Stripe) {
	l := &leg{party: p, life: p.life, caller: true}
	from := aor(p.user)
	req := sip.NewRequest(sip.MethodInvite, p.to(to))
	req.Set(sip.HeaderFrom, "<"+from.String()+">")
	req.Set(sip.HeaderTo, "<"+to.String()+">")
	req.Set(sip.HeaderContact, p.contact())
	if p.chance(85) {
		body := l.describe("sendrecv")
		req.SetBody(body.Type, body.Bytes)
		l.said = "sendrecv"
	}
	u, err := p.dialogs.Invite(dialog.Outgoing{Engine: p.stack, Stripe: stripe, Request: req, Auth: p.auth}, l)
	if err != nil {
		return
	}
	l.in(func() {
		l.usage, l.session, l.callID = u, strings.Clone(u.SessionID().Local), strings.Clone(u.CallID())
	})
	p.add(l)
	if p.chance(30) {
		l.after(p.moment(0, 12*time.Second), l.cancel)
	}
}

func (p *party) add(l *leg) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.legs = append(p.legs, l)
}

// invited takes a call that comes in.
func (p *party) invited(ev *sip.Event) {
	l := &leg{party: p, life: p.life, session: strings.Clone(ev.Request.SessionID().Local), callID: strings.Clone(ev.Request.CallID())}
	u, err := p.dialogs.Incoming(ev, l)
	if err != nil {
		return
	}
	l.in(func() { l.usage = u })
	p.add(l)
	u.SetContact(p.contact())
	if p.storm.calm.Load() {
		l.refuse(sip.StatusTemporarilyUnavailable)
		return
	}
	l.behave(p.temper)
}

// behave decides what becomes of a call that comes in.
func (l *leg) behave(t temper) {
	p := l.party
	switch t {
	case polite:
		if p.chance(10) {
			l.answer()
			return
		}
		l.after(p.moment(0, time.Second), l.ring)
		if p.chance(25) {
			l.after(p.moment(0, 3*time.Second), l.early)
		}
		l.after(p.moment(0, 8*time.Second), l.answer)
	case slow:
		l.after(p.moment(0, 6*time.Second), l.ring)
		l.after(p.moment(4*time.Second, 25*time.Second), l.answer)
	case silent:
		l.after(p.moment(0, 3*time.Second), l.ring)
	case rude:
		l.after(p.moment(0, 4*time.Second), func() {
			l.refuse([...]sip.Status{sip.StatusBusyHere, sip.StatusDecline, sip.StatusTemporarilyUnavailable, sip.StatusNotAcceptableHere}[p.draw(4)])
		})
	default:
		if p.chance(20) {
			l.after(p.moment(0, 2*time.Second), l.redirect)
			return
		}
		l.behave(temper(p.draw(tempers - 1)))
	}
}

// after does something when a time has passed, if the call is still there and the storm not over.
func (l *leg) after(d time.Duration, f func()) {
	l.party.stack.After(l.usage.Stripe(), d, func() {
		if !l.usage.Over() && !l.party.storm.calm.Load() {
			f()
		}
	})
}

// The orders may come too late: the call has taken another way meanwhile, and their error says so.

func (l *leg) ring() { _ = l.usage.Provisional(sip.StatusRinging, dialog.Body{}) }

// early describes the session before the call is answered, reliably where the caller can do that, and perhaps changes it before the answer.
func (l *leg) early() {
	body := l.answerTo(l.usage.Invitation().Body())
	if l.usage.Provisional(sip.StatusSessionProgress, body) == nil {
		l.agree(string(l.usage.Invitation().Body()), body)
		l.after(l.party.moment(0, 2*time.Second), l.update)
	}
}

func (l *leg) answer() {
	body := l.answerTo(l.usage.Invitation().Body())
	if l.usage.Answer(body) == nil && l.said == "" {
		l.agree(string(l.usage.Invitation().Body()), body)
	}
}

// update changes the session by UPDATE, if that is possible now.
func (l *leg) update() {
	body := l.describe("sendonly")
	if l.usage.Updates() && l.usage.Update(body) == nil {
		l.offer(body)
	}
}

// offer notes what we want the session to be.
func (l *leg) offer(body dialog.Body) {
	l.in(func() {
		l.muddled = l.muddled || l.changes > 0
		l.changes++
		if l.offering = ""; len(body.Bytes) > 0 {
			l.offering = siptest.Direction(string(body.Bytes))
		}
	})
}

// agree notes what the peer described, if it did, and what we have.
func (l *leg) agree(theirs string, ours dialog.Body) {
	l.in(func() {
		if theirs != "" {
			l.heard = siptest.Direction(theirs)
		}
		l.said = siptest.Direction(string(ours.Bytes))
	})
}

func (l *leg) refuse(status sip.Status) { l.send(l.usage.Reply(status)) }

// redirect names another party's address-of-record.
func (l *leg) redirect() {
	res := l.usage.Reply(sip.StatusMovedTemporarily)
	to := aor(l.party.draw(l.party.storm.plan.people))
	res.Set(sip.HeaderContact, "<"+to.String()+">")
	l.send(res)
}

// send refuses the call.
func (l *leg) send(res *sip.Response) {
	if l.usage.Send(res) != nil {
		return
	}
	l.in(func() { l.status, l.ends = res.Status, l.ends+1 })
}

func (l *leg) cancel() {
	if l.usage.Cancel("") == nil {
		l.in(func() { l.gaveUp = true })
	}
}

// bye ends the call whatever its state.
func (l *leg) bye() {
	open := !l.usage.Over()
	if l.usage.Bye("") != nil {
		return
	}
	l.in(func() {
		l.hungUp = true
		if open && l.usage.Over() && l.ends == 0 { // refused with 480: no event follows
			l.status, l.ends = sip.StatusTemporarilyUnavailable, 1
		}
	})
}

// HandleUsage implements [dialog.Owner].
func (l *leg) HandleUsage(u *dialog.Usage, ev dialog.Event) {
	l.in(func() { l.usage = u; l.note(ev) })
	switch ev := ev.(type) {
	case dialog.Progress:
		l.preview(ev.Response.ToTag(), ev.Response.Body())
		l.described(ev.Response.Body())
	case dialog.Answered:
		l.preview(ev.Response.ToTag(), nil)
		l.described(ev.Response.Body())
		l.talk()
	case dialog.AckReceived:
		l.hear(ev.Request.Body())
		if l.acked {
			return
		}
		l.in(func() { l.acked = true })
		l.talk()
	case dialog.PrackReceived:
		l.hear(ev.Request.Body())
	case dialog.Offer:
		l.offered(string(ev.Request.Body()))
	case dialog.Modified:
		l.modified(ev)
	case *dialog.Request:
		l.asked(ev)
	}
}

// preview notes that a description came in an early dialog: what it said is void when another branch answers.
func (l *leg) preview(tag string, body []byte) {
	l.in(func() {
		l.muddled = l.muddled || l.fork != "" && l.fork != tag
		if len(body) > 0 {
			l.fork = strings.Clone(tag)
		}
	})
}

// described takes a description in a response to our INVITE: it answers our offer, or is one.
func (l *leg) described(body []byte) {
	switch {
	case len(body) == 0:
	case len(l.usage.Invitation().Body()) > 0:
		l.hear(body)
	default:
		answer := l.answerTo(body)
		if l.usage.Ack(answer) == nil {
			l.agree(string(body), answer)
		}
	}
}

// hear takes the answer of the peer.
func (l *leg) hear(body []byte) {
	if len(body) > 0 {
		l.in(func() { l.heard = siptest.Direction(string(body)) })
	}
}

// modified takes the outcome of a change of ours.
func (l *leg) modified(ev dialog.Modified) {
	offering := l.offering
	l.in(func() { l.changes = 0 })
	if !ev.Status.Success() {
		return
	}
	body := string(ev.Response.Body())
	if offering != "" {
		l.in(func() { l.said, l.heard = offering, siptest.Direction(body) })
		return
	}
	answer := l.answerTo([]byte(body))
	if l.usage.Ack(answer) == nil {
		l.agree(body, answer)
	}
}

// note keeps what the audit wants to know.
func (l *leg) note(ev dialog.Event) {
	l.last = siptest.Describe(ev)
	l.late = l.late || l.ends > 0
	switch ev := ev.(type) {
	case dialog.Answered:
		l.answered = true
	case dialog.AckReceived:
		l.answered = true
	case dialog.Rejected:
		l.ends++
		l.status, l.wire = ev.Status, ev.Response != nil
	case dialog.Cancelled:
		l.ends++
		l.status = sip.StatusRequestTerminated
	case dialog.Ended:
		l.ends++
		l.cause = ev.Cause
	}
}

// talk plans what happens while the call is up: changes of the session, often by both sides at once, requests, and its end.
func (l *leg) talk() {
	p := l.party
	for range p.draw(3) {
		// Whole multiples of two seconds: the other side has the same idea.
		now := time.Since(p.storm.start)
		at := (now/(2*time.Second) + 1 + time.Duration(p.draw(5))) * 2 * time.Second
		l.after(at-now+p.moment(0, 30*time.Millisecond), l.change)
	}
	if p.chance(20) {
		l.after(p.moment(0, 10*time.Second), l.inform)
	}
	if p.chance(70) {
		l.after(p.moment(0, 40*time.Second), l.bye)
	}
}

// change puts the peer on hold, resumes, or asks for an offer.
func (l *leg) change() {
	n := l.party.draw(12)
	if n > 9 {
		l.update()
		return
	}
	var body dialog.Body
	switch {
	case n < 5:
		body = l.describe("sendonly")
	case n < 9:
		body = l.describe("sendrecv")
	}
	if l.usage.Modify(body) != nil {
		return
	}
	l.offer(body)
}

// inform sends a request inside the dialog.
func (l *leg) inform() {
	method := sip.MethodInfo
	if l.party.chance(50) {
		method = sip.MethodMessage
	}
	req := l.usage.NewRequest(method)
	if req == nil {
		return
	}
	if method == sip.MethodMessage {
		req.SetBody("text/plain", []byte("hello inside"))
	}
	q := &question{party: l.party}
	if l.usage.SendRequest(req, func(res *sip.Response, _ error) { q.end(res) }) == nil {
		l.in(func() { l.party.asked = append(l.party.asked, q) })
	}
}

// offered answers what the peer offers: at once, later, or with a refusal.
func (l *leg) offered(offer string) {
	p := l.party
	offer = strings.Clone(offer)
	accept := func() {
		answer := l.answerTo([]byte(offer))
		if l.usage.Accept(answer) == nil {
			l.agree(offer, answer)
		}
	}
	switch n := p.draw(20); {
	case n == 0:
		_ = l.usage.Refuse(sip.StatusNotAcceptableHere)
	case n < 3 && !p.storm.calm.Load():
		p.stack.After(l.usage.Stripe(), p.moment(0, 3*time.Second), accept)
	default:
		accept()
	}
}

// asked answers a request inside the dialog.
func (l *leg) asked(r *dialog.Request) {
	if r.Request.Method == sip.MethodMessage {
		_ = l.usage.Respond(r, l.usage.ReplyTo(r.Request, sip.StatusOK))
	}
}

// answerTo answers an offer: recvonly to sendonly, sendrecv otherwise.
func (l *leg) answerTo(offer []byte) dialog.Body {
	if siptest.Direction(string(offer)) == "sendonly" {
		return l.describe("recvonly")
	}
	return l.describe("sendrecv")
}

// describe makes our next session description.
func (l *leg) describe(direction string) dialog.Body {
	l.version++
	addr := l.party.storm.Addr(l.party.name)
	return dialog.SDP(fmt.Appendf(nil, "v=0\r\no=%s 1 %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=%s\r\n",
		l.party.name, l.version, addr, addr, direction))
}
