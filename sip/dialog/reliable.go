// The callee's reliable provisional responses, one at a time: the decisions, without clock or socket. RFC 3262 §3, §5.

package dialog

// reliableState says what waits for its PRACK.
type reliableState uint8

const (
	reliableNone  reliableState = iota // nothing
	reliablePlain                      // a 1xx without description
	reliableFull                       // a 1xx that holds an offer or an answer
)

// reliableInput is what can happen.
type reliableInput uint8

const (
	reliableOrder     reliableInput = iota // the owner sends a 1xx without description
	reliableOrderFull                      // the owner sends one with an offer or answer
	reliableAnswer                         // the owner sends a 2xx
	reliableReject                         // the owner sends another final response, or the call ends
	reliableAcked                          // the PRACK to the 1xx that waits
	reliableResend                         // the next retransmission is due
	reliableGiveUp                         // 64*T1 since it was sent
)

// reliableAction is what to do.
type reliableAction uint8

const (
	reliableSend   reliableAction = iota // the 1xx at hand, and repeat it until its PRACK
	reliableQueue                        // the 1xx waits for the PRACK to the one before
	reliableRepeat                       // the 1xx once more
	reliableStop                         // repeat no more
	reliableNext                         // send what waits: the 2xx, or the next 1xx
	reliableHold                         // the 2xx waits
	reliablePass                         // the final response goes out
	reliableFail                         // refuse the INVITE
)

// step decides. An input that does not fit changes nothing.
func (s reliableState) step(in reliableInput) (reliableState, []reliableAction) {
	switch in {
	case reliableOrder, reliableOrderFull:
		return s.order(in)
	case reliableReject:
		return reliableNone, s.final()
	case reliableAnswer:
		if s == reliableFull {
			return s, []reliableAction{reliableHold}
		}
		return reliableNone, s.final()
	}
	if s == reliableNone {
		return s, nil
	}
	switch in {
	case reliableAcked:
		return reliableNone, []reliableAction{reliableStop, reliableNext}
	case reliableResend:
		return s, []reliableAction{reliableRepeat}
	case reliableGiveUp:
		return reliableNone, []reliableAction{reliableStop, reliableFail}
	}
	return s, nil
}

func (s reliableState) order(in reliableInput) (reliableState, []reliableAction) {
	switch {
	case s != reliableNone:
		// RFC 3262 §3: no second reliable response before the first is acknowledged.
		return s, []reliableAction{reliableQueue}
	case in == reliableOrderFull:
		return reliableFull, []reliableAction{reliableSend}
	}
	return reliablePlain, []reliableAction{reliableSend}
}

// final ends the wait, if there is one, and lets the final response go.
func (s reliableState) final() []reliableAction {
	if s == reliableNone {
		return []reliableAction{reliablePass}
	}
	return []reliableAction{reliableStop, reliablePass}
}
