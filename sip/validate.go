// What every element checks before it does anything with a message. RFC 3261 §8.1.1, §8.2, §16.3.

package sip

import (
	"fmt"
	"net/netip"
)

// Validate checks what RFC 3261 §8.1.1 and §16.3 make mandatory (To, From, CSeq, Call-ID, Max-Forwards range, Via, Contact; single
// fields occurring once; CSeq method equal to the method; schemes). The error wraps the [Status] to answer with: 400, 416, 501, 505 …
// A missing Max-Forwards, From tag or branch is tolerated (RFC 4475 §3.4.1).
func (r *Request) Validate() error {
	if err := r.checkFields(); err != nil {
		return err
	}
	if _, err := r.checkVias(); err != nil {
		return err
	}
	seq, err := r.CSeq()
	if err != nil {
		return err
	}
	if seq.Method != r.Method {
		if !r.Method.Known() {
			return refuse(StatusNotImplemented, "unknown method, and CSeq names another")
		}
		return refuse(StatusBadRequest, "CSeq names another method")
	}
	if r.Has(HeaderMaxForwards) {
		s := r.Get(HeaderMaxForwards)
		if n, digits, ok := number(s); !ok || digits < len(s) || n > 255 {
			return refuse(StatusBadRequest, "Max-Forwards is not a number up to 255")
		}
	}
	if err := r.checkContacts(); err != nil {
		return err
	}
	if !r.URI.IsSIP() && r.URI.Scheme != "tel" {
		return refuse(StatusUnsupportedURIScheme, "scheme of the Request-URI")
	}
	return nil
}

// Validate checks what a response must hold to be matched and forwarded. A response with an error must be dropped.
func (r *Response) Validate() error {
	if err := r.checkFields(); err != nil {
		return err
	}
	next, err := r.checkVias()
	if err != nil {
		return err
	}
	if _, err := r.CSeq(); err != nil {
		return err
	}
	// RFC 4475 §3.3.10: it would be forwarded to everybody.
	if next.IsMulticast() || next == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return refuse(StatusBadRequest, "next Via is no unicast address")
	}
	return nil
}

func refuse(s Status, why string) error { return fmt.Errorf("sip: validate: %s: %w", why, s) }

// checkFields checks what requests and responses have in common.
func (m *Message) checkFields() error {
	var seen [headerCount]bool
	for i := range m.fields {
		h := m.fields[i].header
		if seen[h] && names[h].occurs == single && h != HeaderOther {
			return refuse(StatusBadRequest, "more than one "+h.String())
		}
		seen[h] = true
	}
	for _, h := range [...]Header{HeaderVia, HeaderFrom, HeaderTo, HeaderCallID, HeaderCSeq} {
		if !seen[h] {
			return refuse(StatusBadRequest, "no "+h.String())
		}
	}
	if !validCallID(m.CallID()) {
		return refuse(StatusBadRequest, "malformed Call-ID")
	}
	return m.checkParties()
}

// checkParties checks From and To and remembers their tags.
func (m *Message) checkParties() error {
	if m.known&knownTags != 0 {
		return nil
	}
	from, err := m.From()
	if err != nil {
		return fmt.Errorf("sip: validate From: %w", err)
	}
	to, err := m.To()
	if err != nil {
		return fmt.Errorf("sip: validate To: %w", err)
	}
	m.fromTag, m.toTag = from.Tag(), to.Tag()
	m.known |= knownTags
	return nil
}

// checkVias checks every Via: they are sent on, or back. It returns the address in the second, where a response goes next, if that names one.
func (m *Message) checkVias() (next netip.Addr, err error) {
	n := 0
	for i := m.find(HeaderVia, 0); i >= 0; i = m.find(HeaderVia, i+1) {
		rest := m.valueOf(&m.fields[i])
		for more := true; more; {
			var first string
			first, rest, more = member(rest)
			if n++; n == 1 && m.known&knownVia != 0 {
				continue
			}
			v, err := ParseVia(first)
			if err != nil {
				return netip.Addr{}, err
			}
			if n == 2 {
				next = v.Addr()
			}
		}
	}
	return next, nil
}

// validCallID checks word ["@" word]; a "," or ";" is tolerated.
func validCallID(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; classes[c]&classWord == 0 && c != '@' && c != ',' && c != ';' && c != '=' {
			return false
		}
	}
	return s != ""
}

// checkContacts parses every Contact; "*" stands alone.
func (r *Request) checkContacts() error {
	if r.Get(HeaderContact) == "*" {
		return nil
	}
	for _, err := range r.Addresses(HeaderContact) {
		if err != nil {
			return fmt.Errorf("sip: validate Contact: %w", err)
		}
	}
	return nil
}

// Unsupported returns the option tags in h (Require, or Proxy-Require) that are not among supported: what the Unsupported of a 420 lists
// (RFC 3261 §8.2.2.3, §16.3 step 5). CANCEL and ACK carry none that count.
func (r *Request) Unsupported(h Header, supported ...string) []string {
	if r.Method == MethodCancel || r.Method == MethodAck {
		return nil
	}
	var missing []string
	for tag := range r.Values(h) {
		if !containsFold(supported, tag) {
			missing = append(missing, tag)
		}
	}
	return missing
}

func containsFold(all []string, s string) bool {
	for _, t := range all {
		if sameFold(t, s) {
			return true
		}
	}
	return false
}
