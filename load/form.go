// The messages of the calling side: each is printed once by package sip with marks where operations differ, and sent with the marks filled in.

package load

import (
	"bytes"
	_ "embed"
	"slices"

	"github.com/sipwerk/sipwerk/sip"
)

// offer is the description that both sides of a call send. Its sound never comes.
//
//go:embed offer.sdp
var offer []byte

// text is what a MESSAGE says.
const text = "The quick brown fox jumps over the lazy dog, 0123456789."

const (
	userAgent = "sipwerk-bench"
	allowed   = "INVITE, ACK, CANCEL, OPTIONS, BYE, MESSAGE, NOTIFY, REFER"
)

// field is a place in a message that differs from one operation to the next.
type field uint8

const (
	fieldLocal       field = iota // host and port of our end
	fieldBranch                   // of the Via
	fieldUser                     // who calls
	fieldCallee                   // who is called
	fieldCallID                   // Call-ID
	fieldFromTag                  // our tag
	fieldToTag                    // that of the other side
	fieldCSeq                     // the number
	fieldTarget                   // the remote target, a URI
	fieldRoute                    // the route set
	fieldCredentials              // the answer to a challenge
	fields
)

// mark stands for a field until the message is filled in. It may stand in any place of a message; that of the target is a URI.
func (f field) mark() string {
	m := "q" + string(rune('a'+f)) + "zzmarkzzq"
	if f == fieldTarget {
		return "sip:" + m
	}
	return m
}

// values are the fields of one message.
type values [fields][]byte

// kind is one of the messages.
type kind uint8

const (
	kindRegister kind = iota
	kindRemove        // REGISTER that removes every binding
	kindOptions
	kindMessage
	kindInvite
	kindAck     // to a 2xx
	kindConcede // the ACK to any other final answer
	kindBye
	kinds
)

// method is the method of the kind.
func (k kind) method() sip.Method {
	switch k {
	case kindRegister, kindRemove:
		return sip.MethodRegister
	case kindOptions:
		return sip.MethodOptions
	case kindMessage:
		return sip.MethodMessage
	case kindInvite:
		return sip.MethodInvite
	case kindBye:
		return sip.MethodBye
	}
	return sip.MethodAck
}

// variant says what a message has beside the usual fields.
type variant uint8

const (
	routed      variant = 1 << iota // a Route
	proven                          // an Authorization
	provenProxy                     // a Proxy-Authorization
	variants    = 1 << 3
)

// forms are the messages of one transport and domain.
type forms [kinds][variants]form

// form is a printed message with its marks.
type form struct {
	text  []byte
	marks []mark
}

// mark is a place in a form.
type mark struct {
	start, end int
	field      field
}

func newForms(transport sip.Transport, domain string) *forms {
	fs := new(forms)
	for k := range kinds {
		for v := range variant(variants) {
			fs[k][v] = newForm(compose(k, v, transport, domain))
		}
	}
	return fs
}

// newForm prints req and looks for the marks.
func newForm(req *sip.Request) form {
	f := form{text: req.AppendTo(nil)}
	for x := range fields {
		m := []byte(x.mark())
		for at := 0; ; {
			i := bytes.Index(f.text[at:], m)
			if i < 0 {
				break
			}
			f.marks = append(f.marks, mark{at + i, at + i + len(m), x})
			at += i + len(m)
		}
	}
	slices.SortFunc(f.marks, func(a, b mark) int { return a.start - b.start })
	return f
}

// fill appends the message with its fields.
func (f *form) fill(b []byte, v *values) []byte {
	at := 0
	for _, m := range f.marks {
		b = append(b, f.text[at:m.start]...)
		b = append(b, v[m.field]...)
		at = m.end
	}
	return append(b, f.text[at:]...)
}

// compose builds a message whose differing parts are marks.
func compose(k kind, v variant, transport sip.Transport, domain string) *sip.Request {
	home := sip.URI{Scheme: "sip", Host: domain}
	user, callee := home, home
	user.User, callee.User = fieldUser.mark(), fieldCallee.mark()
	req := sip.NewRequest(k.method(), callee)
	req.PrependVia(sip.Via{Transport: transport.String(), Host: fieldLocal.mark(), Params: sip.Params(";rport;branch=" + fieldBranch.mark())})
	if v&routed != 0 {
		req.Add(sip.HeaderRoute, fieldRoute.mark())
	}
	req.Add(sip.HeaderMaxForwards, "70")
	from := sip.Address{URI: user}
	to := sip.Address{URI: callee}
	switch k {
	case kindRegister, kindRemove:
		req.URI, to.URI = home, user
	case kindOptions:
		req.URI, to.URI = home, home
	case kindAck, kindBye:
		req.URI = sip.MustParseURI(fieldTarget.mark())
	}
	if k >= kindAck {
		to = to.WithTag(fieldToTag.mark())
	}
	req.Add(sip.HeaderFrom, from.WithTag(fieldFromTag.mark()).String())
	req.Add(sip.HeaderTo, to.String())
	req.Add(sip.HeaderCallID, fieldCallID.mark())
	req.Add(sip.HeaderCSeq, fieldCSeq.mark()+" "+string(k.method()))
	switch {
	case v&proven != 0:
		req.Add(sip.HeaderAuthorization, fieldCredentials.mark())
	case v&provenProxy != 0:
		req.Add(sip.HeaderProxyAuthorization, fieldCredentials.mark())
	}
	dress(req, k, transport)
	return req
}

// dress adds what a telephone says beside.
func dress(req *sip.Request, k kind, transport sip.Transport) {
	if k == kindRegister || k == kindOptions || k == kindInvite {
		req.Add(sip.HeaderContact, sip.Address{URI: contact(fieldUser.mark(), fieldLocal.mark(), transport)}.String())
	}
	switch k {
	case kindRegister:
		req.Add(sip.HeaderExpires, "3600")
	case kindRemove: // RFC 3261 §10.2.2
		req.Add(sip.HeaderContact, "*")
		req.Add(sip.HeaderExpires, "0")
	}
	req.Add(sip.HeaderUserAgent, userAgent)
	if k < kindAck {
		req.Add(sip.HeaderAllow, allowed)
		req.Add(sip.HeaderSupported, "replaces")
	}
	switch k {
	case kindOptions:
		req.Add(sip.HeaderAccept, "application/sdp")
	case kindMessage:
		req.SetBody("text/plain", []byte(text))
	case kindInvite:
		req.SetBody("application/sdp", offer)
	}
}

// contact is where a user is reached: over the connection that its requests come from.
func contact(user, local string, transport sip.Transport) sip.URI {
	u := sip.URI{Scheme: "sip", User: user, Host: local}
	if transport != sip.UDP {
		u.Params = sip.Params(";transport=" + transport.Param())
	}
	return u
}
