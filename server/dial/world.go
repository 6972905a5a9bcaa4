// What a running server knows beside the plan, told after each decision: whose telephones are there, which trunk takes the call, and what is left of the limits of who pays.

package dial

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/service/dialplan"
)

// World is what a running server knows of the domain. All of it must be set, and must not block.
type World struct {
	Ledger     dialplan.Ledger
	Telephones func(account string) int                                                    // that are registered
	Calls      func(account string) int                                                    // of an account, under way
	Trunks     func(out *dialplan.Out, caller dialplan.Caller) (ways []Exit, not []Passed) // those by which a call would be tried, in this order, and those by which not
	Place      func(kind dialplan.Kind, name string) []dialplan.Step                       // how things stand at a queue, a room, a park slot
}

// Exit is a trunk by which a call would be tried.
type Exit struct {
	Trunk  string
	Shows  string   // who calls, as the called one sees it
	Codecs []string // only these; empty: all
}

// Passed is a trunk by which a call would not be tried.
type Passed struct{ Trunk, Why string }

// Number is a number that reaches the house itself.
type Number struct {
	Dial        string
	Names       []string
	Description string // to be translated
	Ahead       bool   // it is looked at before the rules of the plan
}

// What is said of the world; the exported ones are for who fills it.
const (
	sayFeature     dialplan.Saying = "%s: %s"
	sayTelephones  dialplan.Saying = "%s has %s registered telephones"
	sayNoTelephone dialplan.Saying = "%s has no registered telephone"
	sayTalks       dialplan.Saying = "%s is in %s calls"
	sayOneCall     dialplan.Saying = "%s is in a call and takes no second one"
	sayExit        dialplan.Saying = "the trunk %s takes the call and shows %s as the caller"
	sayNextExit    dialplan.Saying = "the trunk %s is next if that one fails; it shows %s as the caller"
	sayCodecs      dialplan.Saying = "the trunk %s speaks only %s"
	sayNotThere    dialplan.Saying = "the trunk %s does not take the call: %s"
	sayNoExit      dialplan.Saying = "no trunk takes the call now"
	sayLeft        dialplan.Saying = "%s has %s minutes left today"
	sayCallsLeft   dialplan.Saying = "%s may have %s more calls to the outside at once"
	SayWaiting     dialplan.Saying = "%s wait in the queue %s"
	SayAgents      dialplan.Saying = "%s of its agents can take a call: %s"
	SayMembers     dialplan.Saying = "%s are in the room %s"
	SayLocked      dialplan.Saying = "the room %s is locked"
	SaySlotTaken   dialplan.Saying = "a call waits in the slot %s: whoever dials it takes it"
	sayNoPage      dialplan.Saying = "who calls is none of the callers of the page %s, which refuses the call with 403"
	SaySlotFree    dialplan.Saying = "nobody waits in the slot %s"
	notAmong                       = "the rule names others"
	notEnabled                     = "it is switched off"
	maxExits                       = 10
)

// Sayings returns everything that is said of the world: whoever translates it needs it all.
func Sayings() []dialplan.Saying {
	return []dialplan.Saying{sayFeature, sayTelephones, sayNoTelephone, sayTalks, sayOneCall, sayExit, sayNextExit, sayCodecs, sayNotThere, sayNoExit, sayLeft, sayCallsLeft, SayWaiting, SayAgents,
		SayMembers, SayLocked, SaySlotTaken, SaySlotFree, sayNoPage, notAmong, notEnabled}
}

// find returns the number of the house that was dialled, perhaps with digits behind it; nil if there is none.
func (h *House) find(dialled string) (found *Number) {
	for i := range h.Numbers {
		n := &h.Numbers[i]
		if strings.EqualFold(n.Dial, dialled) || slices.ContainsFunc(n.Names, func(s string) bool { return strings.EqualFold(s, dialled) }) {
			return n
		}
		if strings.HasPrefix(dialled, n.Dial) && (found == nil || len(n.Dial) > len(found.Dial)) {
			found = n
		}
	}
	return found
}

// ahead returns the number that is looked at before the plan, if one was dialled by somebody of the house; people come first.
func (h *House) ahead(caller dialplan.Caller, dialled string) *Number {
	n := h.find(dialled)
	if n == nil || !n.Ahead || caller.Account == "" {
		return nil
	}
	if place, ok := h.Place(dialled); ok && place.Kind == dialplan.KindAccount {
		return nil
	}
	return n
}

// number says what a number of the house is, and how things stand there.
func (h *House) number(dialled string) (steps []dialplan.Step) {
	if n := h.find(dialled); n != nil {
		steps = append(steps, dialplan.Step{Say: sayFeature, A: n.Dial, B: n.Description})
	} else if o, ok := ReadOrder(dialled); ok {
		steps = append(steps, dialplan.Step{Say: sayFeature, A: "*" + o.Digits, B: o.Description})
	}
	if h.World != nil {
		steps = append(steps, h.World.Place(dialplan.KindFeature, dialled)...)
	}
	return steps
}

