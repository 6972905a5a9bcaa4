// From the object of a trunk to what the service is told.

package carrier

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/passport"
)

// settings are those of one trunk. The error names the field.
func (t *Trunks) settings(set *object.Settings, o *object.Trunk) (trunk.Settings, error) {
	s := trunk.Settings{
		Domain: set.Domain, Name: o.Name, Disabled: !o.Enabled, Register: o.Kind == object.TrunkRegister, Expires: o.Expires.D(),
		Login:  trunk.Login{User: o.User, Name: o.AuthUser, Realm: o.Realm, Domain: o.FromDomain},
		Codecs: o.Codecs, MaxCalls: o.MaxCalls, Priority: o.Priority, Weight: o.Weight, Interval: o.OptionsInterval.D(),
		Shown:     trunk.Shown{Rule: callerIDs[o.OutboundCallerID], Default: o.DefaultCallerID, ByUser: o.From == "user", Asserted: asserted[o.Identity]},
		Numbering: trunk.Numbering{Format: formats[o.NumberFormat], Country: o.Country, Area: cmp.Or(o.AreaCode, set.DialPlan().AreaCode), Strip: o.Strip, Prefix: o.Prefix},
		Verify:    verifies[o.Verify],
	}
	if t.Music != nil {
		s.Music = t.Music(cmp.Or(o.Music, set.DialPlan().Music))
	}
	if s.Disabled {
		return s, nil
	}
	for _, step := range []struct {
		field string
		read  func(*trunk.Settings, *object.Trunk) error
	}{{"server", readServers}, {"addresses", readSources}, {"numbers", readNumbers}, {"media", readKind}, {"stir-certificate", readSigner}, {"secret", t.readSecret}} {
		if err := step.read(&s, o); err != nil {
			return s, errorAt(step.field, err)
		}
	}
	return s, s.Check()
}

// The words of the object and what they mean to the service.
var (
	callerIDs = map[string]trunk.CallerID{"number": trunk.ShowNumber, "default": trunk.ShowDefault, "anonymous": trunk.ShowAnonymous, "as-is": trunk.ShowAsIs}
	asserted  = map[string]trunk.Asserted{"pai": trunk.AssertPAI, "ppi": trunk.AssertPPI, "rpid": trunk.AssertRPID, "none": trunk.AssertNone}
	formats   = map[string]trunk.Format{"e164": trunk.FormatE164, "00": trunk.FormatExit, "national": trunk.FormatNational, "plain": trunk.FormatPlain}
	verifies  = map[string]trunk.Verify{"": trunk.VerifyNot, "accept": trunk.VerifyTell, "require": trunk.VerifyRequire}
)

// errorAt says which field is wrong.
func errorAt(field string, err error) error { return fmt.Errorf("%s: %w", field, err) }

// readServers makes URIs of the hosts.
func readServers(s *trunk.Settings, o *object.Trunk) (err error) {
	for _, host := range o.Server {
		uri, err := serverURI(host, o.Transport)
		if err != nil {
			return err
		}
		s.Servers = append(s.Servers, uri)
	}
	if o.Proxy != "" {
		s.Proxy, err = serverURI(o.Proxy, o.Transport)
	}
	return err
}

// serverURI reads HOST or HOST:PORT.
func serverURI(host, transport string) (sip.URI, error) {
	uri := sip.URI{Scheme: "sip", Host: host}
	if name, port, err := net.SplitHostPort(host); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return uri, fmt.Errorf("%q has no port between 1 and 65535; write HOST:PORT", host)
		}
		uri.Host, uri.Port = name, uint16(n)
	}
	if a, err := netip.ParseAddr(strings.Trim(uri.Host, "[]")); err == nil && a.Is6() {
		uri.Host = "[" + a.String() + "]"
	}
	if transport != "" {
		uri.Params = uri.Params.With("transport", transport)
	}
	return uri, nil
}

// readSources reads addresses and prefixes of them.
func readSources(s *trunk.Settings, o *object.Trunk) error {
	for _, text := range o.Addresses {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil {
				return err
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		s.Sources = append(s.Sources, p.Masked())
	}
	return nil
}

// readNumbers reads the trunk's own numbers, and the rules about all.
func readNumbers(s *trunk.Settings, o *object.Trunk) error {
	for _, text := range o.Numbers {
		first, last, block := strings.Cut(text, "-")
		if !block {
			last = first
		}
		s.Numbering.Own = append(s.Numbering.Own, trunk.Range{First: first, Last: last})
	}
	for _, rules := range []struct {
		to   *[]trunk.Rule
		from []string
	}{{&s.Numbering.Out, o.NumberRules}, {&s.Numbering.In, o.InboundRules}} {
		for _, text := range rules.from {
			r, err := trunk.ParseRule(text)
			if err != nil {
				return err
			}
			*rules.to = append(*rules.to, r)
		}
	}
	return nil
}

func readKind(s *trunk.Settings, o *object.Trunk) (err error) {
	if s.Digits, err = session.ParseDigits(cmp.Or(o.Digits, session.DigitsAuto.String())); err != nil {
		return err
	}
	s.Kind, err = session.ParseKind(cmp.Or(o.Media, session.Plain.String()))
	return err
}

// readSigner reads the certificate by which calls are signed.
func readSigner(s *trunk.Settings, o *object.Trunk) error {
	if o.STIRCertificate == "" {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(o.STIRCertificate, o.STIRKey)
	if err != nil {
		return err
	}
	s.Signer, err = passport.NewSigner(pair, o.STIRURL)
	return err
}

func (t *Trunks) readSecret(s *trunk.Settings, o *object.Trunk) (err error) {
	if o.Secret != "" {
		s.Login.Password, err = t.Directory.Reveal(o.Secret)
	}
	return err
}
