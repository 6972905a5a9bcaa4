// The notifier's decisions about one subscription, without clock or socket. RFC 6665 §4.2.2.

package event

// noticeState is how far the telling of a subscriber has come. One NOTIFY is under way at a time: a later one that overtakes it would be refused, or worse,
// taken (RFC 3261 §12.2.2).
type noticeState uint8

const (
	noticeQuiet   noticeState = iota // the subscriber knows everything
	noticeSending                    // a NOTIFY is under way
	noticeStale                      // the same, and there is news
	noticeOwing                      // the same, and the subscriber has asked for everything
	noticePaused                     // told a moment ago
	noticeHeld                       // the same, and there is news
	noticeClosing                    // the subscription is over; the last NOTIFY waits for the one under way
	noticeEnding                     // the last NOTIFY is under way
	noticeOver
)

// noticeInput is what can happen.
type noticeInput uint8

const (
	noticeSubscribe noticeInput = iota // a SUBSCRIBE was accepted, the first or another
	noticeLeave                        // a SUBSCRIBE with Expires 0 was accepted
	noticeChange                       // the state of the resource has changed
	noticeDue                          // the pause after a NOTIFY is over
	noticeAnswered                     // the NOTIFY under way was answered, well or not
	noticeGone                         // its answer, or none at all, ends the subscription
	noticeExpire                       // nobody has refreshed in time
	noticeEnd                          // the owner ends it
)

// noticeAction is what to do.
type noticeAction uint8

const (
	noticeTell      noticeAction = iota // NOTIFY what is new
	noticeTellAll                       // NOTIFY the whole state
	noticeTellEnd                       // NOTIFY the whole state and the end
	noticePause                         // begin the pause after a NOTIFY
	noticeStopPause                     // end it
	noticeForget                        // the subscription is over
)

// step decides. An input that does not fit changes nothing.
func (s noticeState) step(in noticeInput) (noticeState, []noticeAction) {
	if s != noticeOver && in == noticeGone {
		return noticeOver, []noticeAction{noticeStopPause, noticeForget}
	}
	switch s {
	case noticeQuiet, noticePaused, noticeHeld:
		return s.idle(in)
	case noticeSending, noticeStale, noticeOwing:
		return s.busy(in)
	case noticeClosing:
		if in == noticeAnswered {
			return noticeEnding, []noticeAction{noticeTellEnd}
		}
	case noticeEnding:
		if in == noticeAnswered {
			return noticeOver, []noticeAction{noticeForget}
		}
	}
	return s, nil
}

// idle decides while no NOTIFY is under way.
func (s noticeState) idle(in noticeInput) (noticeState, []noticeAction) {
	switch in {
	case noticeSubscribe:
		// RFC 6665 §4.2.1.2: whoever subscribes is told at once, whatever the pause.
		return noticeSending, []noticeAction{noticeStopPause, noticeTellAll}
	case noticeLeave, noticeExpire, noticeEnd:
		return noticeEnding, []noticeAction{noticeStopPause, noticeTellEnd}
	case noticeChange:
		if s == noticeQuiet {
			return noticeSending, []noticeAction{noticeTell}
		}
		return noticeHeld, nil
	case noticeDue:
		if s == noticeHeld {
			return noticeSending, []noticeAction{noticeTell}
		}
		return noticeQuiet, nil
	}
	return s, nil
}

// busy decides while a NOTIFY is under way.
func (s noticeState) busy(in noticeInput) (noticeState, []noticeAction) {
	switch in {
	case noticeSubscribe:
		return noticeOwing, nil
	case noticeLeave, noticeExpire, noticeEnd:
		return noticeClosing, nil
	case noticeChange:
		if s == noticeSending {
			return noticeStale, nil
		}
	case noticeAnswered:
		switch s {
		case noticeSending:
			return noticePaused, []noticeAction{noticePause}
		case noticeStale:
			return noticeHeld, []noticeAction{noticePause}
		}
		return noticeSending, []noticeAction{noticeTellAll}
	}
	return s, nil
}
