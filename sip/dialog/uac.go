// The caller's decisions from INVITE to BYE, without clock or socket. RFC 3261 §9.1, §13.2, §15.

package dialog

// uacState is how far our initial INVITE has come.
type uacState uint8

const (
	uacCalling    uacState = iota // INVITE sent, no response above 100 yet
	uacProceeding                 // a 1xx came
	uacCancelling                 // the owner gave up; the final response is awaited
	uacAnswered                   // 2xx with the offer came; the owner's answer goes with the ACK
	uacConfirmed                  // ACK sent
	uacOver                       // refused, or BYE sent or received; only late 2xx matter
)

// uacInput is what can happen.
type uacInput uint8

const (
	uacProvisional uacInput = iota // 1xx above 100
	uacSuccess                     // first 2xx, our INVITE held the offer
	uacLateOffer                   // first 2xx, it holds the offer
	uacAgain                       // a 2xx of a dialog that had one
	uacFork                        // a 2xx of another dialog
	uacChallenge                   // 401 or 407, and the authorizer has an answer
	uacFailure                     // another final response, time-out, failure
	uacOrderCancel                 // the owner gives up
	uacOrderAck                    // the owner's answer to a late offer
	uacOrderBye                    // the owner hangs up
	uacPeerBye                     // BYE from the peer
)

// uacAction is what to do.
type uacAction uint8

const (
	uacTellProgress uacAction = iota
	uacTellAnswered
	uacTellRejected
	uacTellEnded
	uacSendAck  // to the dialog of the 2xx at hand
	uacSendBye  // our BYE, its outcome ends the usage
	uacDropFork // ACK and BYE the dialog of the 2xx at hand, no one is told
	uacSendCancel
	uacRestart // the INVITE again with credentials
)

// step decides. An input that does not fit changes nothing.
func (s uacState) step(in uacInput) (uacState, []uacAction) {
	switch in {
	case uacAgain:
		return s, s.again()
	case uacFork:
		// RFC 3261 §13.2.2.4: each 2xx is acknowledged; a second answer is not wanted and gets BYE.
		return s, []uacAction{uacDropFork}
	}
	switch s {
	case uacCalling, uacProceeding:
		return s.ringing(in)
	case uacCancelling:
		return s.cancelling(in)
	case uacAnswered, uacConfirmed:
		return s.up(in)
	}
	return s, nil
}

// again answers a 2xx that was seen before: the ACK was lost, unless it was never sent.
func (s uacState) again() []uacAction {
	if s == uacAnswered {
		return nil
	}
	return []uacAction{uacSendAck}
}

func (s uacState) ringing(in uacInput) (uacState, []uacAction) {
	switch in {
	case uacProvisional:
		return uacProceeding, []uacAction{uacTellProgress}
	case uacSuccess:
		return uacConfirmed, []uacAction{uacSendAck, uacTellAnswered}
	case uacLateOffer:
		return uacAnswered, []uacAction{uacTellAnswered}
	case uacChallenge:
		return uacCalling, []uacAction{uacRestart}
	case uacFailure:
		return uacOver, []uacAction{uacTellRejected}
	case uacOrderCancel, uacOrderBye:
		// RFC 3261 §15.1.1: BYE is possible on an early dialog, but CANCEL ends every branch.
		return uacCancelling, []uacAction{uacSendCancel}
	}
	return s, nil
}

func (s uacState) cancelling(in uacInput) (uacState, []uacAction) {
	switch in {
	case uacSuccess, uacLateOffer:
		// RFC 3261 §9.1: the 2xx was faster than the CANCEL, so the call is up and must be ended by BYE.
		return uacOver, []uacAction{uacDropFork, uacTellRejected}
	case uacChallenge, uacFailure:
		return uacOver, []uacAction{uacTellRejected}
	}
	return s, nil
}

func (s uacState) up(in uacInput) (uacState, []uacAction) {
	switch in {
	case uacOrderAck:
		if s == uacAnswered {
			return uacConfirmed, []uacAction{uacSendAck}
		}
	case uacOrderBye, uacOrderCancel:
		if s == uacAnswered {
			return uacOver, []uacAction{uacSendAck, uacSendBye}
		}
		return uacOver, []uacAction{uacSendBye}
	case uacPeerBye:
		return uacOver, []uacAction{uacTellEnded}
	}
	return s, nil
}
