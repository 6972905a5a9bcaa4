// The registration at a provider: its decisions, without clock or socket. RFC 3261 §10.2; RFC 5626 §4.5.

package trunk

import "time"

// regState is how a registration stands.
type regState uint8

const (
	regIdle       regState = iota // not begun
	regTrying                     // REGISTER sent, the provider does not know us
	regWaiting                    // it has failed; the next attempt has its time
	regBound                      // the provider knows us
	regRefreshing                 // the same, and REGISTER sent again
	regRetrying                   // the same, but the last refresh has failed
	regLeaving                    // to be taken back when the REGISTER under way has its answer
	regRemoving                   // taken back, the answer is awaited
	regGone                       // over
)

// regInput is what can happen.
type regInput uint8

const (
	regStart    regInput = iota // begin, or do it now
	regAccepted                 // 2xx
	regAgain                    // 401 or 407 that can be answered, 423, 439: the same in another form
	regRefused                  // a final answer that will not change by itself
	regFailed                   // no answer, no way, overloaded
	regDue                      // the time of the next attempt
	regExpired                  // the binding has ended
	regFlowLost                 // the connection by which it was made is gone
	regStop                     // the trunk is taken away, or the server stops
)

// regAction is what to do.
type regAction uint8

const (
	regSend      regAction = iota // a REGISTER
	regResend                     // the same in its other form
	regRemove                     // a REGISTER that takes the binding back
	regRefresh                    // set the time of the next one, and the end of the binding
	regRetry                      // set the time of the next attempt
	regLong                       // the same, far off: somebody has to mend something first
	regOther                      // ask the next server
	regTellUp                     // calls may go
	regTellDown                   // they may not
	regForgotten                  // nothing more will come
)

// step decides. An input that does not fit changes nothing.
func (s regState) step(in regInput) (regState, []regAction) {
	switch s {
	case regIdle, regWaiting:
		return s.resting(in)
	case regTrying:
		return s.trying(in)
	case regBound, regRetrying:
		return s.bound(in)
	case regRefreshing:
		return s.refreshing(in)
	case regLeaving, regRemoving:
		return s.ending(in)
	}
	return s, nil
}

func (s regState) resting(in regInput) (regState, []regAction) {
	switch in {
	case regStart, regDue:
		return regTrying, []regAction{regSend}
	case regStop:
		return regGone, []regAction{regForgotten}
	}
	return s, nil
}

func (s regState) trying(in regInput) (regState, []regAction) {
	switch in {
	case regAccepted:
		return regBound, []regAction{regRefresh, regTellUp}
	case regAgain:
		return s, []regAction{regResend}
	case regRefused:
		return regWaiting, []regAction{regTellDown, regLong}
	case regFailed:
		return regWaiting, []regAction{regTellDown, regOther, regRetry}
	case regStop:
		// RFC 3261 §10.2: no further REGISTER before this one has its answer.
		return regLeaving, nil
	}
	return s, nil
}

func (s regState) bound(in regInput) (regState, []regAction) {
	switch in {
	case regStart, regDue:
		return regRefreshing, []regAction{regSend}
	case regExpired:
		return regTrying, []regAction{regTellDown, regSend}
	case regFlowLost:
		// RFC 5626 §4.5: whoever would call us has lost the way; a new flow is made at once.
		return regTrying, []regAction{regTellDown, regSend}
	case regStop:
		return regRemoving, []regAction{regRemove}
	}
	return s, nil
}

func (s regState) refreshing(in regInput) (regState, []regAction) {
	switch in {
	case regAccepted:
		return regBound, []regAction{regRefresh}
	case regAgain:
		return s, []regAction{regResend}
	case regRefused:
		return regWaiting, []regAction{regTellDown, regLong}
	case regFailed:
		return regRetrying, []regAction{regOther, regRetry} // the binding stands until its end
	case regExpired, regFlowLost:
		return regTrying, []regAction{regTellDown}
	case regStop:
		return regLeaving, nil
	}
	return s, nil
}

func (s regState) ending(in regInput) (regState, []regAction) {
	switch in {
	case regAgain:
		return s, []regAction{regResend}
	case regAccepted:
		if s == regLeaving {
			return regRemoving, []regAction{regRemove}
		}
		return regGone, []regAction{regForgotten}
	case regRefused, regFailed:
		return regGone, []regAction{regForgotten}
	}
	return s, nil
}

// bound reports whether the provider knows us.
func (s regState) registered() bool {
	return s == regBound || s == regRefreshing || s == regRetrying
}

// Pauses between attempts.
const (
	shortestPause = 2 * time.Second
	longestPause  = 5 * time.Minute
	refusedPause  = 15 * time.Minute
	longestLater  = time.Hour // of a Retry-After
)

// pause is how long to wait after so many failures in a row: it doubles, and half of it is chance, so that a provider that comes back is not overrun by all its customers at
// once. later is what it has asked for itself; it is heeded, and nobody comes earlier.
func pause(failures int, later time.Duration, draw func(time.Duration) time.Duration) time.Duration {
	if later > 0 {
		later = min(later, longestLater)
		return later + draw(later/10)
	}
	d := min(shortestPause<<min(failures-1, 16), longestPause)
	return d/2 + draw(d/2)
}

// refreshIn is when a binding that lasts so long is refreshed: well before its end, and not at the same second as everybody else's.
func refreshIn(granted time.Duration, draw func(time.Duration) time.Duration) time.Duration {
	return max(granted*3/4-draw(granted/10), time.Second)
}
