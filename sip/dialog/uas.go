// The callee's decisions from INVITE to BYE, without clock or socket. RFC 3261 §9.2, §13.3, §15.1.2; RFC 3262 §3.

package dialog

// uasState is how far the peer's initial INVITE has come.
type uasState uint8

const (
	uasOpen      uasState = iota // not answered yet
	uasHeld                      // the owner has answered; the 2xx waits for the PRACK to a 1xx with a description
	uasAnswered                  // 2xx sent, ACK awaited
	uasLeaving                   // the owner hung up before the ACK came
	uasConfirmed                 // ACK received
	uasOver                      // refused, cancelled, BYE sent or received
)

// uasInput is what can happen.
type uasInput uint8

const (
	uasOrderProvisional uasInput = iota // the owner sends a 1xx
	uasOrderAnswer                      // the owner sends a 2xx
	uasOrderHeld                        // the same while a reliable 1xx with a description waits for its PRACK
	uasOrderReject                      // the owner sends another final response
	uasOrderBye                         // the owner hangs up
	uasCancel                           // CANCEL from the peer
	uasAck                              // ACK to the 2xx
	uasPeerBye                          // BYE from the peer
	uasResend                           // the next retransmission of the 2xx is due
	uasGiveUp                           // 64*T1 since the 2xx
	uasPracked                          // the PRACK for which the 2xx waits
	uasNoPrack                          // 64*T1 since the reliable 1xx
)

// uasAction is what to do.
type uasAction uint8

const (
	uasRespond       uasAction = iota // send the owner's response
	uasAwaitAck                       // repeat it until ACK
	uasRepeat                         // send the 2xx once more
	uasSettle                         // stop repeating
	uasSendCancelled                  // answer 487
	uasTellAck
	uasTellCancelled
	uasTellEnded
	uasSendBye     // our BYE, its outcome ends the usage
	uasByeNoAck    // the same, because no ACK came
	uasRefused     // the order comes too late
	uasSendNoPrack // answer 504
)

// step decides. An input that does not fit changes nothing.
func (s uasState) step(in uasInput) (uasState, []uasAction) {
	switch s {
	case uasOpen:
		return s.open(in)
	case uasHeld:
		return s.held(in)
	case uasAnswered, uasLeaving:
		return s.answered(in)
	case uasConfirmed:
		switch in {
		case uasOrderBye:
			return uasOver, []uasAction{uasSendBye}
		case uasPeerBye:
			return uasOver, []uasAction{uasTellEnded}
		}
	}
	return s, late(in)
}

// late refuses the owner's answers when there is nothing to answer any more.
func late(in uasInput) []uasAction {
	if in <= uasOrderBye {
		return []uasAction{uasRefused}
	}
	return nil
}

func (s uasState) open(in uasInput) (uasState, []uasAction) {
	switch in {
	case uasOrderProvisional:
		return uasOpen, []uasAction{uasRespond}
	case uasOrderAnswer:
		return uasAnswered, []uasAction{uasRespond, uasAwaitAck}
	case uasOrderHeld:
		// RFC 3262 §3: no 2xx while a reliable 1xx that holds an offer or answer is not acknowledged.
		return uasHeld, nil
	}
	return s.unanswered(in)
}

func (s uasState) held(in uasInput) (uasState, []uasAction) {
	if in == uasPracked {
		return uasAnswered, []uasAction{uasRespond, uasAwaitAck}
	}
	return s.unanswered(in)
}

// unanswered ends a call to which no 2xx has gone.
func (s uasState) unanswered(in uasInput) (uasState, []uasAction) {
	switch in {
	case uasNoPrack:
		return uasOver, []uasAction{uasSendNoPrack, uasTellCancelled}
	case uasOrderReject, uasOrderBye:
		return uasOver, []uasAction{uasRespond}
	case uasCancel, uasPeerBye:
		// RFC 3261 §15.1.2: a BYE inside the early dialog ends the INVITE with 487 too.
		return uasOver, []uasAction{uasSendCancelled, uasTellCancelled}
	}
	return s, late(in)
}

func (s uasState) answered(in uasInput) (uasState, []uasAction) {
	switch in {
	case uasAck:
		if s == uasLeaving {
			return uasOver, []uasAction{uasSettle, uasSendBye}
		}
		return uasConfirmed, []uasAction{uasSettle, uasTellAck}
	case uasOrderBye:
		if s == uasLeaving {
			break
		}
		// RFC 3261 §15: the callee sends no BYE before the ACK came or was given up.
		return uasLeaving, nil
	case uasPeerBye:
		return uasOver, []uasAction{uasSettle, uasTellEnded}
	case uasResend:
		return s, []uasAction{uasRepeat}
	case uasGiveUp:
		if s == uasLeaving {
			return uasOver, []uasAction{uasSettle, uasSendBye}
		}
		return uasOver, []uasAction{uasSettle, uasByeNoAck}
	}
	return s, late(in)
}
