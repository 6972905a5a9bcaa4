// What is kept of a call that just stands. There may be very many, and most of what led to them never matters again.

package dialog

import (
	"bytes"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Invitation returns the initial INVITE: as it came, or as it was sent last. It must not be changed.
func (u *Usage) Invitation() *sip.Request {
	if u.invite != nil {
		return u.invite
	}
	return u.extract.invitation(u.dialog)
}

// extract is what is left of an initial INVITE.
type extract struct {
	text  string // without what the dialog says
	seq   uint32
	came  bool // from the peer
	names bool // the text holds From and To
}

// invitation makes the INVITE of an extract and its dialog.
func (x *extract) invitation(d *Dialog) *sip.Request {
	req, err := sip.ParseRequest([]byte(x.text))
	if err != nil { // it was printed by the same package
		req = sip.NewRequest(sip.MethodInvite, uri(d.Target))
	}
	x.complement(req, d)
	return req
}

// Lean lets go of what only matters until the call is answered and acknowledged: of the INVITE its body, its way, what its sender takes. [Usage.Invitation] then has the rest. The
// owner is let go of after the last event.
func (u *Usage) Lean() {
	if u.lean || u.dialog == nil {
		return
	}
	u.lean = true
	if c := u.caller; c != nil {
		u.extract.seq = c.seq
		if flow := c.flow(); !flow.IsZero() {
			c.way = &flow
		}
		c.to = nil
		u.forgetEarly()
		// RFC 3261 §12.1.2 takes the remote URI from the To of the response in effect: whom we have called is not for the peer to say.
		if rest, ok := strings.CutPrefix(u.dialog.Remote, u.invite.Get(sip.HeaderTo)); !ok || rest != ";tag="+u.dialog.RemoteTag {
			u.extract.names = true
		}
	} else {
		u.extract.seq, u.extract.came = u.callee.seq, true
		u.callee.promises = nil
	}
	if u.talk != nil && u.talk.idle() {
		u.talk = nil
	}
	u.ours.Bytes = bytes.Clone(u.ours.Bytes) // with nothing behind it
	names := u.extract.names
	u.extract.text, u.invite = u.invite.Extract(func(h sip.Header) bool { return passing(h) || known(h) && !(names && naming(h)) }), nil
}

// forgetEarly lets go of the early dialog that has become that of the call. Others stay: a late 2xx may belong to one, and its BYE comes behind its PRACK.
func (u *Usage) forgetEarly() {
	if c := u.caller; c.pracking == 0 && len(c.early) == 1 && c.early[0].dialog == u.dialog {
		c.early = nil
	}
}

// idle reports whether nothing has been negotiated but by the initial INVITE, and nothing is to be.
func (n *negotiation) idle() bool {
	return n.state == offerNone && !n.waiting && n.sent == nil && n.request == nil && n.came == nil && n.prack == nil && n.tx == 0 && n.timer == nil && n.bound == nil && n.guard == nil
}

// passing reports whether a header field of an INVITE has no meaning in a call that is up.
func passing(h sip.Header) bool {
	switch h {
	case sip.HeaderVia, sip.HeaderRoute, sip.HeaderRecordRoute, sip.HeaderContact, sip.HeaderAllow, sip.HeaderAccept, sip.HeaderAcceptEncoding, sip.HeaderUserAgent,
		sip.HeaderSessionExpires, sip.HeaderMinSE, sip.HeaderContentType, sip.HeaderContentLength, sip.HeaderContentDisposition, sip.HeaderMIMEVersion:
		return true
	}
	return false
}

// known reports whether the dialog says what stands in a header field of its INVITE.
func known(h sip.Header) bool {
	switch h {
	case sip.HeaderFrom, sip.HeaderTo, sip.HeaderCallID, sip.HeaderCSeq, sip.HeaderSessionID:
		return true
	}
	return false
}

// naming reports whether a header field says who takes part.
func naming(h sip.Header) bool { return h == sip.HeaderFrom || h == sip.HeaderTo }

// complement puts into an extract what the dialog knows.
func (x *extract) complement(req *sip.Request, d *Dialog) {
	from, to, id := d.Local, d.Remote, d.Session.Local
	if x.came {
		from, to, id = d.Remote, d.Local, d.Session.Remote
	}
	if !x.names {
		req.Set(sip.HeaderFrom, from)
		req.Set(sip.HeaderTo, to)
		if a, err := req.To(); err == nil {
			a.Params = a.Params.Without("tag")
			req.SetAddress(sip.HeaderTo, a)
		}
	}
	req.Set(sip.HeaderCallID, d.CallID)
	req.SetCSeq(sip.CSeq{Number: x.seq, Method: sip.MethodInvite})
	if session := (sip.SessionID{Local: id, Remote: sip.NilUUID}); session.Known() {
		req.SetSessionID(session)
	}
}

// spellOut makes the extract hold From and To of the INVITE, because the dialog is about to have another name in one of them.
func (u *Usage) spellOut() {
	if u.invite == nil && !u.extract.names {
		u.extract.text = u.Invitation().Extract(func(h sip.Header) bool { return !naming(h) && known(h) })
	}
	u.extract.names = true
}
