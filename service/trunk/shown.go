// Which number the one who is called sees, and in which header the provider is told. RFC 3323 §4.1, RFC 3325 §6, §9.

package trunk

import (
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/passport"
)

// CallerID is whose number is shown.
type CallerID uint8

// The rules.
const (
	ShowNumber    CallerID = iota // the caller's if it is one of the trunk's own, otherwise the default
	ShowDefault                   // the default, whoever calls
	ShowAnonymous                 // nobody's; the provider is told which it is
	ShowAsIs                      // the caller's, be it foreign: of somebody whose call is sent on, where the provider allows that
)

// Asserted is the header in which the provider is told who calls.
type Asserted uint8

// The headers.
const (
	AssertPAI  Asserted = iota // P-Asserted-Identity: we are in its trust domain
	AssertPPI                  // P-Preferred-Identity: it asserts itself
	AssertRPID                 // Remote-Party-ID, of providers that know no better
	AssertNone
)

// Shown are the rules about callers.
type Shown struct {
	Rule     CallerID
	Default  string // E.164; "": the first of the trunk's own numbers
	ByUser   bool   // From holds the user of the login, and the number is in the header alone
	Asserted Asserted
}

// Caller is who calls out.
type Caller struct {
	Account string // of ours; "": somebody else's. Whoever routes the call looks its number up where it has none
	Number  string // E.164; "": none is known
	Name    string // shown beside it
	Hidden  bool   // wants not to be shown
	Proven  bool   // is an account of ours
}

// Header is one more header of an INVITE.
type Header struct {
	Name  sip.Header
	Value string
}

// number is what is shown of a caller.
func (s *Settings) shownNumber(c Caller) string {
	own := &s.Numbering
	fallback := s.Shown.Default
	if fallback == "" && len(own.Own) > 0 {
		fallback = own.Own[0].First
	}
	switch {
	case s.Shown.Rule == ShowDefault, c.Number == "":
		return fallback
	case s.Shown.Rule == ShowNumber && len(own.Own) > 0 && !own.Owns(c.Number):
		return fallback
	}
	return c.Number
}

// address is a number at the provider.
func (s *Settings) address(number string) sip.URI {
	uri := sip.URI{Scheme: "sip", User: sip.EscapeUser(s.Numbering.Outgoing(number)), Host: s.domain()}
	if sip.IsGlobalNumber(number) {
		uri.Params = uri.Params.With("user", "phone")
	}
	return uri
}

// present writes From and what goes with it.
func (s *Settings) present(c Caller) (from sip.Address, headers []Header) {
	number := s.shownNumber(c)
	who := sip.Address{URI: s.address(number)}
	if number == "" {
		who.URI = sip.URI{Scheme: "sip", User: sip.EscapeUser(s.Login.User), Host: s.domain()}
	}
	known := who.URI.User != ""
	if c.Name != "" {
		who.Display = sip.Quote(c.Name)
	}
	if known {
		switch asserted := (sip.Address{URI: who.URI}).String(); s.Shown.Asserted {
		case AssertPAI:
			headers = append(headers, Header{sip.HeaderPAssertedIdentity, asserted})
		case AssertPPI:
			headers = append(headers, Header{sip.HeaderPPreferredIdentity, asserted})
		case AssertRPID:
			privacy := "off"
			if c.Hidden || s.Shown.Rule == ShowAnonymous {
				privacy = "full"
			}
			headers = append(headers, Header{sip.HeaderRemotePartyID, asserted + ";party=calling;screen=yes;privacy=" + privacy})
		}
	}
	if s.Shown.ByUser && s.Login.User != "" {
		who.URI.User, who.URI.Params = sip.EscapeUser(s.Login.User), ""
	}
	if hidden := c.Hidden || s.Shown.Rule == ShowAnonymous; hidden || !known {
		who = sip.Address{Display: `"Anonymous"`, URI: sip.URI{Scheme: "sip", User: "anonymous", Host: "anonymous.invalid"}}
		if hidden {
			headers = append(headers, Header{sip.HeaderPrivacy, "id"}) // RFC 3325 §9.3
		}
	}
	return who, headers
}

// attest signs who calls. RFC 8588 §4: A for a caller of ours with a number of ours, B for one with another's, C for whoever has only passed through.
func (l *line) attest(c Caller, from, to sip.Address, headers []Header) ([]Header, error) {
	level := passport.Gateway
	switch {
	case c.Proven && l.set.Numbering.Owns(l.set.shownNumber(c)):
		level = passport.Full
	case c.Proven:
		level = passport.Partial
	}
	req := sip.NewRequest(sip.MethodInvite, to.URI)
	req.Set(sip.HeaderFrom, from.String())
	req.Set(sip.HeaderTo, to.String())
	for _, h := range headers {
		req.Add(h.Name, h.Value)
	}
	if err := l.set.Signer.Attest(req, level, l.instance[len(`"<urn:uuid:`):len(l.instance)-len(`>"`)]); err != nil {
		return headers, err
	}
	return append(headers, Header{sip.HeaderDate, req.Get(sip.HeaderDate)}, Header{sip.HeaderIdentity, req.Get(sip.HeaderIdentity)}), nil
}
