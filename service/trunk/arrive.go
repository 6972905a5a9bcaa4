// Calls that come in: by which trunk, for which number, from whom. Nothing here believes From before the provider is known. RFC 3261 §26.2; RFC 3325 §5; RFC 5626 §5.3.

package trunk

import (
	"net/netip"
	"strings"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/passport"
)

// Arrival is a request that came from a provider.
type Arrival struct {
	Domain string // of ours
	Trunk  string
	Called string // whom it is for: E.164 where it is a number, otherwise what the provider wrote
	Own    bool   // Called is one of the trunk's own numbers
	Verify Verify
	Digits session.Digits
	Music  *session.Music

	line *line
}

// Recognise returns the trunk from which a request came over flow: by the Contact that only its registrar knows, by the flow of its registration, or by an address of its servers.
func (g *Group) Recognise(req *sip.Request, flow sip.Flow) (Arrival, bool) {
	var found []*line
	given, byContact := req.URI.Param("line")
	for _, l := range g.all("") {
		s := l.state()
		switch {
		case byContact && given == l.contact:
			return l.arrival(req), true
		case sameFlow(s.flow, flow), l.owns(&s, netip.AddrPortFrom(flow.Remote.Addr().Unmap(), flow.Remote.Port()), flow.Transport.Reliable()):
			found = append(found, l)
		}
	}
	if len(found) == 0 {
		return Arrival{}, false
	}
	best := found[0]
	for _, l := range found {
		if a := l.arrival(req); a.Own || l.set.Login.User != "" && req.URI.UserName() == l.set.Login.User {
			best = l // two trunks of one provider: whose number, or whose account
			break
		}
	}
	return best.arrival(req), true
}

// sameFlow reports whether a request came by the flow of a registration.
func sameFlow(registered, came sip.Flow) bool {
	if registered.IsZero() || registered.Transport != came.Transport {
		return false
	}
	if registered.ID != 0 {
		return registered.ID == came.ID
	}
	return !registered.Transport.Reliable() && registered.Remote == came.Remote
}

// arrival finds out whom a request is for: by the Request-URI, or by To and P-Called-Party-ID where that holds the user of the login.
func (l *line) arrival(req *sip.Request) Arrival {
	a := Arrival{Domain: l.set.Domain, Trunk: l.set.Name, Verify: l.set.Verify, Digits: l.set.Digits, Music: l.set.Music, line: l}
	users := []string{strings.Clone(req.URI.UserName())}
	if to, err := req.To(); err == nil {
		users = append(users, strings.Clone(to.URI.UserName()))
	}
	if called, err := sip.ParseAddress(req.GetName("P-Called-Party-ID")); err == nil {
		users = append(users, strings.Clone(called.URI.UserName()))
	}
	for _, user := range users {
		number, ok := l.set.Numbering.Incoming(user)
		if ok && l.set.Numbering.Owns(number) {
			a.Called, a.Own = number, true
			break
		}
		if a.Called == "" && (user != l.set.Login.User || user == users[len(users)-1]) {
			a.Called = number
		}
	}
	return a
}

// Caller is who calls, as the provider says it, with numbers in E.164. Behind an anonymous From there is nobody.
func (a Arrival) Caller(req *sip.Request) sip.Address {
	from, err := req.From()
	if err != nil {
		return sip.Address{}
	}
	if strings.HasSuffix(strings.ToLower(from.URI.Host), "anonymous.invalid") || strings.EqualFold(from.URI.UserName(), "anonymous") || req.HasPrivacy("id") || req.HasPrivacy("user") {
		return sip.Address{Display: `"Anonymous"`, URI: sip.URI{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}}
	}
	return sip.Address{Display: strings.Clone(from.Display), URI: a.uri(from.URI, "")}
}

// uri is a number or a name of the provider's as our telephones see it: at our own domain if it is a number, so that it can be called back.
func (a Arrival) uri(of sip.URI, verstat string) sip.URI {
	number, ok := a.line.set.Numbering.Incoming(of.UserName())
	if !ok {
		return sip.URI{Scheme: "sip", User: strings.Clone(of.User), Host: strings.Clone(of.Host)}
	}
	uri := sip.URI{Scheme: "sip", User: number, Host: a.Domain}
	if verstat != "" {
		uri.User += ";verstat=" + verstat
	}
	uri.Params = uri.Params.With("user", "phone")
	return uri
}

// Admit returns the request as it goes on inside: for the number in E.164 at our domain, with the caller that the provider asserts, and without what only one of ours may say to a
// telephone. verstat, if not "", is what the signature of the caller was found to be.
func (a Arrival) Admit(req *sip.Request, verstat string) *sip.Request {
	in := req.Clone()
	user := sip.EscapeUser(a.Called)
	in.URI = sip.URI{Scheme: "sip", User: user, Host: a.Domain}
	if sip.IsGlobalNumber(a.Called) {
		in.URI.Params = in.URI.Params.With("user", "phone")
	}
	in.SetName(byTrunk, a.Trunk+"@"+a.Domain)
	asserted := a.asserted(req, verstat)
	for _, h := range [...]sip.Header{sip.HeaderPAssertedIdentity, sip.HeaderPPreferredIdentity, sip.HeaderRemotePartyID, sip.HeaderAnswerMode, sip.HeaderPrivAnswerMode, sip.HeaderAlertInfo,
		sip.HeaderCallInfo, sip.HeaderReplaces, sip.HeaderJoin} {
		in.Remove(h)
	}
	if asserted != "" {
		in.Set(sip.HeaderPAssertedIdentity, asserted)
	}
	if verstat == passport.Failed {
		in.Remove(sip.HeaderIdentity) // what proves nothing here is shown to nobody else
	}
	return in
}

// byTrunk is the header by which a request that was admitted is known inside. It passes no border of ours, and is believed of nobody but [Arrival.Admit].
const byTrunk = "P-By-Trunk"

// Admitted returns the trunk by which a request has come that [Arrival.Admit] has made.
func (g *Group) Admitted(req *sip.Request) (Arrival, bool) {
	trunk, domain, ok := strings.Cut(req.GetName(byTrunk), "@")
	if !ok {
		return Arrival{}, false
	}
	l := g.line(domain, trunk)
	if l == nil {
		return Arrival{}, false
	}
	return l.arrival(req), true
}

// asserted is the P-Asserted-Identity of a call: the provider's, or its From where it asserts nothing.
func (a Arrival) asserted(req *sip.Request, verstat string) string {
	who, err := req.From()
	for asserted, bad := range req.Addresses(sip.HeaderPAssertedIdentity) {
		if bad == nil {
			who, err = asserted, nil
		}
		break
	}
	if err != nil || strings.HasSuffix(strings.ToLower(who.URI.Host), "anonymous.invalid") {
		return ""
	}
	return sip.Address{URI: a.uri(who.URI, verstat)}.String()
}

// Begin enters the call; false if all lines of the trunk are taken. [Arrival.End] owes each one that was entered.
func (a Arrival) Begin() bool {
	if !a.line.take() {
		return false
	}
	a.line.count.in.Add(1)
	return true
}

// End says that the call is over.
func (a Arrival) End() { a.line.release() }
