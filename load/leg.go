// The called side of one call as a pure machine: it rings and answers at once. RFC 3261 §13.3.1.4, §15.1.2.

package load

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// legPhase is how far the called side of a call is.
type legPhase uint8

const (
	legFree       legPhase = iota // none
	legAnswered                   // its 200 waits for the ACK
	legTalking                    // the ACK has come
	legHalfClosed                 // the BYE has come before the ACK
)

// legEvent is what befalls a leg.
type legEvent uint8

const (
	legInvite  legEvent = iota // a new INVITE
	legAgain                   // the same once more
	legAck                     // an ACK
	legBye                     // a BYE
	legTimer                   // the time to send the 200 again
	legTimeout                 // 64*T1 without an ACK
)

// legDeed is a set of what the called side does.
type legDeed uint8

const (
	legRing   legDeed = 1 << iota // send 180
	legAnswer                     // send 200
	legResend                     // send the 200 again
	legOkay                       // answer the BYE with 200
	legMiss                       // tell that no ACK came
)

// step says what happens next.
func (p legPhase) step(e legEvent) (legPhase, legDeed) {
	switch {
	case p == legFree && e == legInvite:
		return legAnswered, legRing | legAnswer
	case p == legFree && e == legBye:
		return legFree, legOkay // a copy: the answer to the first was lost
	case p == legFree:
		return legFree, 0
	case e == legAgain:
		return p, legResend
	case e == legTimer && p == legAnswered:
		return p, legResend
	case e == legTimeout && p != legTalking:
		return legFree, legMiss
	case e == legAck && p == legHalfClosed:
		return legFree, 0
	case e == legAck:
		return legTalking, 0
	case e == legBye && p == legTalking:
		return legFree, legOkay
	case e == legBye:
		return legHalfClosed, legOkay
	}
	return p, 0
}

// leg is the called side of one call.
type leg struct {
	key    uint64 // of its Call-ID
	phase  legPhase
	class  int           // of the timer that runs
	serial uint32        // of that timer
	cseq   uint32        // of the INVITE
	call   uint64        // the operation, if the server left its Call-ID as it was; 0 otherwise
	began  time.Duration // when the 200 was first sent
	port   *port
	flow   sip.Flow
	answer []byte // the 200
}
