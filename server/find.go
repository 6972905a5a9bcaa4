// Where people are, as the proxy asks: domains, accounts and bindings. RFC 3261 §16.5.

package server

import (
	"net/netip"
	"strings"

	"github.com/sipwerk/sipwerk/service/proxy"
	"github.com/sipwerk/sipwerk/service/registrar"
	"github.com/sipwerk/sipwerk/sip"
)

// finder finds the devices of the first domain.
type finder struct {
	domains   *domains
	registrar *registrar.Registrar
	addresses proxy.Addresses
}

// openFinder lets the proxy, if there is one, find who is called.
func (s *Server) openFinder(ds *domains) {
	if s.proxy == nil {
		return
	}
	s.proxy.Addresses = s.stack.Transport()
	f := &finder{domains: ds, registrar: s.registrar, addresses: s.proxy.Addresses}
	s.proxy.Locator, s.proxy.FlowFailed, s.proxy.Unknown, s.reception.finder = f, f.flowFailed, s.reception.house, f
}

// isHouse reports whether a URI is a number of the first domain that is no account's, and so the server's own if anything's.
func (f *finder) isHouse(uri sip.URI) bool {
	if !f.Serves(uri) || uri.User == "" {
		return false
	}
	_, known := f.registrar.Resolve(uri)
	return !known
}

// Serves implements [proxy.Locator]. An address is ours at the ports of our listeners only: others may be behind its other ports.
func (f *finder) Serves(uri sip.URI) bool {
	d := f.domains.of(uri)
	if d == nil || d.name != f.domains.first {
		return false
	}
	return uri.Port == 0 || !isAddress(uri.Host) || f.addresses.Local(uri.Host, uri.Port)
}

// isAddress reports whether the host of a URI is an address. A name is told by its last letter.
func isAddress(host string) bool {
	if host == "" || host[0] == '[' {
		return true
	}
	if c := host[len(host)-1]; c < '0' || c > '9' {
		return false
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// Locate implements [proxy.Locator].
func (f *finder) Locate(found *proxy.Found, uri sip.URI) sip.Status {
	res, ok := found.Room.(*registrar.Result)
	if !ok {
		res = new(registrar.Result)
		found.Room = res
	}
	if !f.registrar.Locate(res, uri) {
		return sip.StatusNotFound
	}
	for i := range res.Bindings {
		b := &res.Bindings[i]
		target, err := b.Target()
		if err != nil {
			continue // the registrar takes no such contact
		}
		found.Targets = append(found.Targets, proxy.Target{URI: target, Path: b.Path, To: b.Destination(), Q: b.Q,
			Spare: i > 0 && b.SameDevice(&res.Bindings[i-1]), Key: f.registrar.Key(b)})
	}
	if len(found.Targets) == 0 {
		return sip.StatusTemporarilyUnavailable
	}
	return 0
}

// flowFailed forgets the binding of a user that cannot be reached.
func (f *finder) flowFailed(uri sip.URI, key uint64) {
	if aor, known := f.registrar.Resolve(uri); known {
		f.registrar.FlowFailed(aor, key)
	}
}

// identity names the senders of requests for the proxy.
type identity struct{ domains *domains }

// Identify implements [proxy.Identity].
func (i identity) Identify(ev *sip.Event) sip.Address { return i.domains.Identify(ev).Address }

// realm reports whether credentials of a realm are for us.
func (ds *domains) realm(realm string) bool {
	if known := ds.known.Load(); known != nil {
		for _, d := range *known {
			if d.realm == realm {
				return true
			}
		}
	}
	return false
}
