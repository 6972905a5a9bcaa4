// Calls that come in by a trunk: to whom its numbers lead.

package dialplan

import "strings"

// inbound brings a call from a trunk into the house. Rules are asked about the number that was called.
func (w *walk) inbound(dialled string) Decision {
	number := dialled
	if n := w.plan.numbers.read(dialled); n.E164 != "" {
		number = n.E164
	}
	return w.rules(0, number)
}

// incoming reports whether the call is from a trunk, and nothing in the house has sent it anywhere yet.
func (w *walk) incoming() bool {
	return w.way.call.Caller.Trunk != "" && !w.way.house && !w.way.forwarded && w.rule == ""
}

// land finds who in the house has a number that was called from outside.
func (w *walk) land(number string) Decision {
	trunk := w.plan.trunks[w.way.call.Caller.Trunk]
	if trunk != nil {
		if d, ok := w.throughTrunk(trunk, number); ok {
			return d
		}
	}
	if place, ok := w.place(number); ok && place.Kind != KindFeature {
		return w.enter(place)
	}
	if trunk == nil || trunk.Default == "" {
		w.say(sayUnknown, number, "")
		return w.refuse(Unknown, number)
	}
	w.say(sayDefault, trunk.Default, "")
	return w.configured(trunk.Default)
}

// throughTrunk sends a call where the table of a trunk says; ok is false if it says nothing of the number.
func (w *walk) throughTrunk(trunk *Trunk, number string) (_ Decision, ok bool) {
	for _, in := range trunk.Inbound {
		if fits(number, in.Number) {
			w.say(sayInbound, in.Number, in.Target)
			return w.configured(in.Target), true
		}
	}
	return Decision{}, false
}

// fits reports whether a number fits a pattern: X is any digit, "*", "!" or "." at its end any rest.
func fits(number, pattern string) bool {
	for i := range len(pattern) {
		switch c := pattern[i]; {
		case i == len(pattern)-1 && strings.IndexByte("*!.", c) >= 0:
			return true
		case i >= len(number), c != number[i] && !(c == 'X' && number[i] >= '0' && number[i] <= '9'):
			return false
		}
	}
	return len(number) == len(pattern)
}

// configured sends the call to a target that stands in the settings of the house.
func (w *walk) configured(to string) Decision {
	t, err := readTarget(to)
	if err != nil {
		return w.refuse(Unknown, to)
	}
	w.way.house = true
	return w.to(t)
}

// owner returns the trunk to which a number of ours belongs, nil if it is not one.
func (p *Plan) owner(number string) *Trunk {
	for i := range p.set.Trunks {
		t := &p.set.Trunks[i]
		for _, in := range t.Inbound {
			if in.Number == number {
				return t
			}
		}
	}
	return nil
}
