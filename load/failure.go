// Why operations fail.

package load

import (
	"fmt"

	"github.com/sipwerk/sipwerk/sip"
)

// Fault is what went wrong with an operation.
type Fault uint8

// The faults.
const (
	FaultNone        Fault = iota
	FaultStatus            // refused; the status says how
	FaultTimeout           // no final answer within 64*T1
	FaultUnanswered        // no final answer when the run ended
	FaultCredentials       // challenged, and there is no password or it was refused
	FaultCSeq              // an answer with another CSeq than the request
	FaultCallID            // an answer with another Call-ID
	FaultTag               // an answer with another From tag, or a 2xx without To tag
	FaultVia               // an answer with more than our Via
	FaultContact           // a 2xx to an INVITE without a Contact that can be used
	FaultBody              // an INVITE, its 2xx or a MESSAGE without the body it should have
	FaultRecordRoute       // the 2xx has not the Record-Route that the callee sent back
	FaultStrictRoute       // a Record-Route without lr
	FaultInvalid           // a request at the callee breaks the rules
	FaultLeftRoute         // a request came to the callee with a Route that is not taken off
	FaultTarget            // a request within a call came to another URI than the callee's Contact
	FaultNoAck             // no ACK came for the callee's 2xx
	FaultRoom              // as many operations as there is room for were in flight
	FaultSend              // the connection is gone
)

// sentences are the faults in words.
var sentences = [...]string{
	FaultStatus: "refused", FaultTimeout: "no final answer", FaultUnanswered: "no final answer before the end", FaultCredentials: "challenged, without a password or in vain",
	FaultCSeq: "answer with a wrong CSeq", FaultCallID: "answer with a wrong Call-ID", FaultTag: "answer with a wrong tag", FaultVia: "answer with too many Vias",
	FaultContact: "2xx without a Contact", FaultBody: "body lost or changed", FaultRecordRoute: "Record-Route lost", FaultStrictRoute: "Record-Route without lr",
	FaultInvalid: "invalid request at the callee", FaultLeftRoute: "Route not taken off before the callee", FaultTarget: "request to another URI than the Contact",
	FaultNoAck: "no ACK at the callee", FaultRoom: "too many operations in flight", FaultSend: "connection lost",
}

// String says the fault in a few words.
func (f Fault) String() string { return sentences[f] }

// Failure is a kind of failure, and how many there were.
type Failure struct {
	Fault  Fault      `json:"-"`
	Method sip.Method `json:"method"`
	Status sip.Status `json:"status,omitempty"`
	Reason string     `json:"reason"`
	Count  int64      `json:"count"`
}

// failure is what failures are counted by.
type failure struct {
	fault  Fault
	kind   kind
	status sip.Status
}

// String is for sentences: "INVITE: refused (486 Busy Here)".
func (f Failure) String() string {
	if f.Status != 0 {
		return fmt.Sprintf("%s: %s (%s)", f.Method, f.Reason, f.Status.Error())
	}
	return fmt.Sprintf("%s: %s", f.Method, f.Reason)
}
