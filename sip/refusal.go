// The answer to a request that is malformed: what can be read is copied, nothing goes out as broken as it came. RFC 3261 §8.2.6; RFC 4475 §3.1.2.

package sip

import "strings"

// RefuseTo makes r the answer to a request that failed the checks. It is [Response.ReplyTo] for text that cannot be trusted: what is malformed is left out,
// a From or To whose URI can be found goes without its display name, and of fields that must stand alone only the first is copied.
func (r *Response) RefuseTo(req *Request, s Status) {
	r.Status, r.Reason = s, ""
	r.reset(nil)
	for v := range req.members(HeaderVia) {
		if via, err := ParseVia(v); err == nil {
			r.copyField(HeaderVia, via.String())
		}
	}
	for _, h := range [...]Header{HeaderFrom, HeaderTo} {
		if a, ok := mendAddress(req.Get(h)); ok {
			r.copyField(h, a.String())
		}
	}
	if id := req.CallID(); validCallID(id) {
		r.copyField(HeaderCallID, id)
	}
	if seq, err := req.CSeq(); err == nil {
		r.copyField(HeaderCSeq, seq.String())
	}
}

func (r *Response) copyField(h Header, value string) {
	r.fields = append(r.fields, r.write(h, h.String(), value))
}

// mendAddress reads a From or To as far as it can be read: all of it, or the URI in its last angle brackets and the tag.
func mendAddress(s string) (a Address, ok bool) {
	if err := a.parse(s); err == nil {
		return a, true
	}
	open := strings.LastIndexByte(s, '<')
	end := strings.LastIndexByte(s, '>')
	if open < 0 || end < open {
		return Address{}, false
	}
	uri, err := ParseURI(trim(s[open+1 : end]))
	if err != nil {
		return Address{}, false
	}
	return Address{URI: uri, Params: mendParams(s[end+1:])}, true
}

// MendVia reads a Via that [ParseVia] refuses as far as an answer needs it: sent-by, and the parameters that are legal. ok is false if not even sent-by can be read.
func MendVia(s string) (v Via, ok bool) {
	s, _, _ = member(s)
	head, params, _ := strings.Cut(s, ";")
	v, err := ParseVia(head)
	if err != nil {
		name, rest, _ := strings.Cut(head, "/")
		_, rest, _ = strings.Cut(rest, "/") // whatever version of SIP that is
		if !sameFold(trim(name), "SIP") {
			return Via{}, false
		}
		if v, err = ParseVia("SIP/2.0/" + trim(rest)); err != nil {
			return Via{}, false
		}
	}
	v.Params = mendParams(params)
	return v, true
}

// mendParams returns the legal ones among parameters.
func mendParams(s string) Params {
	var b []byte
	n := 0
	for one := range strings.SplitSeq(s, ";") {
		p := Params(";" + trim(one))
		if _, why := p.check(); why != "" || n == maxParams {
			continue
		}
		b = append(b, p...)
		n++
	}
	return Params(b)
}
