// Whose offer is on the table: the decisions about re-INVITE and UPDATE, without clock or socket. RFC 3261 §14, RFC 3311 §5, RFC 3262 §5, RFC 6337.

package dialog

// offerState says which exchange of offer and answer is under way. The initial INVITE counts.
type offerState uint8

const (
	offerNone     offerState = iota // the session is settled
	offerSent                       // our INVITE waits for its final response
	offerUnacked                    // 2xx or reliable 1xx to our INVITE without offer came: the owner's answer goes with the ACK or PRACK
	offerCame                       // the peer's INVITE, UPDATE or PRACK waits for the owner
	offerAnswered                   // our 2xx or reliable 1xx to an INVITE without offer waits for the answer in the ACK or PRACK
)

// offerInput is what can happen.
type offerInput uint8

const (
	offerOrder      offerInput = iota // the owner modifies the session
	offerPeer                         // re-INVITE, or UPDATE or PRACK with an offer
	offerSuccess                      // 2xx to our re-INVITE that held the offer
	offerUpdated                      // 2xx to our UPDATE, or the answer to our INVITE in a reliable 1xx
	offerLate                         // 2xx to our re-INVITE without offer
	offerPending                      // 491 to our re-INVITE or UPDATE
	offerGone                         // 481, 408 or no response at all to our re-INVITE or UPDATE
	offerFailure                      // another final response to our re-INVITE or UPDATE
	offerOrderAck                     // the owner's answer to a late offer
	offerAccept                       // the owner accepts; the peer's request held the offer
	offerAcceptLate                   // the owner accepts and offers; the answer comes with the ACK
	offerRefuse                       // the owner refuses
	offerWithdrawn                    // CANCEL of the peer's re-INVITE
	offerAck                          // ACK or PRACK with the answer to our offer
	offerOverdue                      // the owner says nothing to the offer in an UPDATE or PRACK, which cannot wait
	offerEnded                        // 199, or the 2xx of another dialog: what was agreed in the early one is void
)

// offerAction is what to do.
type offerAction uint8

const (
	offerSend       offerAction = iota // our re-INVITE or UPDATE
	offerTell                          // the owner, of the peer's offer
	offerRefuse491                     // RFC 3261 §14.2: our own INVITE is pending
	offerRefuse500                     // RFC 3261 §14.2: the peer's earlier one is, with Retry-After
	offerSendAck                       // to the 2xx at hand, or the PRACK
	offerTellResult                    // the owner, of the outcome of its order
	offerRetry                         // our request, when the glare timer fires
	offerHangUp                        // the dialog is gone: BYE
	offerRespond                       // the owner's response
	offerCancelled                     // 487, and tell the owner
	offerBusy                          // the order does not fit: the owner gets 491
	offerLapse                         // 504, and tell the owner
)

// step decides. An input that does not fit changes nothing.
func (s offerState) step(in offerInput) (offerState, []offerAction) {
	switch in {
	case offerOrder:
		if s != offerNone {
			return s, []offerAction{offerBusy}
		}
		return offerSent, []offerAction{offerSend}
	case offerPeer:
		return s.peer()
	case offerEnded:
		return offerSent, nil
	}
	switch s {
	case offerSent:
		return s.result(in)
	case offerUnacked:
		if in == offerOrderAck {
			return offerNone, []offerAction{offerSendAck}
		}
	case offerCame:
		return s.decision(in)
	case offerAnswered:
		if in == offerAck {
			return offerNone, nil
		}
	}
	return s, in.misplaced()
}

// misplaced refuses an order of the owner that does not fit.
func (in offerInput) misplaced() []offerAction {
	switch in {
	case offerAccept, offerAcceptLate, offerRefuse, offerOrderAck:
		return []offerAction{offerBusy}
	}
	return nil
}

// peer takes or refuses an offer of the peer.
func (s offerState) peer() (offerState, []offerAction) {
	switch s {
	case offerNone:
		return offerCame, []offerAction{offerTell}
	case offerCame:
		return s, []offerAction{offerRefuse500}
	}
	return s, []offerAction{offerRefuse491}
}

// result takes the outcome of our re-INVITE.
func (s offerState) result(in offerInput) (offerState, []offerAction) {
	switch in {
	case offerSuccess:
		return offerNone, []offerAction{offerSendAck, offerTellResult}
	case offerUpdated:
		return offerNone, []offerAction{offerTellResult}
	case offerLate:
		return offerUnacked, []offerAction{offerTellResult}
	case offerPending:
		return offerNone, []offerAction{offerRetry}
	case offerFailure:
		return offerNone, []offerAction{offerTellResult}
	case offerGone:
		return offerNone, []offerAction{offerHangUp}
	}
	return s, in.misplaced()
}

// decision takes the owner's word about the peer's offer.
func (s offerState) decision(in offerInput) (offerState, []offerAction) {
	switch in {
	case offerAccept, offerRefuse:
		return offerNone, []offerAction{offerRespond}
	case offerAcceptLate:
		return offerAnswered, []offerAction{offerRespond}
	case offerWithdrawn:
		return offerNone, []offerAction{offerCancelled}
	case offerOverdue:
		return offerNone, []offerAction{offerLapse}
	}
	return s, in.misplaced()
}
