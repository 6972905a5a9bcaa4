package b2bua

// Who is shown to whom: callers who do not want to be shown, and those who are not who was dialled, or come into a call later. RFC 3323, RFC 3325, RFC 4916.

import (
	"github.com/sipwerk/sipwerk/sip"
)

// private reports whether one who has called does not want to be shown. What else the levels of RFC 3323 §4.2 ask for is done for every call: nothing of its way and of its addresses
// passes.
func (l *leg) private() bool {
	if l.party != nil || l.usage == nil {
		return false
	}
	m := &l.usage.Invitation().Message
	return m.Has(sip.HeaderPrivacy) && (m.HasPrivacy("id") || m.HasPrivacy("user"))
}

// shown is one side of a call as somebody else is to see it. RFC 3325 §7: to those of the trust domain it is told who somebody is who does not want to be shown.
func (c *call) shown(l *leg, inTrust bool) string {
	if !inTrust && l.private() {
		return `"Anonymous" <` + anonymous + ">"
	}
	return c.who(l)
}

// believes reports whether the peer of a leg takes from us who somebody is: telephones of our accounts, and the trust domain. RFC 3325 §5.
func (l *leg) believes() bool {
	switch {
	case l.aor != "":
		return true
	case l.party != nil:
		return l.inTrust()
	}
	return l == l.call.origin && l.call.asker.Trusted && l.call.asker.Trunk == ""
}

// connectTo tells the peer of a leg, with the next change of its session, that it talks to somebody else than before. RFC 4916 §4.
func (l *leg) connectTo(other *leg) {
	before := l.known
	if l.known = other; before == nil || before == other {
		return
	}
	believes := l.believes()
	if who, err := sip.ParseAddress(l.call.shown(other, l.party != nil && l.inTrust())); err == nil {
		l.usage.Become(who, believes)
	}
}

// present tells the peer of a leg in a response who it is connected to, if that is not whom it has dialled, and who was called allows it. RFC 3325 §9.3 is for callees too.
func (l *leg) present(reply, from *sip.Response, other *leg) {
	if other.account.Host == "" || other.account.User == l.usage.Invitation().URI.User || from.HasPrivacy("id") || !l.believes() {
		return
	}
	reply.Set(sip.HeaderPAssertedIdentity, l.call.shown(other, false))
}
