package b2bua

// Calls that go elsewhere than to whom they were for: what is known of that, how it is told, and how loops are cut. RFC 5806, RFC 7044, RFC 4458, RFC 8119.

import (
	"slices"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// maxDiversions is how often a call is diverted, by us and by those who had it before. No standard has a number.
const maxDiversions = 5

// maxPast is how many values of Diversion, and how many of History-Info, are believed of one request.
const maxPast = 20

// Diverted says that a call goes elsewhere than to whom it was for. It becomes a Diversion (RFC 5806) and an entry of History-Info (RFC 7044).
type Diverted struct {
	From   sip.URI // whom the call was for until now
	To     sip.URI // whom it is for from now on; zero: the account of the only party
	Why    Why
	Hidden bool // From is told to parties of the trust domain only. RFC 7044 §10.1
}

// Why is the reason of a diversion.
type Why uint8

// The reasons.
const (
	WhyUnknown    Why = iota
	Unconditional     // always
	UserBusy
	NoReply
	Unavailable  // no device
	Deflection   // a device has sent the call on
	FollowMe     // to where the callee is now
	TimeOfDay    // out of hours
	DoNotDisturb // the callee wants quiet
	Away
	OutOfService
	Translated // a number that stands for another: a hotline, a short number
)

// whys says what Diversion calls a reason (RFC 5806 §10.1), and which cause it is in a URI (RFC 4458 §2.2, RFC 8119 §2).
var whys = [...]struct {
	word  string
	cause sip.Status
}{
	WhyUnknown:    {"unknown", sip.StatusNotFound},
	Unconditional: {"unconditional", sip.StatusMovedTemporarily},
	UserBusy:      {"user-busy", sip.StatusBusyHere},
	NoReply:       {"no-answer", sip.StatusRequestTimeout},
	Unavailable:   {"unavailable", sip.StatusNotFound},
	Deflection:    {"deflection", sip.StatusTemporarilyUnavailable},
	FollowMe:      {"follow-me", sip.StatusMovedTemporarily},
	TimeOfDay:     {"time-of-day", sip.StatusMovedTemporarily},
	DoNotDisturb:  {"do-not-disturb", sip.StatusMovedTemporarily},
	Away:          {"away", sip.StatusMovedTemporarily},
	OutOfService:  {"out-of-service", sip.StatusServiceUnavailable},
	Translated:    {"unknown", sip.StatusAlternativeService},
}

// String gives the word of RFC 5806.
func (w Why) String() string { return whys[w].word }

// Cause returns the cause that stands in a URI: 486 for a busy line. RFC 4458 §2.2; RFC 8119 §2.
func (w Why) Cause() sip.Status { return whys[w].cause }

// past is what is known of the way of a call before its present step.
type past struct {
	count      int      // diversions, those of others included
	from       []string // AORs from which the call was diverted
	diversions []string // Diversion of those who had the call before, the latest first
	history    []string // the same for History-Info, in their order
	ours       []entry  // whom the call was for here: the first is whom the caller wanted
	index      string   // of the first entry of ours
}

// entry is one whom the call was for.
type entry struct {
	uri      sip.URI
	arrived  *Diverted // by which the call came to it; nil: the caller has dialled it
	diverted *Diverted // by which it went on; nil: it has not
}

// to is whom the call is for now.
func (d *Diverted) to(r *Route) sip.URI {
	if parties := r.parties(); d.To.Scheme == "" && len(parties) == 1 {
		return parties[0].Account
	}
	return d.To
}

// divert notes a diversion to a URI, which may be empty, and reports false where the call has been sent around often enough. Parties from which it was diverted before are not
// called again.
func (h *hunt) divert(d *Diverted, to sip.URI) bool {
	if h.past == nil {
		h.past = h.remember()
	}
	p := h.past
	if p.count++; p.count > maxDiversions {
		return false
	}
	last := &p.ours[len(p.ours)-1]
	last.diverted = d
	p.from = append(p.from, d.From.AOR())
	p.ours = append(p.ours, entry{uri: to.Clone(), arrived: d})
	kind := Forward
	if d.Why == Deflection {
		kind = Redirect
	}
	h.call.note(Move{Kind: kind, By: d.From.String(), To: to.String()})
	return true
}

// visited reports whether the call was for an account before and was diverted from there.
func (p *past) visited(account sip.URI) bool {
	return p != nil && slices.Contains(p.from, account.AOR())
}

// last is the diversion by which the call has come to its present step; nil if there was none.
func (p *past) last() *Diverted { return p.ours[len(p.ours)-1].arrived }

// remember begins the past of a call with what a trusted caller says of it. RFC 7044 §9.1: whom the call was for goes first.
func (h *hunt) remember() *past {
	q := h.ask()
	p := &past{ours: []entry{{uri: q.Request.URI.Clone()}}, index: "1"}
	if h.transfer == nil && h.call.asker.Trusted {
		p.believe(&h.call.caller.usage.Invitation().Message)
	}
	return p
}

// believe takes what a peer of the trust domain says.
func (p *past) believe(m *sip.Message) {
	for v := range m.Values(sip.HeaderDiversion) {
		d, err := sip.ParseDiversion(v)
		if err != nil || len(p.diversions) == maxPast {
			continue
		}
		p.diversions = append(p.diversions, v)
		p.count += int(min(d.Counter, maxDiversions+1))
		p.from = append(p.from, d.URI.AOR())
	}
	moves := 0
	for v := range m.Values(sip.HeaderHistoryInfo) {
		e, err := sip.ParseHistoryEntry(v)
		if err != nil || len(p.history) == maxPast {
			continue
		}
		p.history = append(p.history, v)
		p.index = e.Index + ".1"
		if e.Params.Has("mp") {
			moves++
		}
	}
	// Those who had the call before say the same twice, once in each header.
	p.count = max(p.count, moves)
}

// tell writes into the INVITE for a party whom the call was for before.
func (h *hunt) tell(req *sip.Request, inTrust bool) {
	p := h.past
	if p == nil {
		return
	}
	for _, e := range slices.Backward(p.ours) {
		if d := e.diverted; d != nil && (inTrust || !d.Hidden) {
			req.Add(sip.HeaderDiversion, diversion(d))
		}
	}
	for _, v := range p.diversions {
		if inTrust || !strings.Contains(strings.ToLower(v), "privacy=") {
			req.Add(sip.HeaderDiversion, v)
		}
	}
	if len(p.history) == 0 && len(p.ours) == 1 {
		return
	}
	for _, v := range p.history {
		if !inTrust {
			v = veiled(v)
		}
		req.Add(sip.HeaderHistoryInfo, v)
	}
	index, before := p.index, ""
	for _, e := range p.ours {
		if e.uri.Scheme != "" {
			req.Add(sip.HeaderHistoryInfo, e.text(index, before, inTrust))
			index, before = index+".1", index
		}
	}
	req.Add(sip.HeaderHistoryInfo, sip.Address{URI: bare(req.URI), Params: sip.Params("").With("index", index).With("rc", before)}.String())
}

// veiled is an entry of somebody else's, without the URI if that is not to be shown. RFC 7044 §10.1.2.
func veiled(v string) string {
	e, err := sip.ParseHistoryEntry(v)
	if hidden, ok := e.URI.Header("Privacy"); err != nil || !ok || strings.EqualFold(hidden, "none") {
		return v
	}
	return sip.Address{URI: sip.MustParseURI(anonymous), Params: e.Params}.String()
}

// diversion is the value of Diversion. RFC 5806 §7.
func diversion(d *Diverted) string {
	a := sip.Address{URI: bare(d.From), Params: sip.Params("").With("reason", d.Why.String()).With("counter", "1")}
	if d.Hidden {
		a.Params = a.Params.With("privacy", "full")
	}
	return a.String()
}

// text is the value of History-Info for one whom the call was for: who it was, why it did not stay there, and by which diversion it had come. RFC 7044 §5, §10.1.
func (e *entry) text(index, before string, inTrust bool) string {
	uri := bare(e.uri)
	if d := e.arrived; d != nil {
		uri.Params = uri.Params.With("cause", strconv.Itoa(int(d.Why.Cause())))
	}
	if d := e.diverted; d != nil {
		if d.Hidden && !inTrust {
			uri = sip.MustParseURI(anonymous)
		}
		uri = uri.WithHeader("Reason", cause(d.Why.Cause()))
		if d.Hidden {
			uri = uri.WithHeader("Privacy", "history")
		}
	}
	params := sip.Params("").With("index", index)
	if before != "" {
		params = params.With("mp", before)
	}
	return sip.Address{URI: uri, Params: params}.String()
}

// bare returns a URI without what is only for whoever it is sent to.
func bare(u sip.URI) sip.URI {
	u.Headers = ""
	return u
}
