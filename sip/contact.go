// What a Contact says beyond its URI: preference, expiry, instance and flow, GRUUs. RFC 3261 §20.10; RFC 5626 §4.1, §4.2; RFC 5627 §3, §4.

package sip

import "time"

// Q returns the preference in thousandths, 1000 if none is given; ok is false for a malformed one.
func (a Address) Q() (q uint16, ok bool) { return quality(a.Params) }

// Expires returns the expires parameter; ok is false if it is absent or malformed. What exceeds 32 bits is as large as they hold.
func (a Address) Expires() (d time.Duration, ok bool) { return a.Params.seconds("expires") }

// Instance returns the URN of +sip.instance without quotes and brackets, "" if absent.
func (a Address) Instance() string {
	s := a.Params.Get("+sip.instance")
	if len(s) > 2 && s[0] == '<' && s[len(s)-1] == '>' {
		return s[1 : len(s)-1]
	}
	return s
}

// RegID returns the reg-id of an outbound registration; ok is false if it is absent or out of range, or there is no instance, without which it means nothing (RFC 5626 §6).
func (a Address) RegID() (n uint32, ok bool) {
	s := a.Params.Get("reg-id")
	n, digits, ok := number(s)
	if !ok || digits < len(s) || n == 0 || n >= 1<<31 || a.Instance() == "" {
		return 0, false
	}
	return n, true
}

// PublicGRUU returns the pub-gruu parameter that a registrar gave to this contact; ok is false if it gave none.
func (a Address) PublicGRUU() (u URI, ok bool) { return a.gruu("pub-gruu") }

// TemporaryGRUU returns the temp-gruu parameter; ok is false if there is none.
func (a Address) TemporaryGRUU() (u URI, ok bool) { return a.gruu("temp-gruu") }

func (a Address) gruu(name string) (URI, bool) {
	u, err := ParseURI(a.Params.Get(name))
	return u, err == nil
}

// Outbound reports whether the URI asks for or goes over a flow: the ob parameter.
func (u URI) Outbound() bool { _, ok := u.Param("ob"); return ok }

// GRUU returns the gr parameter, and whether the URI is a GRUU.
func (u URI) GRUU() (instance string, ok bool) { return u.Param("gr") }
