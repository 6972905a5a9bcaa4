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

// prove signs who calls. A call that came in proven keeps that proof, and is said to have been for a number of ours: RFC 8946 §4.1. Where the caller is shown as another, or its proof is none, we speak
// for the call ourselves.
func (l *line) prove(c Call, w Way) ([]Header, error) {
	draft := func(identities []string) *sip.Request {
		req := sip.NewRequest(sip.MethodInvite, w.To.URI)
		req.Set(sip.HeaderFrom, w.From.String())
		req.Set(sip.HeaderTo, w.To.String())
		for _, h := range w.Headers {
			req.Add(h.Name, h.Value)
		}
		for _, value := range identities {
			req.Add(sip.HeaderIdentity, value)
		}
		return req
	}
	owned := func(p passport.Party) bool { return p.Number != "" && l.set.Numbering.Owns("+"+p.Number) }
	if len(c.Identity) > 0 {
		if req := draft(c.Identity); l.set.Signer.Divert(req, owned) == nil {
			return proof(w.Headers, req), nil
		}
	}
	req := draft(nil)
	if err := l.set.Signer.Attest(req, l.set.level(c.Caller), l.instance[len(`"<urn:uuid:`):len(l.instance)-len(`>"`)]); err != nil {
		return w.Headers, err
	}
	return proof(w.Headers, req), nil
}

// proof adds what proves the caller of req to the headers.
func proof(headers []Header, req *sip.Request) []Header {
	headers = append(headers, Header{sip.HeaderDate, req.Get(sip.HeaderDate)})
	for value := range req.Values(sip.HeaderIdentity) {
		headers = append(headers, Header{sip.HeaderIdentity, value})
	}
	return headers
}

// level is how well a caller is known. RFC 8588 §4: A for a caller of ours with a number of ours, B for one with another's, C for whoever has only passed through.
func (s *Settings) level(c Caller) passport.Attestation {
	switch {
	case c.Proven && s.Numbering.Owns(s.shownNumber(c)):
		return passport.Full
	case c.Proven:
		return passport.Partial
	}
	return passport.Gateway
}
