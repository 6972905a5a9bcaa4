// What the Contact fields of a REGISTER ask for. RFC 3261 §10.2.1, §10.2.2, §10.3 step 6 and 7.

package registrar

import (
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Limits of what is stored of one contact.
const (
	maxContact   = 1024 // bytes of a Contact, a Call-ID, a Path value
	maxUserAgent = 64   // of a User-Agent; the rest is cut
	maxPaths     = 8
	maxWishes    = 64 // Contact values in one request
)

// malformedExpires stands for an expiry that cannot be read. RFC 3261 §10.3 step 6.
const malformedExpires = 3600

// wish is what one Contact value asks for.
type wish struct {
	text     string // the value without expires
	uri      sip.URI
	expires  time.Duration // 0: remove
	q        uint16
	instance string
	regID    uint32
	found    bool // among the bindings: set by apply
}

// refusal is a reason not to do what a REGISTER asks.
type refusal struct {
	status sip.Status
	reason string     // "" means the phrase of the status
	header sip.Header // what the response must carry, with its value
	value  string
}

// readContacts reads the Contact fields into the update.
func (w *work) readContacts(r *Registrar, req *sip.Request) *refusal {
	w.update.wishes, w.update.star = w.update.wishes[:0], false
	for value := range req.Values(sip.HeaderContact) {
		if value == "*" {
			w.update.star = true
			continue
		}
		if len(w.update.wishes) == maxWishes {
			return &refusal{status: sip.StatusForbidden, reason: "Too Many Contacts"}
		}
		if no := w.readContact(r, req, value); no != nil {
			return no
		}
	}
	if !w.update.star {
		return nil
	}
	// RFC 3261 §10.3 step 6: "*" stands alone and with an Expires of 0.
	if expires, ok := req.Uint(sip.HeaderExpires); !ok || expires != 0 || len(w.update.wishes) > 0 {
		return &refusal{status: sip.StatusBadRequest, reason: "Bad Wildcard Contact"}
	}
	return nil
}

func (w *work) readContact(r *Registrar, req *sip.Request, value string) *refusal {
	a, err := sip.ParseAddress(value)
	if err != nil || len(value) > maxContact {
		return &refusal{status: sip.StatusBadRequest, reason: "Bad Contact"}
	}
	if a.URI.Params != "" && a.URI.User != "" && a.URI.Bulk() {
		return &refusal{status: sip.StatusBadRequest, reason: "Number In Bulk Contact"} // RFC 6140 §5.2
	}
	expires, no := r.grant(asked(req, a.Params))
	if no != nil {
		return no
	}
	wish := wish{text: w.contactText(value, a), uri: a.URI, expires: expires, q: 1000}
	if a.Params != "" {
		wish.q, wish.instance = quality(a.Params), a.Instance()
		wish.regID, _ = a.RegID()
	}
	w.update.wishes = append(w.update.wishes, wish)
	return nil
}

// contactText returns a contact as it is stored: with angle brackets, and without its expiry and the GRUUs that it was given before.
func (w *work) contactText(value string, a sip.Address) string {
	if value[0] == '<' && value[len(value)-1] == '>' && a.Params == "" {
		return value
	}
	from := len(w.contacts)
	params := a.Params
	a.Params = ""
	w.contacts = a.AppendTo(w.contacts)
	w.contacts = params.AppendTo(w.contacts, "expires", "pub-gruu", "temp-gruu")
	return text(w.contacts[from:])
}

// asked returns the expiry in seconds that a contact asks for; ok is false if it leaves the choice to us.
func asked(req *sip.Request, params sip.Params) (seconds uint64, ok bool) {
	if params != "" {
		if value, ok := params.Lookup("expires"); ok {
			return seconds32(value), true
		}
	}
	if value := req.Get(sip.HeaderExpires); value != "" || req.Has(sip.HeaderExpires) {
		return seconds32(value), true
	}
	return 0, false
}

// seconds32 reads delta-seconds; what is too large is 2^32-1 (RFC 3261 §20.19).
func seconds32(s string) uint64 {
	s = strings.TrimSpace(s)
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return malformedExpires
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 1<<32 - 1
	}
	return n
}

// grant fits an expiry into the limits. RFC 3261 §10.3 step 7, §21.4.17.
func (r *Registrar) grant(seconds uint64, asked bool) (time.Duration, *refusal) {
	limit := r.limits()
	if !asked {
		return limit.usual, nil
	}
	d := time.Duration(seconds) * time.Second
	if d > 0 && d < limit.min {
		return 0, &refusal{status: sip.StatusIntervalTooBrief, header: sip.HeaderMinExpires, value: wholeSeconds(limit.min)}
	}
	return min(d, limit.max), nil
}

func wholeSeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}

// quality returns the q parameter in thousandths; none, or one that cannot be read, is 1. RFC 3261 §25.1 qvalue.
func quality(params sip.Params) uint16 {
	q, err := strconv.ParseFloat(params.Get("q"), 64)
	if err != nil || !(q >= 0 && q <= 1) {
		return 1000
	}
	return uint16(q*1000 + 0.5)
}
