// Who there is, and where they are: what the services ask, each in its own words.

package main

import (
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// people are the passwords by user. A program for more than a demonstration keeps hashes.
type people map[string]string

// HA1 is asked by digest: what user must prove.
func (p people) HA1(user, realm string, a digest.Algorithm) (digest.HA1, bool) {
	password, ok := p[user]
	return a.HA1(user, realm, password), ok
}

// MaySendAs is asked by digest: nobody sends in the name of others.
func (p people) MaySendAs(user string, from sip.URI) bool { return user == from.UserName() }

// AOR is asked by the registrar: everybody has one name.
func (p people) AOR(uri sip.URI) (aor sip.URI, ok bool) {
	_, ok = p[uri.UserName()]
	return sip.URI{Scheme: "sip", User: uri.User, Host: uri.Host}, ok
}

// MayBind is asked by the registrar: nobody registers for others.
func (p people) MayBind(user string, aor sip.URI) bool { return user == aor.UserName() }

// Route is asked by the B2BUA: whom a call is for.
func (p people) Route(q *b2bua.Question) b2bua.Route {
	aor, ok := p.AOR(q.Request.URI)
	if !ok {
		return b2bua.Route{Refuse: sip.StatusNotFound}
	}
	return b2bua.Route{Account: aor}
}

// locator tells the B2BUA what the registrar knows.
type locator struct{ *registrar.Registrar }

// Lookup is asked by the B2BUA: where somebody can be reached.
func (l locator) Lookup(account sip.URI) (found []b2bua.Binding) {
	bindings := l.Registrar.Lookup(account)
	for i := range bindings {
		b := &bindings[i]
		if target, err := b.Target(); err == nil {
			found = append(found, b2bua.Binding{Target: target, Path: b.Path, To: b.Destination(), Remote: b.Flow.Remote.Addr(), Local: b.Flow.Local.Addr(),
				Spare: i > 0 && b.SameDevice(&bindings[i-1])})
		}
	}
	return found
}
