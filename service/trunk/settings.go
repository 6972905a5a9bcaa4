// What a trunk is told to be.

package trunk

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/passport"
)

// Default values of [Settings].
const (
	defaultExpires  = 10 * time.Minute
	defaultInterval = time.Minute
	maxServers      = 8
)

// Settings are those of one trunk. They are not changed after they were given to a [Group].
type Settings struct {
	Domain   string // of ours, to which it belongs
	Name     string // unique in the domain
	Disabled bool
	Register bool      // it registers at the provider; otherwise both know each other by address
	Servers  []sip.URI // of the provider, tried in order; each may stand for several (RFC 3263)
	Proxy    sip.URI   // where requests go instead; zero: to the server
	Login    Login
	Expires  time.Duration // asked for; 0: 10 minutes
	// Sources are where calls may come from beside the addresses of Servers and Proxy.
	Sources []netip.Prefix

	Numbering Numbering
	Shown     Shown

	Kind     session.Kind // how the sound goes
	Digits   session.Digits
	Music    *session.Music // what the other side hears on hold; nil: that of the site
	Codecs   []string       // only these; empty: whatever there is
	MaxCalls int            // both ways together; 0: no limit
	Priority int            // the lowest is asked first
	Weight   int            // of a call among trunks of one priority; 0 counts as 1
	Interval time.Duration  // between questions after its health; 0: a minute, negative: never

	Signer *passport.Signer // signs who calls; nil: nobody does
	Verify Verify
}

// Login is how a provider knows us.
type Login struct {
	User     string // of our address-of-record
	Name     string // in digests; "": User
	Password string
	Realm    string // of the provider's challenges; "": that in which it challenges a REGISTER, or its host
	Domain   string // of From and of numbers; "": the host of the server
}

// Verify says what is done about the signature of a call that comes in.
type Verify uint8

// What may be done. RFC 8224 §6.2.
const (
	VerifyNot     Verify = iota
	VerifyTell           // the telephone is told what was found
	VerifyRequire        // and who is not proven is refused
)

// Check says what is wrong with the settings, in one sentence with the cure.
func (s *Settings) Check() error {
	switch {
	case s.Name == "":
		return errors.New("name: is missing; give the trunk one")
	case len(s.Servers) == 0:
		return errors.New("server: is missing; name the host of the provider")
	case len(s.Servers) > maxServers:
		return fmt.Errorf("server: %d are too many; name at most %d", len(s.Servers), maxServers)
	case s.Register && s.Login.User == "":
		return errors.New("user: is missing; a trunk that registers needs one")
	}
	return nil
}

// domain is what stands behind the @ of our address and of numbers.
func (s *Settings) domain() string {
	if s.Login.Domain != "" {
		return s.Login.Domain
	}
	return s.Servers[0].Host
}

// hops are the URIs by which requests are sent, in the order to try.
func (s *Settings) hops() []sip.URI {
	if s.Proxy.Host != "" {
		return []sip.URI{s.Proxy}
	}
	return s.Servers
}

// sameRecord reports whether both are registered as the same, at the same servers.
func (s *Settings) sameRecord(o *Settings) bool {
	return s.Register && o.Register && s.Login.User == o.Login.User && s.domain() == o.domain() && slices.Equal(s.hops(), o.hops())
}

// expires is how long a registration is asked to last.
func (s *Settings) expires() time.Duration { return or(s.Expires, defaultExpires) }

// or returns v, or the default if v is zero.
func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
