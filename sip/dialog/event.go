// What the owner of a usage is told.

package dialog

import "github.com/sipwerk/sipwerk/sip"

// Owner is told what happens to its usage. HandleUsage runs in the usage's stripe and must not block; it may give orders to the usage
// from within. Messages in the event are valid until it returns; Clone keeps one.
//
// The last event of a usage is exactly one of [Rejected], [Cancelled] and [Ended]. A usage that the owner refuses with Reject ends
// without an event, and so does one whose constructor failed.
type Owner interface {
	HandleUsage(u *Usage, ev Event)
}

// OwnerFunc makes a function an Owner.
type OwnerFunc func(u *Usage, ev Event)

// HandleUsage calls f.
func (f OwnerFunc) HandleUsage(u *Usage, ev Event) { f(u, ev) }

// Event is one of the types of this file.
type Event interface{ event() }

// Progress is a 1xx above 100 to our INVITE. Dialog is the early dialog it belongs to, nil if it has no To tag; a fork makes several. A reliable one has its
// PRACK, unless it holds the offer because the INVITE had none: [Usage.Ack] brings the answer. Status 199 says that Dialog is over (RFC 6228).
type Progress struct {
	Dialog   *Dialog
	Response *sip.Response
}

// Answered is the first 2xx to our INVITE. The ACK has been sent if the INVITE held an offer; otherwise the response holds it, and the
// owner answers with [Usage.Ack]. It has no body if the session was agreed in a reliable 1xx.
type Answered struct{ Response *sip.Response }

// Rejected ends a usage that we started: a final response other than 2xx, 408 without response on time-out, 503 without response when
// nothing could be sent (Err says why), 487 after [Usage.Cancel].
type Rejected struct {
	Status   sip.Status
	Response *sip.Response
	Err      error
}

// AckReceived is the ACK to our 2xx to the initial INVITE, and any later ACK that holds an answer because our 2xx held the offer.
// When a re-INVITE comes and the ACK before it was lost, Request is an empty ACK.
type AckReceived struct{ Request *sip.Request }

// PrackReceived is the PRACK with the answer to the offer in our reliable 1xx. RFC 3262 §5.
type PrackReceived struct{ Request *sip.Request }

// Cancelled ends a usage that came in and was not answered yet: CANCEL, or BYE inside the early dialog, and 487 has been sent; or no PRACK to a reliable
// 1xx, and 504 has been sent; or it was left without an answer until the transaction gave 408.
type Cancelled struct {
	Status sip.Status // what the caller was told
	Reason string
}

// Offer is a re-INVITE, UPDATE or PRACK from the peer that changes the session, or asks for an offer if it has no body. The owner answers now or
// later with [Usage.Accept] or [Usage.Refuse]. UPDATE and PRACK come before the answer to the INVITE too; they wait 16 s, then they get 504 (RFC 3311 §5.2).
type Offer struct{ Request *sip.Request }

// Withdrawn says that the pending [Offer] was cancelled and answered with 487, or waited too long and was answered with 504.
type Withdrawn struct{}

// Refreshed is the answer of the peer to the description that we repeat to keep the session alive (RFC 4028 §7.4): as a rule it says nothing new.
type Refreshed struct{ Response *sip.Response }

// Modified is the outcome of [Usage.Modify] or [Usage.Update]. On 2xx the ACK has been sent, or is due with [Usage.Ack] when the re-INVITE had no
// offer. On anything else the session stays as it was (RFC 6141 §3.1). Response is nil if there was none.
type Modified struct {
	Status   sip.Status
	Response *sip.Response
}

// Request is any other request inside the dialog: INFO, MESSAGE, REFER, NOTIFY … The owner answers it with [Usage.Respond], or calls Keep
// and answers later; if it does neither, the usage answers: 200 to OPTIONS, 405 to a method that it knows, 501 to others.
type Request struct {
	Tx       sip.TransactionID
	Request  *sip.Request
	kept     bool
	answered bool
}

// Keep says that the owner answers after HandleUsage has returned.
func (r *Request) Keep() { r.kept = true }

// Ended ends a usage that had been answered.
type Ended struct {
	Cause  Cause
	Reason string // the value of the Reason header of the peer's BYE (RFC 3326)
}

// Cause says why a call that was up is over.
type Cause uint8

// The causes.
const (
	ByeReceived Cause = iota + 1
	ByeSent           // the owner asked for it, and the peer has confirmed or is gone
	NoAck             // our 2xx was never acknowledged; a BYE is under way. RFC 3261 §13.3.1.4
	DialogGone        // the peer answered 481, or not at all; a BYE is under way. RFC 3261 §12.2.1.2
	FlowLost          // the only way to the peer is gone
	Expired           // nobody has refreshed the session in time; a BYE is under way. RFC 4028 §10
)

// String gives the cause in words for a log.
func (c Cause) String() string {
	return [...]string{"none", "BYE received", "BYE sent", "no ACK", "dialog gone", "flow lost", "session expired"}[c]
}

func (Progress) event()      {}
func (Answered) event()      {}
func (Rejected) event()      {}
func (AckReceived) event()   {}
func (PrackReceived) event() {}
func (Cancelled) event()     {}
func (Refreshed) event()     {}
func (Offer) event()         {}
func (Withdrawn) event()     {}
func (Modified) event()      {}
func (*Request) event()      {}
func (Ended) event()         {}
