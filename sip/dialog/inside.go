// Requests inside the dialog: their order, their requirements, and the answers of a usage whose owner has none. RFC 3261 §8.2, §12.2.2; RFC 6086 §4.2.

package dialog

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// request takes a request of the peer inside the dialog.
func (u *Usage) request(ev *sip.Event) {
	req := ev.Request
	d := u.dialogOf(req.CallID(), req.FromTag())
	if d == nil {
		u.table.refuse(ev, sip.StatusCallDoesNotExist)
		return
	}
	peer, ok := u.admits(ev, d)
	if !ok {
		return
	}
	// What may be anybody's is not told from the peer's by its number: the number of the next request stays what it was, unless there is to be none.
	if cseq, err := req.CSeq(); err != nil || !d.inOrder(cseq.Number, peer || req.Method == sip.MethodBye) {
		u.refuse(ev, sip.StatusServerInternalError)
		return
	}
	if u.table.understood(ev) != nil {
		return
	}
	if peer {
		u.heard(ev, d)
	}
	switch {
	case req.Method == sip.MethodBye:
		u.peerBye(ev)
	case u.hungUp():
		u.table.refuse(ev, sip.StatusCallDoesNotExist)
	case refreshesSession(req.Method) && u.table.tooBrief(ev):
	case (req.Method == sip.MethodUpdate || req.Method == sip.MethodPrack) && onlyOther(&req.Message):
		// RFC 3261 §8.2.3: it would change nothing.
		u.engine.Respond(ev.Tx, u.reply(req, sip.StatusUnsupportedMediaType))
	case req.Method == sip.MethodPrack:
		u.peerPrack(ev)
	case req.Method == sip.MethodInvite, req.Method == sip.MethodUpdate && len(req.Body()) > 0:
		u.peerOffer(ev)
	case req.Method == sip.MethodUpdate:
		d.Refresh(&req.Message)
		u.heed(&req.Message)
		res := u.replyIn(d, req, sip.StatusOK)
		if d.State == Confirmed {
			u.grant(req, res)
		}
		u.engine.Respond(ev.Tx, res)
	default:
		u.passRequest(ev)
	}
}

// refuse answers a request of the peer that changes nothing.
func (u *Usage) refuse(ev *sip.Event, status sip.Status) { respond(ev, ev.Request.Reply(status)) }

// dialogOf returns the dialog of the usage to which a message of the peer with that tag belongs, nil if there is none.
func (u *Usage) dialogOf(callID, tag string) *Dialog {
	if u.dialog == nil {
		if callID != u.CallID() {
			return nil
		}
		if e := u.caller.earlyOf(tag); e != nil {
			return e.dialog
		}
		return nil
	}
	if !u.dialog.Matches(callID, tag) {
		return nil
	}
	return u.dialog
}

// heard notes from where the peer sends, and over which connection it can be reached now.
func (u *Usage) heard(ev *sip.Event, d *Dialog) {
	u.rebind(ev)
	u.came(d, ev.Flow)
}

// rebind makes the way of a request that of ours.
func (u *Usage) rebind(ev *sip.Event) {
	if u.dialog == nil || u.dialog.flow == nil && !u.awaited() && ev.Flow.Transport == sip.UDP {
		return
	}
	if flow := ReturnFlow(ev, u.dialog); !flow.IsZero() {
		u.found()
		u.bind(flow)
	}
}

// passRequest asks the owner, and answers if it does not.
func (u *Usage) passRequest(ev *sip.Event) {
	r := &Request{Tx: ev.Tx, Request: ev.Request}
	u.tell(r)
	if !r.kept && !r.answered {
		u.engine.Respond(ev.Tx, u.defaultReply(ev.Request))
	}
}

// defaultReply is the answer of a usage whose owner has none.
func (u *Usage) defaultReply(req *sip.Request) *sip.Response {
	switch req.Method {
	case sip.MethodOptions:
		return u.reply(req, sip.StatusOK)
	case sip.MethodInfo:
		res := u.reply(req, infoStatus(req))
		if res.Status == sip.StatusBadInfoPackage {
			res.Set(sip.HeaderRecvInfo, strings.Join(u.table.Packages, ", ")) // RFC 6086 §4.2.2: those that we take
		}
		return res
	case sip.MethodMessage, sip.MethodRefer, sip.MethodNotify, sip.MethodSubscribe, sip.MethodPublish, sip.MethodRegister:
		return u.reply(req, sip.StatusMethodNotAllowed)
	}
	return u.reply(req, sip.StatusNotImplemented)
}

// infoStatus refuses an INFO: RFC 6086 §4.2.2 for one of a package; without body it only asks whether we live.
func infoStatus(req *sip.Request) sip.Status {
	switch {
	case req.Has(sip.HeaderInfoPackage):
		return sip.StatusBadInfoPackage
	case len(req.Body()) > 0:
		return sip.StatusUnsupportedMediaType
	}
	return sip.StatusOK
}

// Packages returns the packages of INFO that the peer takes. RFC 6086 §4.2. It is the usage's own and must not be changed.
func (u *Usage) Packages() []string {
	if u.extra == nil {
		return nil
	}
	return u.extra.packages
}

// TakesInfo reports whether the peer takes INFO of a package.
func (u *Usage) TakesInfo(p sip.InfoPackage) bool {
	return slices.ContainsFunc(u.Packages(), func(s string) bool {
		q, err := sip.ParseInfoPackage(s)
		return err == nil && q.Same(p)
	})
}

