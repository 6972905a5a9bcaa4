package b2bua

// What passes from leg to leg. Everything that is not listed here ends at the border, whatever it is called. RFC 7092 §3.1, RFC 3325 §5,
// RFC 3323 §4.1, RFC 5853 §3.1.

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
)

// invited returns what an INVITE may hand on to the callee.
func invited() []sip.Header {
	return []sip.Header{sip.HeaderSubject, sip.HeaderPriority, sip.HeaderOrganization, sip.HeaderInReplyTo, sip.HeaderAcceptLanguage,
		sip.HeaderUserToUser, sip.HeaderPrivacy, sip.HeaderRecvInfo, sip.HeaderMIMEVersion}
}

// replied returns what a 1xx or 2xx may hand on to the caller.
func replied() []sip.Header { return []sip.Header{sip.HeaderRecvInfo, sip.HeaderMIMEVersion} }

// handOn returns the body to hand on: that of a message, with our description in the place of its own. Where a body is too long for the other side to be
// sent whole, our description goes alone. RFC 5621 §3.
func handOn(from *sip.Message, ours []byte) (contentType string, body []byte) {
	if len(from.Body()) > maxInside {
		return description.Type, ours
	}
	return description.Replace(from, ours)
}

// trusted returns what it may hand on besides if the caller is trusted: who calls, and what makes a phone answer by itself
// or fetch something.
func trusted() []sip.Header {
	return []sip.Header{sip.HeaderPAssertedIdentity, sip.HeaderAlertInfo, sip.HeaderCallInfo,
		sip.HeaderAnswerMode, sip.HeaderIdentity, sip.HeaderResourcePriority}
}

// inside returns what a request inside the dialog, or the answer to one, may hand on.
func inside() []sip.Header {
	return []sip.Header{sip.HeaderInfoPackage, sip.HeaderContentDisposition, sip.HeaderContentLanguage, sip.HeaderSubject, sip.HeaderDate,
		sip.HeaderAccept, sip.HeaderRetryAfter, sip.HeaderWarning, sip.HeaderReferTo, sip.HeaderReferredBy, sip.HeaderReferSub, sip.HeaderEvent,
		sip.HeaderSubscriptionState}
}

// refused returns what a final response may hand on to the caller.
func refused() []sip.Header {
	return []sip.Header{sip.HeaderRetryAfter, sip.HeaderWarning, sip.HeaderReason}
}

// carry copies the listed headers.
func carry(to, from *sip.Message, list []sip.Header) {
	for _, h := range list {
		for v := range from.Values(h) {
			if h != sip.HeaderRecvInfo || !own(v) {
				to.Add(h, v)
			}
		}
	}
}

// own reports whether a package of INFO is between a peer and its leg alone.
func own(name string) bool {
	p, err := sip.ParseInfoPackage(name)
	return err == nil && p.Same(sip.InfoPackage{Name: description.TricklePackage})
}

// fromOf returns the From that the callee is shown, without tag. A caller whose identity is known may call itself nothing else, but may stay
// anonymous (RFC 3323 §4.1.1.3).
func fromOf(req *sip.Request, who Caller) string {
	from, err := req.From()
	if err != nil {
		return "<" + anonymous + ">"
	}
	from.Params = ""
	known := who.Address
	if known.URI.Host == "" || strings.HasSuffix(strings.ToLower(from.URI.Host), "anonymous.invalid") {
		return from.String()
	}
	if from.URI.AOR() != known.URI.AOR() {
		from.URI = known.URI
	}
	if known.Display != "" {
		from.Display = known.Display
	}
	return from.String()
}

// anonymous is the URI of somebody whose name is not known. RFC 3323 §4.1.1.3.
const anonymous = "sip:anonymous@anonymous.invalid"

// invitation makes the INVITE of a leg, without body.
func (c *call) invitation(l *leg) *sip.Request {
	p := l.party
	req := sip.NewRequest(sip.MethodInvite, l.address())
	for _, hop := range l.to.Path {
		req.Add(sip.HeaderRoute, hop)
	}
	req.Set(sip.HeaderMaxForwards, strconv.FormatUint(uint64(c.hops), 10))
	side := c.caller
	if l.transfer != nil {
		side = l.transfer.kept
		l.transfer.introduce(c, req)
	} else {
		c.introduce(req, l.inTrust())
	}
	req.Set(sip.HeaderFrom, c.shown(side, l.inTrust()))
	if l.inside() {
		// What an application believes of a caller is what we know, not what a peer has said.
		if req.Remove(sip.HeaderPAssertedIdentity); side.aor != "" {
			req.Set(sip.HeaderPAssertedIdentity, "<"+side.aor+">")
		}
	}
	req.SetSessionID(sip.SessionID{Local: c.story.id})
	if p.From != nil {
		req.SetAddress(sip.HeaderFrom, without(*p.From))
	}
	if p.To != nil {
		req.SetAddress(sip.HeaderTo, without(*p.To))
	}
	if l.inTrust() || l.account.Host != "" {
		l.hunt.tell(req, l.inTrust())
	}
	for i, f := range p.Headers {
		if !slices.ContainsFunc(p.Headers[:i], func(before Field) bool { return before.Name == f.Name }) {
			req.Remove(f.Name) // the router knows better than the caller: who is shown, and by what that is proven
		}
		req.Add(f.Name, f.Value)
	}
	return req
}

// address is the Request-URI of a leg: of an application that is called because of a diversion, with whom the call was for and why. RFC 4458 §2.
func (l *leg) address() sip.URI {
	uri := l.to.Target
	if p := l.hunt.past; p != nil && l.inside() && !uri.Params.Has("target") {
		if d := p.last(); d != nil {
			uri.Params = uri.Params.With("target", sip.EscapeUser(d.From.AOR())).With("cause", strconv.Itoa(int(d.Why.Cause())))
		}
	}
	return uri
}

// inTrust reports whether a leg leads to somebody of the trust domain of RFC 3325. Devices do not belong to it (§7), applications inside do.
func (l *leg) inTrust() bool { return l.party.Trusted || l.inside() }

// inside reports whether a leg leads to an application of this process.
func (l *leg) inside() bool { return l.house }

// target is where a leg was called; zero of one that has called.
func (l *leg) target() (uri sip.URI) {
	switch {
	case l.to != nil:
		uri = l.to.Target
	case l.reach != "":
		uri, _ = sip.ParseURI(l.reach) // it was printed here
	}
	return uri
}

// introduce writes who calls, whom, and what else the caller says.
func (c *call) introduce(req *sip.Request, inTrust bool) {
	in := c.caller.usage.Invitation()
	if callee, err := in.To(); err == nil {
		req.SetAddress(sip.HeaderTo, without(callee))
	}
	carry(&req.Message, &in.Message, invited())
	if !c.asker.Trusted {
		return
	}
	carry(&req.Message, &in.Message, trusted())
	if in.HasPrivacy("id") && !inTrust {
		req.Remove(sip.HeaderPAssertedIdentity) // RFC 3325 §7: devices are outside the trust domain
	}
}

// without returns an address without its tag, and untagged the text of that.
func without(a sip.Address) sip.Address {
	a.Params = a.Params.Without("tag")
	return a
}

func untagged(a sip.Address) string { return without(a).String() }
