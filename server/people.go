// The directory as the services see it: who may log in, send as, bind and be called. RFC 3261 §10.3, §22.

package server

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/server/carrier"
	"github.com/sipwerk/sipwerk/server/music"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// domains finds the domain to which a URI belongs. Safe for use by many goroutines; the fields are not changed after the start.
type domains struct {
	directory *store.Directory
	hosts     *hosts
	first     string
	trunks    *carrier.Trunks
	shelf     *music.Shelf
	guard     func(*domain) *digest.Authenticator

	mu    sync.Mutex                         // held while known is exchanged
	known atomic.Pointer[map[string]*domain] // those that were asked for; the directory never loses one
}

// domain is one domain with its people.
type domain struct {
	name      string
	realm     string
	directory *store.Directory
	domains   *domains
	guard     *digest.Authenticator // lets only proven and trusted senders through
	gate      *digest.Authenticator // the same in the name of a proxy
}

// of returns the domain of a URI: the one it names, or the first one if it names a host of ours or is a telephone number. It is nil for everyone else's.
func (ds *domains) of(uri sip.URI) *domain {
	name := strings.ToLower(uri.Host)
	if uri.Scheme == "tel" {
		name = ds.first
	}
	d := ds.named(name)
	if d == nil && ds.hosts.own(uri.Host) {
		d = ds.named(ds.first)
	}
	return d
}

// named returns the domain called name, nil if the directory has none.
func (ds *domains) named(name string) *domain {
	if known := ds.known.Load(); known != nil {
		if d := (*known)[name]; d != nil {
			return d
		}
	}
	realm, ok := ds.directory.Realm(name)
	if !ok {
		return nil
	}
	ds.mu.Lock()
	defer ds.mu.Unlock()
	all := make(map[string]*domain)
	if known := ds.known.Load(); known != nil {
		maps.Copy(all, *known)
	}
	d := all[name]
	if d == nil {
		name = strings.Clone(name) // it is part of a message, whose memory is used again
		d = &domain{name: name, realm: realm, directory: ds.directory, domains: ds}
		d.guard = ds.guard(d)
		all[name] = d
		ds.known.Store(&all)
	}
	return d
}

// account returns the account that a URI names, itself or by one of its devices or numbers.
func (ds *domains) account(uri sip.URI) (d *domain, account string, ok bool) {
	if d = ds.of(uri); d == nil {
		return nil, "", false
	}
	user := uri.UserName()
	if number, ok := uri.GlobalNumber(); ok {
		user = number
	}
	account, ok = d.directory.Account(d.name, user)
	return d, account, ok
}

// AOR implements [registrar.Accounts].
func (ds *domains) AOR(uri sip.URI) (sip.URI, bool) {
	d, account, ok := ds.account(uri)
	if !ok {
		return sip.URI{}, false
	}
	return d.uri(account), true
}

// MayBind implements [registrar.Accounts]: a device binds itself and its account.
func (ds *domains) MayBind(user string, aor sip.URI) bool {
	d := ds.of(aor)
	return d != nil && d.MaySendAs(user, aor)
}

// Identify implements [b2bua.Identity]: who has logged in is shown by name and address of the account, or the number of it that it calls by; a trusted peer says itself who calls.
func (ds *domains) Identify(ev *sip.Event) b2bua.Caller {
	if who, ok := ds.trunks.Identify(ev); ok {
		return who
	}
	switch {
	case ev.Flow.Transport == sip.Inside:
		return ds.insider(ev.Request)
	case ev.User == "":
		return b2bua.Caller{Trusted: ev.Trusted}
	}
	d := ds.sender(ev.Request)
	if d == nil {
		return b2bua.Caller{}
	}
	u, ok := d.directory.Lookup(d.name, ev.User)
	if !ok {
		return b2bua.Caller{}
	}
	who := sip.Address{Display: sip.Quote(u.Name), URI: d.uri(u.Account)}
	if from, err := ev.Request.From(); err == nil {
		if number, ok := d.number(u.Account, from.URI); ok {
			who.URI.User = number
		}
	}
	caller := b2bua.Caller{Address: who, Account: d.uri(u.Account)}
	caller.Digits, caller.Music = ds.sound(caller.Account)
	return caller
}

// sound is how digits go to the telephones of an account, and what is heard there on hold.
func (ds *domains) sound(uri sip.URI) (session.Digits, *session.Music) {
	d, account, ok := ds.account(uri)
	if !ok {
		return session.DigitsAuto, nil
	}
	set, way := d.directory.Settings(d.name), session.DigitsAuto
	if own, _ := set.Account(account); own.Digits != "" {
		way, _ = session.ParseDigits(own.Digits) // checked when it was stored
	}
	return way, ds.shelf.Music(set.DialPlan().Music)
}

// insider is who calls by the flow inside: the account that the server itself has asserted there.
func (ds *domains) insider(req *sip.Request) b2bua.Caller {
	who := b2bua.Caller{Trusted: true}
	for asserted, err := range req.Addresses(sip.HeaderPAssertedIdentity) {
		if d, account, ok := ds.account(asserted.URI); err == nil && ok {
			who.Account = d.uri(account)
			break
		}
	}
	return who
}

// sender returns the domain in which the sender of a request has to prove who it is: that of From, or the one asked if From is a stranger. A REGISTER is
// about the domain of To, and who asks for registrations may see those of their own domain only.
func (ds *domains) sender(req *sip.Request) *domain {
	if registrar.IsWatch(req) {
		if d := ds.of(req.URI); d != nil {
			return d
		}
	}
	who, err := req.From()
	if req.Method == sip.MethodRegister {
		who, err = req.To()
	}
	if err == nil {
		if d := ds.of(who.URI); d != nil {
			return d
		}
	}
	return ds.of(req.URI)
}

// HA1 implements [digest.Accounts].
func (d *domain) HA1(user, realm string, a digest.Algorithm) (digest.HA1, bool) {
	if realm != d.realm {
		return digest.HA1{}, false
	}
	return d.directory.HA1(d.name, user, a)
}

// number returns the number that a URI names, if it belongs to an account.
func (d *domain) number(account string, uri sip.URI) (string, bool) {
	number, ok := uri.GlobalNumber()
	if !ok {
		return "", false
	}
	owner, ok := d.directory.Account(d.name, number)
	return number, ok && owner == account
}

// MaySendAs implements [digest.Accounts]: a device sends as itself, as its account and as each number of that.
func (d *domain) MaySendAs(user string, from sip.URI) bool {
	if user == "" || d.domains.of(from) != d {
		return false
	}
	name := from.UserName()
	if name == user {
		return true
	}
	account, ok := d.directory.Account(d.name, user)
	if !ok || account == name {
		return ok
	}
	_, ok = d.number(account, from)
	return ok
}

// uri is the address-of-record of an account. No user name needs an escape (object.CheckUser).
func (d *domain) uri(account string) sip.URI {
	return sip.URI{Scheme: "sip", User: account, Host: d.name}
}

// counts returns what the guards of all domains have counted.
func (ds *domains) counts() []digest.Counts {
	known := ds.known.Load()
	if known == nil {
		return nil
	}
	var cs []digest.Counts
	for _, d := range *known {
		cs = append(cs, d.guard.Counts())
	}
	return cs
}
