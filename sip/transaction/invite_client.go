// The INVITE client transaction. RFC 3261 §17.1.1; RFC 6026 §7.2; CANCEL: RFC 3261 §9.1.

package transaction

// stepInviteClient is the machine of RFC 3261 Figure 5 with the Accepted state of RFC 6026, and two states more that
// hold a wish to cancel.
func stepInviteClient(s state, e event) (state, actions) {
	switch s {
	case idle:
		return inviteClientIdle(e)
	case calling, callingCancelled:
		return inviteClientCalling(s, e)
	case proceeding, proceedingCancelled:
		return inviteClientProceeding(s, e)
	case completed:
		return inviteClientCompleted(e)
	case accepted:
		switch e {
		case success: // each 2xx, of whatever fork, goes up: the TU sends its ACK
			return accepted, actions{do: pass}
		case fires(timerM):
			return terminated, actions{}
		}
	}
	return s, actions{}
}

func inviteClientIdle(e event) (state, actions) {
	switch e {
	case request:
		return calling, actions{do: send, start: setA | setB}
	case cancelled: // nothing was sent, so nothing is to be cancelled
		return terminated, actions{do: fail}
	case broken: // no target could be reached
		return terminated, actions{do: fail}
	case fires(timerB): // runs from the order, so that a slow look-up counts
		return terminated, actions{do: timeout}
	}
	return idle, actions{}
}

func inviteClientCalling(s state, e event) (state, actions) {
	switch e {
	case provisional:
		if s == callingCancelled {
			return proceedingCancelled, actions{do: pass | cancel, stop: setA | setB, start: setCancel}
		}
		return proceeding, actions{do: pass, stop: setA | setB}
	case success:
		return accepted, actions{do: pass | drop, stop: setA | setB, start: setM}
	case failure:
		return completed, actions{do: pass | ack, stop: setA | setB, start: setD}
	case cancelled: // RFC 3261 §9.1: no CANCEL before a 1xx
		return callingCancelled, actions{}
	case broken:
		return terminated, actions{do: fail}
	case fires(timerA):
		return s, actions{do: resend, again: setA}
	case fires(timerB):
		return terminated, actions{do: timeout}
	}
	return s, actions{}
}

func inviteClientProceeding(s state, e event) (state, actions) {
	switch e {
	case provisional:
		return s, actions{do: pass}
	case success:
		return accepted, actions{do: pass | drop, stop: setCancel, start: setM}
	case failure:
		return completed, actions{do: pass | ack, stop: setCancel, start: setD}
	case cancelled:
		if s == proceeding {
			return proceedingCancelled, actions{do: cancel, start: setCancel}
		}
	case broken: // the flow that the TU named is gone, and with it every answer
		return terminated, actions{do: fail}
	case fires(timerCancel): // RFC 3261 §9.1: 64*T1 after the CANCEL the transaction is considered cancelled
		if s == proceedingCancelled {
			return terminated, actions{do: timeout}
		}
	}
	return s, actions{}
}

func inviteClientCompleted(e event) (state, actions) {
	switch e {
	case failure:
		return completed, actions{do: resend}
	case broken: // the ACK could not be sent
		return terminated, actions{do: fail}
	case fires(timerD):
		return terminated, actions{}
	}
	return completed, actions{}
}
