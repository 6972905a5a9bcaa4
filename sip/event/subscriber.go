// The subscriber's decisions about one subscription, without clock or socket. RFC 6665 §4.1.2.

package event

// watchState is how far a subscription of ours has come.
type watchState uint8

const (
	watchAsking   watchState = iota // SUBSCRIBE sent; no NOTIFY has come
	watchUp                         // the notifier has told us something
	watchRenewing                   // a refresh waits for its NOTIFY
	watchLeaving                    // we have asked for the end; the last NOTIFY is awaited
	watchOver
)

// watchInput is what can happen.
type watchInput uint8

const (
	watchNotify     watchInput = iota // a NOTIFY that says active or pending
	watchTerminated                   // a NOTIFY that says terminated
	watchGranted                      // a 2xx to SUBSCRIBE
	watchRefused                      // another final answer, or none
	watchTimerN                       // no NOTIFY within 64*T1 of a SUBSCRIBE
	watchDue                          // it is time for a refresh
	watchExpired                      // the subscription has run out
	watchLeave                        // the owner wants no more
)

// watchAction is what to do.
type watchAction uint8

const (
	watchTell     watchAction = iota // hand the NOTIFY on
	watchRefresh                     // SUBSCRIBE again, and start timer N
	watchGoodbye                     // SUBSCRIBE with Expires 0, and start timer N
	watchArm                         // for the next refresh and the end
	watchStopN                       // stop timer N
	watchLater                       // keep it until it runs out
	watchTellOver                    // it is over
)

// step decides. An input that does not fit changes nothing.
func (s watchState) step(in watchInput) (watchState, []watchAction) {
	switch {
	case s == watchOver:
		return s, nil
	case in == watchTerminated:
		return watchOver, []watchAction{watchTell, watchTellOver}
	case in == watchTimerN, in == watchExpired:
		// RFC 6665 §4.1.2.1, §4.1.2.2: without NOTIFY within timer N there is no subscription, whatever the answer to SUBSCRIBE was.
		return watchOver, []watchAction{watchTellOver}
	case s == watchLeaving:
		return s.leaving(in)
	}
	switch in {
	case watchNotify:
		return watchUp, []watchAction{watchStopN, watchTell, watchArm}
	case watchGranted:
		return s, []watchAction{watchArm}
	case watchRefused:
		if s == watchAsking {
			return watchOver, []watchAction{watchTellOver}
		}
		// RFC 6665 §4.1.2.2: a refresh that fails, but for one that says that there is no subscription, leaves it as long as it was.
		return watchUp, []watchAction{watchStopN, watchLater}
	case watchDue:
		if s == watchUp {
			return watchRenewing, []watchAction{watchRefresh}
		}
	case watchLeave:
		if s == watchAsking {
			// Nobody knows yet to whom: whoever answers finds no subscription and gets 481.
			return watchOver, []watchAction{watchTellOver}
		}
		return watchLeaving, []watchAction{watchGoodbye}
	}
	return s, nil
}

// leaving decides after our SUBSCRIBE with Expires 0.
func (s watchState) leaving(in watchInput) (watchState, []watchAction) {
	switch in {
	case watchNotify:
		return s, []watchAction{watchTell}
	case watchRefused:
		return watchOver, []watchAction{watchTellOver}
	}
	return s, nil
}
