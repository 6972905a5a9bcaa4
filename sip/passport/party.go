// Who calls and who is called, in the one form in which they are signed. RFC 8224 §8.

package passport

import (
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Party is a telephone number or a URI, in canonical form; one of the two is set.
type Party struct {
	Number string // digits, "*" and "#", without "+"
	URI    string // "sip:alice@example.org"
}

func (p Party) one() bool { return (p.Number == "") != (p.URI == "") }

func (p Party) claim() *party { return &party{p.Number, p.URI} }

// PartyOf returns who a URI names. A sip URI is a number if its user part is nothing else and it says so (a "+", or user=phone). RFC 8224 §8.1, §8.3, §8.5.
func PartyOf(uri sip.URI) Party {
	if number, ok := telephone(uri); ok {
		return Party{Number: number}
	}
	uri.Host, uri.Params, uri.Headers = strings.ToLower(uri.Host), "", ""
	return Party{URI: uri.String()}
}

// telephone returns the digits of a URI that is a telephone number.
func telephone(uri sip.URI) (string, bool) {
	if number, ok := uri.GlobalNumber(); ok {
		return number[1:], true
	}
	if uri.Scheme != "tel" && !strings.EqualFold(uri.Params.Get("user"), "phone") {
		return "", false
	}
	number := strings.Map(func(r rune) rune {
		switch r {
		case '-', '.', '(', ')', ' ', '+':
			return -1
		}
		return r
	}, uri.UserName())
	if number == "" || strings.Trim(number, "0123456789*#") != "" {
		return "", false
	}
	return number, true
}

// caller is whose call a request is: the asserted identity that is a number, or From. RFC 8224 §4.1, §6.2.
func caller(req *sip.Request) (Party, error) {
	for a, err := range req.Addresses(sip.HeaderPAssertedIdentity) {
		if err != nil {
			break
		}
		if number, ok := telephone(a.URI); ok {
			return Party{Number: strings.Clone(number)}, nil
		}
	}
	from, err := req.From()
	if err != nil {
		return Party{}, err
	}
	return PartyOf(from.URI), nil
}

// callee is whom a request is for by its To.
func callee(req *sip.Request) (Party, error) {
	to, err := req.To()
	if err != nil {
		return Party{}, err
	}
	return PartyOf(to.URI), nil
}

// names reports whether p is among the parties.
func names(all []Party, p Party) bool { return slices.Contains(all, p) }
