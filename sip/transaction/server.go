// The non-INVITE server transaction. RFC 3261 §17.2.2; RFC 4320 §4.

package transaction

// stepServer is the machine of RFC 3261 Figure 8 with the two amendments of RFC 4320: a 100 only after the time it takes
// Timer E to reach T2 (§4.1), and no answer after the client gave up (§4.2). That a 408 is never sent is [Table.Respond]'s care.
func stepServer(s state, e event) (state, actions) {
	switch s {
	case idle:
		if e == request {
			return trying, actions{do: pass, start: setTrying | setLate}
		}
	case trying, proceeding:
		return serverWaiting(s, e)
	case completed:
		switch e {
		case request:
			return completed, actions{do: resend}
		case broken:
			return terminated, actions{do: fail}
		case fires(timerJ):
			return terminated, actions{}
		}
	}
	return s, actions{}
}

func serverWaiting(s state, e event) (state, actions) {
	switch e {
	case request:
		if s == proceeding {
			return proceeding, actions{do: resend}
		}
	case provisional:
		return proceeding, actions{do: send, stop: setTrying}
	case success, failure:
		return completed, actions{do: send, stop: setTrying | setLate, start: setJ}
	case broken:
		return terminated, actions{do: fail}
	case fires(timerTrying):
		if s == trying {
			return proceeding, actions{do: sayTry}
		}
	case fires(timerLate):
		return terminated, actions{do: timeout}
	}
	return s, actions{}
}
