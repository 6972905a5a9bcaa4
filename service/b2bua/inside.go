package b2bua

// Requests inside the dialog that say something to the other side: INFO, MESSAGE, OPTIONS. RFC 6086, RFC 3428 §7, RFC 3261 §11.

import (
	"strings"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// maxInside is the longest body that is handed on.
const maxInside = 64 << 10

// request takes a request inside the dialog. What is not handed on is answered by the dialog.
func (c *call) request(l *leg, r *dialog.Request) {
	switch {
	case description.Trickles(r.Request):
		l.trickled(r)
	case r.Request.Method == sip.MethodRefer && c.b.Events != nil:
		c.refer(&reference{by: l, req: r.Request, within: r})
	case passes(r.Request):
		c.handOver(l, r)
	}
}

// trickled takes candidates of the peer of l: how its media finds the way here is between the two of us. RFC 8840 §4.3.
func (l *leg) trickled(r *dialog.Request) {
	status := description.TakeTrickle(r.Request, l.media.Trickled)
	// An error means that nobody waits for the answer any more.
	_ = l.usage.Respond(r, l.usage.ReplyTo(r.Request, status))
}

// handOver hands a request on and its final response back. It reports whether the request is or will be answered.
func (c *call) handOver(l *leg, r *dialog.Request) bool {
	far := l.far()
	if c.over || far == nil || len(r.Request.Body()) > maxInside {
		return false
	}
	c.dialledByInfo(l, r.Request)
	if c.refresh(l, far, r) || c.press(l, far, r) {
		return true
	}
	if p, err := sip.ParseInfoPackage(r.Request.Get(sip.HeaderInfoPackage)); r.Request.Has(sip.HeaderInfoPackage) && (err != nil || !far.usage.TakesInfo(p)) {
		// RFC 6086 §4.2.2: the far side has not said that it takes this one.
		res := l.usage.ReplyTo(r.Request, sip.StatusBadInfoPackage)
		res.Set(sip.HeaderRecvInfo, strings.Join(far.usage.Packages(), ", "))
		l.usage.Respond(r, res)
		return true
	}
	req := far.usage.NewRequest(r.Request.Method)
	if req == nil {
		return false
	}
	hand(&req.Message, &r.Request.Message)
	if about, err := sip.ParseEventPackage(req.Get(sip.HeaderEvent)); err == nil {
		about.Params = about.Params.Without("id") // the number of the REFER is another one on each side
		req.Set(sip.HeaderEvent, about.String())
	}
	r.Keep()
	r.Request = r.Request.Clone()
	err := far.usage.SendRequest(req, func(res *sip.Response, err error) {
		if l.usage.Over() {
			return
		}
		if err != nil || res == nil {
			l.usage.Respond(r, l.usage.ReplyTo(r.Request, sip.StatusRequestTimeout))
			return
		}
		if status := c.retell(l, far, digitOf(r.Request), res.Status); status != res.Status {
			l.usage.Respond(r, l.usage.ReplyTo(r.Request, status))
			return
		}
		reply := l.usage.ReplyTo(r.Request, insideStatus(res.Status))
		hand(&reply.Message, &res.Message)
		l.usage.Respond(r, reply)
	})
	if err != nil {
		l.usage.Respond(r, l.usage.ReplyTo(r.Request, sip.StatusTemporarilyUnavailable))
	}
	return true
}

// passes reports whether a request inside the dialog is handed on: what is said to the other side, and what a telephone tells of a transfer that it does itself.
func passes(req *sip.Request) bool {
	switch req.Method {
	case sip.MethodInfo, sip.MethodMessage, sip.MethodOptions:
		return true
	case sip.MethodNotify:
		about, err := sip.ParseEventPackage(req.Get(sip.HeaderEvent))
		return err == nil && strings.EqualFold(about.Name, "refer")
	}
	return false
}

// insideStatus hands a status back, but for those that are about the other dialog only.
func insideStatus(s sip.Status) sip.Status {
	switch {
	case s < 200, s >= 300 && s < 400, s == sip.StatusUnauthorized, s == sip.StatusProxyAuthRequired:
		return sip.StatusForbidden
	case s == sip.StatusCallDoesNotExist, s == sip.StatusRequestTimeout:
		return sip.StatusTemporarilyUnavailable
	}
	return s
}

// hand copies the body and what belongs to it.
func hand(to, from *sip.Message) {
	carry(to, from, inside())
	if body := from.Body(); len(body) > 0 {
		to.SetBody(from.Get(sip.HeaderContentType), append([]byte(nil), body...))
	}
}
