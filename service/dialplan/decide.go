// From what was dialled to who or what that is: emergency numbers first, then the rules, the house, and last the outside.

package dialplan

import (
	"strconv"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// maxHops is how often a call may be diverted.
const maxHops = 10

// way is how far a call has come. A decision keeps it, and the next one goes on from a copy.
type way struct {
	call      *Call
	frame     *frame // whom it is for; the innermost
	seen      *seen
	last      Place  // the last account or group
	payer     string // account whose limits calls to the outside use; "" for nobody
	house     bool   // what is to be called stands in the settings of the house
	forwarded bool
	hops      int

	callerID string // as rules have set it, here and below
	trunks   []string
	ringTime time.Duration

	asked   int    // rule that waits for an answer
	dialled string // what it was asked about
}

// frame is one place that a call has come to and that says what follows when nobody is reached there.
type frame struct {
	place Place
	waves [][]Leg // of a group: those that have not rung yet
	up    *frame
}

// seen is a place where a call has been.
type seen struct {
	kind Kind
	name string
	next *seen
}

// walk is one decision as it is made.
type walk struct {
	plan     *Plan
	way      way
	steps    []Step
	diverted []Diversion
	rule     string
}

func (w *walk) say(s Saying, a, b string) { w.steps = append(w.steps, Step{s, a, b}) }

// Decide says where a call goes first.
func (p *Plan) Decide(call Call) Decision {
	w := &walk{plan: p, way: way{call: &call, payer: call.Caller.Account, hops: call.Hops}}
	who := &call.Caller
	switch {
	case call.Asked != "" && who.Account != "":
		number := p.numbers.of(call.Asked)
		w.say(saySOS, string(call.Asked), number)
		return w.help(number)
	case who.Trunk != "":
		w.say(sayTrunk, call.Dialled, who.Trunk)
		return w.inbound(call.Dialled)
	case who.Account == "" && who.Place.Kind != "":
		w.way.house = who.Entitled
		w.say(sayTransfer, string(who.Place.Kind)+" "+who.Place.Name, call.Dialled)
	case who.Account == "":
		w.say(sayStranger, call.Dialled, "")
	default:
		w.say([...]Saying{sayCaller, sayTransfer, sayDeflect}[min(call.How, Deflected)], who.Account, call.Dialled)
		if number, ok := p.numbers.isEmergency(call.Dialled); ok && call.How != Deflected {
			if d, ok := w.emergency(number); ok {
				return d
			}
		}
	}
	return w.wanted(call.Dialled)
}

// After says where a call goes when a decision has led to nobody.
func (p *Plan) After(d *Decision, o Outcome) Decision {
	w := &walk{plan: p, way: d.way}
	w.say(sayOutcome, d.Summary(), string(o))
	return w.missed(o)
}

// wanted takes what somebody wants: a number that is dialled, or another target, where an application asks for it.
func (w *walk) wanted(dialled string) Decision {
	c := w.way.call
	if t, err := readTarget(dialled); err == nil && (c.Direct || c.Caller.Place.Kind != "" || t.kind == toMailbox && t.name != "") {
		if t.kind != toNumber || c.Direct {
			return w.to(t)
		}
		dialled = t.name
	}
	return w.rules(0, dialled)
}

// to sends the call to a target.
func (w *walk) to(t target) Decision {
	switch t.kind {
	case toHangup:
		return w.refuse(Declined, "")
	case toBusy:
		return w.refuse(BusyTone, "")
	case toMailbox:
		return w.mailbox(t.name)
	case toHours:
		return w.byHours(t)
	}
	return w.resolve(t.name)
}

func (w *walk) byHours(t target) Decision {
	next, says, why := t.open, sayOpen, ""
	if h := w.plan.hours[t.name]; h != nil {
		var open bool
		if open, why = h.open(w.way.call.At); !open {
			next, says = t.closed, sayClosed
		}
	}
	w.say(says, t.name, why)
	if next == "" {
		return w.refuse(Declined, "")
	}
	inner, err := readTarget(next)
	if err != nil || w.tooOften() {
		return w.refuse(Loop, next)
	}
	return w.to(inner)
}

// place asks the house what is called so.
func (w *walk) place(number string) (Place, bool) {
	if w.plan.set.House == nil {
		return Place{}, false
	}
	return w.plan.set.House.Place(number)
}

// resolve finds what a number stands for: a short number, a place in the house, a number of ours, or one outside.
func (w *walk) resolve(dialled string) Decision {
	if w.incoming() {
		return w.land(dialled)
	}
	if to, ok := w.plan.set.Short[dialled]; ok && !w.tooOften() {
		w.say(sayShort, dialled, to)
		if t, err := readTarget(to); err == nil {
			w.way.house = true
			return w.to(t)
		}
	}
	if place, ok := w.place(dialled); ok {
		return w.enter(place)
	}
	n := w.plan.numbers.read(dialled)
	if !n.Outside() {
		return w.refuse(Unknown, dialled)
	}
	if n.E164 != "" {
		w.say(sayNumber, dialled, n.E164)
		if place, ok := w.place(n.E164); ok {
			return w.enter(place)
		}
		if trunk := w.plan.owner(n.E164); trunk != nil && !w.tooOften() {
			if d, ok := w.throughTrunk(trunk, n.E164); ok {
				return d // a number of ours is called inside the house
			}
		}
	}
	return w.outside(n)
}

// tooOften counts a change of the way and reports whether there have been too many.
func (w *walk) tooOften() bool {
	w.way.hops++
	return w.way.hops > maxHops
}

// enter brings the call to a place.
func (w *walk) enter(place Place) Decision {
	w.say(sayPlace, place.Name, string(place.Kind))
	switch place.Kind {
	case KindAccount:
		return w.account(place)
	case KindGroup:
		return w.group(place)
	}
	w.say(sayEnter, string(place.Kind), place.Name)
	return w.decide(Decision{Action: Enter, Place: place})
}

// visit notes that the call is at a place; it reports whether it was there before.
func (w *walk) visit(place Place) (again bool) {
	for s := w.way.seen; s != nil; s = s.next {
		if s.kind == place.Kind && s.name == place.Name {
			return true
		}
	}
	w.way.seen = &seen{place.Kind, place.Name, w.way.seen}
	w.way.last = place
	return false
}

// circle ends a call that has come to a place again.
func (w *walk) circle(place Place) Decision {
	w.say(sayLoop, place.Name, "")
	return w.refuse(Loop, place.Name)
}

// missed goes on when nobody was reached: whoever the call was for last says how.
func (w *walk) missed(o Outcome) Decision {
	for w.way.frame != nil {
		f := w.way.frame
		w.way.frame = f.up
		var d Decision
		var ok bool
		if f.place.Kind == KindGroup {
			d, ok = w.groupMissed(f)
		} else {
			d, ok = w.accountMissed(f.place, o)
		}
		if ok {
			return d
		}
	}
	if o == dnd {
		return w.refuse(BusyTone, "")
	}
	w.say(sayGive, "", "")
	return w.decide(Decision{Action: Give})
}

// divert sends the call to another target, on behalf of a place.
func (w *walk) divert(from Place, to string, why Cause) Decision {
	t, err := readTarget(to)
	if err != nil {
		return w.refuse(Unknown, to)
	}
	if w.tooOften() {
		w.say(sayTooOften, strconv.Itoa(w.way.hops-1), "")
		return w.refuse(Loop, to)
	}
	w.diverted = append(w.diverted, Diversion{from, why})
	w.way.forwarded, w.way.house, w.way.payer = true, from.Kind != KindAccount, ""
	if from.Kind == KindAccount {
		w.way.payer = from.Name
	}
	w.say(sayDivert, to, "")
	if t.kind == toNumber {
		return w.rules(0, t.name) // as if the one who diverts had dialled
	}
	return w.to(t)
}

// mailbox sends the call to a mailbox; "" is that of whom it was for.
func (w *walk) mailbox(box string) Decision {
	if box == "" {
		box = w.way.last.Name
	}
	place, ok := w.place(string(KindMailbox) + ":" + box)
	if !ok {
		w.say(sayNoMailbox, box, "")
		return w.refuse(Unknown, box)
	}
	w.say(sayMailbox, box, "")
	return w.decide(Decision{Action: Enter, Place: place})
}

// refuse ends the call.
func (w *walk) refuse(why Reason, number string) Decision {
	status := why.status()
	w.say(sayRefuse, strconv.Itoa(int(status)), string(why))
	return w.decide(Decision{Action: Refuse, Refusal: Refusal{Status: status, Why: why, Number: number, Payer: w.way.payer}})
}

// status is what the caller hears of a refusal.
func (r Reason) status() sip.Status {
	switch r {
	case Unknown, NoTrunk:
		return sip.StatusNotFound
	case Loop:
		return sip.StatusLoopDetected
	case Declined:
		return sip.StatusDecline
	case BusyTone, Calls:
		return sip.StatusBusyHere
	}
	return sip.StatusForbidden
}

// decide ends the walk.
func (w *walk) decide(d Decision) Decision {
	d.Steps, d.Diverted, d.Rule, d.way = w.steps, w.diverted, w.rule, w.way
	if d.RingTime == 0 {
		d.RingTime = w.way.ringTime
	}
	return d
}
