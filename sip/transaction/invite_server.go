// The INVITE server transaction. RFC 3261 §17.2.1; RFC 6026 §7.1.

package transaction

// stepInviteServer is the machine of RFC 3261 Figure 7 with the Accepted state of RFC 6026. Sending a 2xx again is the TU's
// work (RFC 3261 §13.3.1.4).
func stepInviteServer(s state, e event) (state, actions) {
	switch s {
	case idle:
		if e == request {
			return proceeding, actions{do: pass, start: setTrying | setStale}
		}
	case proceeding:
		return inviteServerProceeding(e)
	case completed:
		return inviteServerCompleted(e)
	case confirmed:
		if e == fires(timerI) {
			return terminated, actions{}
		}
	case accepted:
		switch e {
		case success:
			return accepted, actions{do: send | drop}
		case acknowledge: // only a peer without the cookie of RFC 3261 gets here
			return accepted, actions{do: pass}
		case broken: // RFC 6026 §7.1: the TU is told, and the transaction stays
			return accepted, actions{do: fail}
		case fires(timerL):
			return terminated, actions{}
		}
	}
	return s, actions{}
}

func inviteServerProceeding(e event) (state, actions) {
	switch e {
	case request:
		return proceeding, actions{do: resend}
	case provisional:
		return proceeding, actions{do: send, stop: setTrying, start: setStale}
	case success:
		return accepted, actions{do: send | drop, stop: setTrying | setStale, start: setL}
	case failure:
		return completed, actions{do: send, stop: setTrying | setStale, start: setG | setH}
	case cancelled:
		return proceeding, actions{do: pass}
	case broken:
		return proceeding, actions{do: fail}
	case fires(timerTrying):
		return proceeding, actions{do: sayTry}
	case fires(timerStale): // nothing that comes from the network stays for ever
		return completed, actions{do: sayLate | timeout, start: setG | setH}
	}
	return proceeding, actions{}
}

func inviteServerCompleted(e event) (state, actions) {
	switch e {
	case request:
		return completed, actions{do: resend}
	case acknowledge:
		return confirmed, actions{do: drop, stop: setG | setH, start: setI}
	case broken:
		return completed, actions{do: fail}
	case fires(timerG):
		return completed, actions{do: resend, again: setG}
	case fires(timerH):
		return terminated, actions{do: timeout}
	}
	return completed, actions{}
}
