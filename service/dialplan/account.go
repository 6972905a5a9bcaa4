// Accounts: their forwards, do not disturb, and what comes after them.

package dialplan

import (
	"time"
)

// settings are those of an account, never nil.
func (p Place) settings() *Account {
	if p.Account == nil {
		return &Account{}
	}
	return p.Account
}

// account lets the telephones of an account ring, or sends the call where the account wants it.
func (w *walk) account(place Place) Decision {
	if w.visit(place) {
		return w.circle(place)
	}
	a := place.settings()
	w.way.frame = &frame{place: place, up: w.way.frame}
	if to := a.ForwardAlways; to != "" {
		if !w.isCaller(to) {
			w.say(sayForward, place.Name, to)
			return w.divert(place, to, CauseAlways)
		}
		w.say(sayOwnForward, place.Name, "")
	}
	if a.DND {
		w.say(sayDND, place.Name, "")
		return w.missed(dnd)
	}
	ringTime := a.RingTime
	if ringTime == 0 && w.follows() {
		ringTime = DefaultRingTime
	}
	return w.ring([]Leg{{Account: place.Name, OneCall: a.OneCall}}, ringTime)
}

// isCaller reports whether a target is the one who calls: whoever forwards every call to somebody can be called by that one.
func (w *walk) isCaller(to string) bool {
	who := w.way.call.Caller.Account
	if who == "" {
		return false
	}
	if to == who {
		return true
	}
	place, ok := w.place(to)
	return ok && place.Kind == KindAccount && place.Name == who
}

// follows reports whether anything happens when nobody answers.
func (w *walk) follows() bool {
	for f := w.way.frame; f != nil; f = f.up {
		if f.place.Kind == KindGroup {
			if len(f.waves) > 0 || f.place.Group.Otherwise != "" {
				return true
			}
			continue
		}
		if a := f.place.settings(); a.Mailbox || a.ForwardNoAnswer != "" {
			return true
		}
	}
	return false
}

// ring lets some ring at once.
func (w *walk) ring(legs []Leg, ringTime time.Duration) Decision {
	if w.way.ringTime > 0 {
		ringTime, w.way.ringTime = w.way.ringTime, 0
	}
	for i := range legs {
		if ringTime > 0 {
			w.say(sayRing, legs[i].String(), ringTime.String())
		} else {
			w.say(sayRingOn, legs[i].String(), "")
		}
	}
	return w.decide(Decision{Action: Ring, Legs: legs, RingTime: ringTime})
}

// accountMissed goes on where an account says, and last to its voicemail; ok is false if it says nothing.
func (w *walk) accountMissed(place Place, o Outcome) (_ Decision, ok bool) {
	a := place.settings()
	to, why := a.ForwardOffline, CauseOffline
	switch o {
	case Busy, Rejected:
		to, why = a.ForwardBusy, CauseBusy
	case dnd:
		to, why = a.ForwardBusy, CauseDND
	case NoAnswer:
		to, why = a.ForwardNoAnswer, CauseNobody
	case Offline, NotPassed:
		if to == "" {
			to = a.ForwardNoAnswer
		}
	}
	switch {
	case to == string(KindMailbox):
		to += ":" + place.Name
	case to == "" && a.Mailbox:
		to = string(KindMailbox) + ":" + place.Name
	case to == "":
		return Decision{}, false
	}
	return w.divert(place, to, why), true
}
