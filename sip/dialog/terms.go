// How long a session lasts without a refresh, and who refreshes: the decisions, without clock or socket. RFC 4028 §7 to §10.

package dialog

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// shortestSession is the Min-SE of whoever does not say. RFC 4028 §4, §5.
const shortestSession = 90 * time.Second

// policy is what we want of the sessions of a table; interval 0: no timers.
type policy struct{ interval, least time.Duration }

// wish is what a request says about its session.
type wish struct {
	asked     sip.SessionExpires // Interval 0: nothing
	least     time.Duration      // Min-SE
	supported bool               // its sender knows session timers
}

// tooBrief reports whether the request is to be refused with 422. RFC 4028 §9: only a sender that knows the answer gets it.
func (p policy) tooBrief(w wish) bool {
	return p.interval > 0 && w.supported && w.asked.Interval > 0 && w.asked.Interval < p.least
}

// grant returns what the 2xx to a request says. A peer that does not know session timers leaves the refreshes to us; one that leaves
// open who refreshes does so too. RFC 4028 §9, table 2.
func (p policy) grant(w wish) sip.SessionExpires {
	least := max(p.least, w.least, shortestSession)
	given := sip.SessionExpires{Interval: max(p.interval, least), Refresher: "uas"}
	if asked := w.asked.Interval; asked > 0 {
		given.Interval = min(asked, given.Interval) // RFC 4028 §9: it may be lowered, not below Min-SE, and never raised
	}
	if w.supported && w.asked.Refresher != "" {
		given.Refresher = w.asked.Refresher
	}
	return given
}

// settle returns the terms of the 2xx to a request of ours: granted is its Session-Expires, zero if it has none. RFC 4028 §7.2: who gets
// no answer refreshes himself.
func settle(asked time.Duration, granted sip.SessionExpires) (interval time.Duration, ours bool) {
	if granted.Interval <= 0 {
		return asked, true
	}
	return granted.Interval, granted.Refresher != "uas"
}

// timerState says who keeps the session alive.
type timerState uint8

const (
	timerOff     timerState = iota // no terms yet, or the call is over
	timerOurs                      // we refresh
	timerTheirs                    // the peer does
	timerWaiting                   // our refresh waits for its answer
)

// timerInput is what can happen.
type timerInput uint8

const (
	timerAgreeOurs   timerInput = iota // a 2xx to INVITE or UPDATE says that we refresh
	timerAgreeTheirs                   // it says that the peer does
	timerDue                           // half of the interval is over
	timerRefused                       // our refresh was refused; the dialog lives
	timerExpired                       // the interval is over but for its margin
	timerOver                          // the call has ended
)

// timerAction is what to do.
type timerAction uint8

const (
	timerArm     timerAction = iota // for the next refresh, and for the end
	timerAwait                      // for the end only
	timerRefresh                    // send a refresh
	timerLater                      // try again before the end
	timerHangUp
	timerStop
)

// step decides. An input that does not fit changes nothing.
func (s timerState) step(in timerInput) (timerState, []timerAction) {
	switch in {
	case timerAgreeOurs:
		return timerOurs, []timerAction{timerArm}
	case timerAgreeTheirs:
		return timerTheirs, []timerAction{timerAwait}
	case timerOver:
		return timerOff, []timerAction{timerStop}
	}
	switch {
	case s == timerOurs && in == timerDue:
		return timerWaiting, []timerAction{timerRefresh}
	case s == timerWaiting && in == timerRefused:
		return timerOurs, []timerAction{timerLater}
	case s != timerOff && in == timerExpired:
		// RFC 4028 §10: whoever finds the session expired sends BYE.
		return timerOff, []timerAction{timerStop, timerHangUp}
	}
	return s, nil
}

// margin is how long before the end of the interval the session is given up. RFC 4028 §10.
func margin(interval time.Duration) time.Duration { return min(32*time.Second, interval/3) }
