// Ring groups: whose telephones ring, at once or one after the other. Members are rung themselves: their own forwards and voicemails are not asked.

package dialplan

import (
	"slices"
	"strings"
)

// maxNested is how deep groups may be members of groups.
const maxNested = 3

// group lets the members of a group ring.
func (w *walk) group(place Place) Decision {
	if w.visit(place) {
		return w.circle(place)
	}
	g := place.Group
	members := g.Members
	if turns := w.way.call.Turns; turns != nil && g.Strategy != RingAll && g.Strategy != RingInOrder && g.Strategy != "" {
		members = turns.Order(place.Name, g.Strategy, members)
	}
	f := &frame{place: place, up: w.way.frame}
	legs := w.members(nil, members, 0)
	if g.Strategy == "" || g.Strategy == RingAll {
		if len(legs) > 0 {
			f.waves = [][]Leg{legs}
		}
	} else {
		for i := range legs {
			f.waves = append(f.waves, legs[i:i+1])
		}
	}
	if len(f.waves) == 0 {
		w.say(sayNobody, place.Name, "")
	} else {
		w.say(sayGroup, place.Name, names(legs))
	}
	w.way.frame = f
	return w.missed(Offline)
}

// members appends a leg for each member that can ring.
func (w *walk) members(legs []Leg, members []string, depth int) []Leg {
	for _, m := range members {
		place, ok := w.place(m)
		switch {
		case ok && place.Kind == KindGroup && depth < maxNested:
			legs = w.members(legs, place.Group.Members, depth+1)
		case ok && place.Kind == KindAccount:
			legs = w.member(legs, place)
		case ok:
			w.say(sayMemberNone, m, "")
		default:
			legs = w.outsideMember(legs, m)
		}
	}
	return legs
}

func (w *walk) member(legs []Leg, place Place) []Leg {
	a := place.settings()
	switch {
	case a.DND:
		w.say(sayMemberDND, place.Name, "")
		return legs
	case place.Name == w.way.call.Caller.Account:
		w.say(sayMemberCalls, place.Name, "")
		return legs // nobody rings at home for their own call
	case slices.ContainsFunc(legs, func(l Leg) bool { return l.Account == place.Name }):
		return legs // nobody rings twice
	}
	return append(legs, Leg{Account: place.Name, OneCall: a.OneCall})
}

// outsideMember adds a member that is a number outside: the house pays.
func (w *walk) outsideMember(legs []Leg, m string) []Leg {
	n := w.plan.numbers.read(m)
	if !n.Outside() {
		w.say(sayMemberNone, m, "")
		return legs
	}
	payer, house := w.way.payer, w.way.house
	w.way.payer, w.way.house = "", true
	defer func() { w.way.payer, w.way.house = payer, house }()
	out, why := w.gate(n)
	if why != "" {
		w.say(sayMemberOut, m, "")
		return legs
	}
	return append(legs, Leg{Out: out})
}

// groupMissed lets the next ones ring, or sends the call where the group says.
func (w *walk) groupMissed(f *frame) (_ Decision, ok bool) {
	g := f.place.Group
	if len(f.waves) > 0 {
		wave := f.waves[0]
		w.way.frame = &frame{place: f.place, waves: f.waves[1:], up: f.up}
		ringTime := g.RingTime
		if ringTime == 0 {
			ringTime = DefaultMemberRingTime
			if g.Strategy == "" || g.Strategy == RingAll {
				ringTime = DefaultGroupRingTime
			}
		}
		return w.ring(wave, ringTime), true
	}
	switch to := g.Otherwise; to {
	case "":
		return Decision{}, false
	case string(KindMailbox):
		return w.divert(f.place, to+":"+f.place.Name, CauseGroup), true
	default:
		return w.divert(f.place, to, CauseGroup), true
	}
}

func names(legs []Leg) string {
	all := make([]string, len(legs))
	for i := range legs {
		all[i] = legs[i].String()
	}
	return strings.Join(all, ", ")
}
