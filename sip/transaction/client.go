// The non-INVITE client transaction. RFC 3261 §17.1.2.

package transaction

// stepClient is the machine of RFC 3261 Figure 6.
func stepClient(s state, e event) (state, actions) {
	switch s {
	case idle:
		switch e {
		case request:
			return trying, actions{do: send, start: setE | setF}
		case broken:
			return terminated, actions{do: fail}
		case fires(timerF): // runs from the order, so that a slow look-up counts
			return terminated, actions{do: timeout}
		}
	case trying, proceeding:
		return clientWaiting(s, e)
	case completed:
		if e == fires(timerK) {
			return terminated, actions{}
		}
	}
	return s, actions{}
}

func clientWaiting(s state, e event) (state, actions) {
	switch e {
	case provisional:
		return proceeding, actions{do: pass}
	case success, failure:
		return completed, actions{do: pass | drop, stop: setE | setF, start: setK}
	case broken:
		return terminated, actions{do: fail}
	case fires(timerE):
		return s, actions{do: resend, again: setE, slow: s == proceeding}
	case fires(timerF):
		return terminated, actions{do: timeout}
	}
	return s, actions{}
}