// look adds to a decision what is known beside the plan.
func (h *House) look(d *dialplan.Decision, caller dialplan.Caller) *dialplan.Decision {
	with := *d
	with.Steps = slices.Clone(d.Steps)
	say := func(s dialplan.Saying, a, b string) {
		with.Steps = append(with.Steps, dialplan.Step{Say: s, A: a, B: b})
	}
	switch {
	case d.Action == dialplan.Enter && d.Place.Kind == dialplan.KindPage && !h.mayPage(caller, d.Place.Name):
		say(sayNoPage, d.Place.Name, "")
	case d.Action == dialplan.Enter && d.Place.Kind == dialplan.KindFeature:
		with.Steps = append(with.Steps, h.number(d.Place.Name)...)
	case h.World == nil:
	case d.Action == dialplan.Enter:
		with.Steps = append(with.Steps, h.World.Place(d.Place.Kind, d.Place.Name)...)
	case d.Action == dialplan.Ring:
		for i := range d.Legs {
			if out := d.Legs[i].Out; out != nil {
				h.lookOutside(out, caller, say)
			} else {
				h.lookAt(&d.Legs[i], say)
			}
		}
	}
	return &with
}

// mayPage reports whether a page lets a caller in: an account, and one of those that it names, if it names any.
func (h *House) mayPage(caller dialplan.Caller, number string) bool {
	p := h.Set.Pages[number]
	return p != nil && caller.Account != "" && (len(p.Callers) == 0 || slices.Contains(p.Callers, "*") || slices.Contains(p.Callers, caller.Account))
}

// lookAt says whether the telephones of an account can ring.
func (h *House) lookAt(l *dialplan.Leg, say func(s dialplan.Saying, a, b string)) {
	telephones, calls := h.World.Telephones(l.Account), h.World.Calls(l.Account)
	switch {
	case telephones == 0:
		say(sayNoTelephone, l.Account, "")
	case calls > 0 && l.OneCall:
		say(sayOneCall, l.Account, "")
	default:
		if say(sayTelephones, l.Account, strconv.Itoa(telephones)); calls > 0 {
			say(sayTalks, l.Account, strconv.Itoa(calls))
		}
	}
}

// lookOutside says which trunk takes a call and why others do not, and what is left to who pays.
func (h *House) lookOutside(out *dialplan.Out, caller dialplan.Caller, say func(s dialplan.Saying, a, b string)) {
	if out.Payer != "" && !out.Emergency {
		use := h.World.Ledger.Used(out.Payer)
		if out.Minutes > 0 {
			say(sayLeft, out.Payer, strconv.Itoa(int(max(time.Duration(out.Minutes)*time.Minute-use.Talked, 0)/time.Minute)))
		}
		if out.MaxCalls > 0 {
			say(sayCallsLeft, out.Payer, strconv.Itoa(max(out.MaxCalls-use.Calls, 0)))
		}
	}
	ways, not := h.World.Trunks(out, caller)
	for i, w := range ways[:min(len(ways), maxExits)] {
		says := sayNextExit
		if i == 0 {
			says = sayExit
		}
		if say(says, w.Trunk, w.Shows); len(w.Codecs) > 0 {
			say(sayCodecs, w.Trunk, strings.Join(w.Codecs, ", "))
		}
	}
	for _, p := range h.unasked(out, ways, not) {
		say(sayNotThere, p.Trunk, p.Why)
	}
	if len(ways) == 0 {
		say(sayNoExit, "", "")
	}
}

// unasked are the trunks by which a call is not tried, with those of the settings that it is not even thought of.
func (h *House) unasked(out *dialplan.Out, ways []Exit, not []Passed) []Passed {
	known := make(map[string]bool)
	for _, w := range ways {
		known[w.Trunk] = true
	}
	for _, p := range not {
		known[p.Trunk] = true
	}
	for _, t := range h.Set.Trunks {
		switch {
		case known[t.Name]:
		case !t.Enabled:
			not = append(not, Passed{t.Name, notEnabled})
		case len(out.Trunks) > 0:
			not = append(not, Passed{t.Name, notAmong})
		}
	}
	slices.SortFunc(not, func(a, b Passed) int { return strings.Compare(a.Trunk, b.Trunk) })
	return not[:min(len(not), maxExits)]
}

// expect is what becomes of a step if nobody answers, as far as the house knows.
func (h *House) expect(d *dialplan.Decision, caller dialplan.Caller) dialplan.Outcome {
	if h.World == nil || d.Action != dialplan.Ring {
		return dialplan.NoAnswer
	}
	outcome := dialplan.Offline
	for i := range d.Legs {
		l := &d.Legs[i]
		switch {
		case l.Out != nil:
			if ways, _ := h.World.Trunks(l.Out, caller); len(ways) > 0 {
				return dialplan.NoAnswer
			}
			outcome = dialplan.NotPassed
		case h.World.Telephones(l.Account) == 0:
		case l.OneCall && h.World.Calls(l.Account) > 0:
			outcome = dialplan.Busy
		default:
			return dialplan.NoAnswer
		}
	}
	return outcome
}
