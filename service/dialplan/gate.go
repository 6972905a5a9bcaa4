// The gate to the outside: the brakes on calls that cost money. Whoever dials, forwards, transfers or answers with another address comes through here; the plan has no other door.

package dialplan

import (
	"slices"
	"strings"
	"time"
)

// outside calls a number of the telephone network.
func (w *walk) outside(n Number) Decision {
	if w.plan.set.House == nil || !w.plan.set.House.HasTrunk() {
		w.say(sayNoTrunk, "", "")
		return w.refuse(NoTrunk, n.Text())
	}
	out, why := w.gate(n)
	if why != "" {
		return w.refuse(why, n.Text())
	}
	return w.ring([]Leg{{Out: out}}, 0)
}

// gate judges a call to the outside. Out is nil if why is not "".
func (w *walk) gate(n Number) (out *Out, why Reason) {
	w.say(sayCountry, n.Country, string(n.Class))
	out = &Out{Number: n, Trunks: w.way.trunks, CallerID: w.way.callerID, Payer: w.way.payer}
	payer := w.payer()
	switch {
	case w.way.payer == "" && !w.way.house && w.way.call.Caller.Place.Kind != "":
		return nil, Forbidden
	case w.way.payer == "" && !w.way.house:
		return nil, Stranger
	}
	if _, help := w.plan.numbers.isEmergency(n.Text()); help {
		return nil, Forbidden // nobody is sent to an emergency number: who needs help dials it
	}
	if why = w.destination(n, payer); why != "" {
		return nil, why
	}
	if out.CallerID == "" && !w.way.forwarded {
		out.CallerID, out.Hide = payer.CallerID, payer.HideCallerID
	}
	if w.way.payer == "" {
		return out, "" // what the house itself has set has no limits of an account
	}
	if why = w.nightly(n, payer); why != "" {
		return nil, why
	}
	return w.used(out, payer)
}

// payer are the settings of the account that pays.
func (w *walk) payer() *Account {
	if w.way.payer != "" {
		if place, ok := w.place(w.way.payer); ok {
			return place.settings()
		}
	}
	return &Account{}
}

// destination judges where a number leads.
func (w *walk) destination(n Number, payer *Account) Reason {
	l := &w.plan.set.Limits
	if _, ok := begins(n.Text(), l.Closed); ok {
		return Closed
	}
	if open, ok := begins(n.Text(), l.Open); ok {
		w.say(sayAllowedOpen, n.Text(), open)
		return ""
	}
	switch {
	case n.Class.costly():
		return Premium
	case n.Class == ClassFree && n.Country == "001":
		return "" // the called party pays, wherever it is
	case !w.plan.allows(n.Country, payer):
		return Country
	}
	w.say(sayAllowed, n.Country, "")
	return ""
}

// allows reports whether a country may be called.
func (p *Plan) allows(country string, payer *Account) bool {
	return slices.Contains(p.own, country) || slices.Contains(p.allowed, country) || slices.Contains(p.allowed, "ALL") ||
		slices.ContainsFunc(payer.Countries, func(c string) bool { return strings.EqualFold(c, country) || strings.EqualFold(c, "all") })
}

// begins returns which of some beginnings a number has.
func begins(number string, beginnings []string) (string, bool) {
	for _, b := range beginnings {
		if s, ok := bare(b); ok && strings.HasPrefix(number, s) {
			return b, true
		}
	}
	return "", false
}

// nightly holds calls back while the night lock holds.
func (w *walk) nightly(n Number, payer *Account) Reason {
	lock := payer.NightLock
	if lock == "" {
		lock = w.plan.set.Limits.NightLock
	}
	if lock == LockNone || lock != LockAll && slices.Contains(w.plan.own, n.Country) || n.Class == ClassFree {
		return ""
	}
	at := w.way.call.At.In(w.plan.zone)
	if !holds(w.plan.night, at) {
		return ""
	}
	w.say(sayNight, clock(at), "")
	return Night
}

// used judges what the payer has used already.
func (w *walk) used(out *Out, payer *Account) (*Out, Reason) {
	calls, minutes := w.limits(payer)
	out.MaxCalls, out.Minutes = calls, minutes
	if w.way.call.Ledger == nil {
		return out, ""
	}
	use := w.way.call.Ledger.Used(out.Payer)
	if calls > 0 && use.Calls >= calls {
		return nil, Calls
	}
	if minutes > 0 && use.Talked >= time.Duration(minutes)*time.Minute {
		return nil, Minutes
	}
	return out, ""
}

// limits are how many calls at once and how many minutes a day an account may have outside; 0: any number.
func (w *walk) limits(payer *Account) (calls, minutes int) {
	l := &w.plan.set.Limits
	return max(first(payer.MaxCalls, l.Calls, DefaultCalls), 0), max(first(payer.Minutes, l.Minutes, DefaultMinutes), 0)
}

// first returns the first value that is set.
func first(values ...int) int {
	for _, v := range values {
		if v != 0 {
			return v
		}
	}
	return 0
}

// emergency calls for help, past every rule and every limit. Without a way outside somebody in the house who is called so is called; ok is false if there is nobody either.
func (w *walk) emergency(number string) (_ Decision, ok bool) {
	w.say(sayEmergency, number, "")
	if w.plan.set.House == nil || !w.plan.set.House.HasTrunk() {
		return Decision{}, false
	}
	out := &Out{Number: Number{Dialled: number, Country: w.plan.numbers.region, Class: ClassShort}, Emergency: true}
	if t := w.plan.set.EmergencyTrunk; t != "" {
		out.Trunks = []string{t}
	}
	return w.ring([]Leg{{Out: out}}, 0), true
}

// help is emergency for a number that nobody dialled: without a way outside it is looked for in the house.
func (w *walk) help(number string) Decision {
	if d, ok := w.emergency(number); ok {
		return d
	}
	return w.resolve(number)
}
