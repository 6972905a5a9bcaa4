// Lamps: who may look at which, and what they are called. RFC 4235 §3.6.

package server

import (
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
)

// openLamps makes the lamps; the notifier must be there.
func (s *Server) openLamps(ds *domains) {
	s.lamps = &pbx.Lamps{Onlookers: &onlookers{domains: ds, registrar: s.registrar}, Events: s.events}
	s.conferences.Busy = func(account sip.URI) bool { return s.lamps.Calls(account.AOR()) > 0 }
	s.events.Packages = append(s.events.Packages, s.lamps.Packages()...)
}

// onlookers says who may look at which lamp.
type onlookers struct {
	domains   *domains
	registrar *registrar.Registrar
}

// Lamp implements [pbx.Onlookers]. The lamps of a domain are for its own people.
func (o *onlookers) Lamp(ev *sip.Event) (string, error) {
	d := o.domains.of(ev.Request.URI)
	if d == nil || ev.User == "" && !ev.Trusted || o.domains.sender(ev.Request) != d {
		return "", sip.StatusForbidden
	}
	if account, ok := o.registrar.Resolve(ev.Request.URI); ok {
		return account.AOR(), nil
	}
	if name, ok := o.Shared(ev.Request.URI); ok {
		return name, nil
	}
	return "", sip.StatusNotFound
}

// Sees implements [pbx.Onlookers].
func (o *onlookers) Sees(watcher, name string) bool {
	return watcher == name
}

// Online implements [pbx.Onlookers].
func (o *onlookers) Online(name string) bool {
	uri, err := sip.ParseURI(name)
	return err == nil && len(o.registrar.Lookup(uri)) > 0
}

// Shared implements [pbx.Onlookers].
func (o *onlookers) Shared(sip.URI) (string, bool) { return "", false }