// Respond answers a [Request] of the peer; res comes from [Usage.ReplyTo].
func (u *Usage) Respond(r *Request, res *sip.Response) error {
	if r.answered {
		return ErrState
	}
	r.answered = res.Status.Final()
	return u.engine.Respond(r.Tx, res)
}

// ReplyTo returns a response to a request inside the dialog, complete but for a body.
func (u *Usage) ReplyTo(req *sip.Request, status sip.Status) *sip.Response {
	return u.reply(req, status)
}

// NewRequest returns the next request inside the dialog (INFO, MESSAGE, REFER …) for [Usage.SendRequest], nil while there is no dialog.
func (u *Usage) NewRequest(method sip.Method) *sip.Request {
	if u.dialog == nil || u.over || u.leaving {
		return nil
	}
	return u.dialog.Request(method)
}

// SendRequest sends a request made by [Usage.NewRequest]. done is called once, in the stripe, with the final response, valid until it
// returns; without one it is nil and err says why. A peer that answers 481 or not at all has forgotten the call, which then ends (RFC 3261 §12.2.1.2).
func (u *Usage) SendRequest(req *sip.Request, done func(res *sip.Response, err error)) error {
	if u.dialog == nil || u.over || u.leaving || req.Method == sip.MethodInvite || req.Method == sip.MethodBye {
		return ErrState
	}
	_, err := u.exchange(u.dialog, req, func(o outcome) {
		done(o.response, o.err)
		if o.gone() && u.up() {
			u.hangUp(DialogGone)
		}
	})
	return err
}

// refreshesSession reports whether a request of that method may carry Session-Expires. RFC 4028 §3.
func refreshesSession(m sip.Method) bool { return m == sip.MethodInvite || m == sip.MethodUpdate }

// reply makes a response to req with all that the dialog knows.
func (u *Usage) reply(req *sip.Request, status sip.Status) *sip.Response {
	return u.replyIn(u.dialog, req, status)
}

// replyIn is reply inside an early dialog of a caller.
func (u *Usage) replyIn(d *Dialog, req *sip.Request, status sip.Status) *sip.Response {
	res := new(sip.Response)
	u.writeReply(res, d, req, status)
	return res
}

// writeReply makes res what replyIn returns.
func (u *Usage) writeReply(res *sip.Response, d *Dialog, req *sip.Request, status sip.Status) {
	res.ReplyTo(req, status)
	if res.ToTag() == "" {
		res.AddTag(sip.HeaderTo, u.tag)
	}
	if d != nil {
		if d.Session.Known() {
			res.SetSessionID(d.Session)
		}
		if refreshes(req.Method) && status > sip.StatusTrying && status < 300 {
			res.Set(sip.HeaderContact, d.Contact)
		}
	}
	if req.Method == sip.MethodInvite && status > sip.StatusTrying && status < 300 {
		u.table.take(&res.Message)
		// RFC 3261 §12.1.1: all Record-Route fields are copied, in order.
		for v := range req.Values(sip.HeaderRecordRoute) {
			res.Add(sip.HeaderRecordRoute, v)
		}
	}
	if status == sip.StatusUnsupportedMediaType && req.Method != sip.MethodInfo && req.Method != sip.MethodMessage {
		res.Set(sip.HeaderAccept, "application/sdp") // RFC 3261 §21.4.13
	}
	if status.Success() || status == sip.StatusMethodNotAllowed || status == sip.StatusNotImplemented {
		res.Set(sip.HeaderAllow, u.table.allow())
		all, _, _ := u.table.supported()
		promise(&res.Message, all)
	}
}

// respond refuses a request: inside a dialog within its transaction, for a copy that comes when the call has ended would get another answer.
func respond(ev *sip.Event, res *sip.Response) {
	if ev.Request.ToTag() != "" {
		ev.Engine.Respond(ev.Tx, res)
		return
	}
	ev.Engine.RespondOnce(ev.Tx, res)
}

// errRequired says that the request asks for an extension that we do not have.
var errRequired = errors.New("dialog: extension required")

// understood refuses a request with 420 if it requires an extension that nobody here has. RFC 3261 §8.2.2.3.
func (t *Table) understood(ev *sip.Event) error {
	var unknown []string
	for tag := range ev.Request.Values(sip.HeaderRequire) {
		if !t.has(tag) {
			unknown = append(unknown, tag)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	res := ev.Request.Reply(sip.StatusBadExtension)
	res.Set(sip.HeaderUnsupported, strings.Join(unknown, ", "))
	respond(ev, res)
	return errRequired
}

// ReturnFlow is the way back to the peer that sent a request, or zero if RFC 3261 §12.2.1.1 finds it. The flow is used only if the peer itself is at its
// other end: over a connection (RFC 5626 §5.3), or over UDP when its Contact shows that it stands behind a translator.
func ReturnFlow(ev *sip.Event, d *Dialog) sip.Flow {
	contact, ok := ev.Request.Contact()
	target := contact.URI
	if !ok {
		target = uri(d.Target)
	}
	_, gruu := target.GRUU()
	switch addr, err := netip.ParseAddr(strings.Trim(target.Host, "[]")); {
	case !ev.Request.Direct() || len(d.Routes) > 0:
		return sip.Flow{}
	case ev.Flow.Transport.Reliable(), gruu:
		return ev.Flow // a GRUU leads to the peer by way of its registrar: RFC 5627 §3.1
	case err != nil && !strings.HasSuffix(target.Host, ".invalid"), err == nil && addr == ev.Flow.Remote.Addr():
		return sip.Flow{}
	}
	return ev.Flow
}
