// The 2xx to an INVITE of a handler without dialogs: sent again until its ACK comes, and BYE if none does. RFC 3261 §13.3.1.4; RFC 6026 §7.1.

package stack

import (
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// answers are the 2xx of one stripe that wait for their ACK. There are never more than INVITE server transactions, for each ends with its own.
type answers map[answerKey]*answer

// answerKey is what an ACK shares with the INVITE it ends. RFC 3261 §13.2.2.4.
type answerKey struct {
	call, tag string
	seq       uint32
}

// answer is a 2xx that waits for its ACK. Its stripe owns it.
type answer struct {
	key      answerKey
	tx       sip.TransactionID
	request  *sip.Request
	response *sip.Response
	wait     time.Duration
	resend   sip.Timer
	giveUp   sip.Timer
}

// Accept implements [sip.Engine].
func (s *Stack) Accept(tx sip.TransactionID, req *sip.Request, res *sip.Response) error {
	if err := s.table.Respond(tx, res); err != nil {
		return err
	}
	cseq, err := req.CSeq()
	if err != nil {
		return err
	}
	key := answerKey{strings.Clone(req.CallID()), strings.Clone(res.ToTag()), cseq.Number}
	n := sip.StripeOf(key.call)
	a := &answer{key: key, tx: tx, request: req.Clone(), response: res.Clone(), wait: s.table.Timers.T1}
	a.resend = s.After(n, a.wait, func() { s.answerAgain(n, a) })
	a.giveUp = s.After(n, 64*s.table.Timers.T1, func() { s.unanswered(n, a) })
	if s.answers[n] == nil {
		s.answers[n] = make(answers)
	}
	s.answers[n][key] = a
	return nil
}

// answerAgain sends the 2xx once more: over every transport, as RFC 3261 §13.3.1.4 asks, for a stream may end at a proxy.
func (s *Stack) answerAgain(n sip.Stripe, a *answer) {
	if s.table.Respond(a.tx, a.response) != nil {
		s.answers[n].settle(a.key)
		return
	}
	a.wait = min(2*a.wait, s.table.Timers.T2)
	a.resend = s.After(n, a.wait, func() { s.answerAgain(n, a) })
}

// unanswered ends a call whose ACK never came. Open: inside a dialog the BYE is left to the handler, for the stack does not know its sequence numbers.
func (s *Stack) unanswered(n sip.Stripe, a *answer) {
	s.answers[n].settle(a.key)
	s.Log.Debug("stack: no ACK to a 2xx", "call-id", a.key.call)
	if a.request.ToTag() != "" {
		return
	}
	d, err := dialog.NewUAS(a.request, a.key.tag)
	if err != nil {
		return
	}
	// Whether the BYE arrives changes nothing here.
	_, _ = s.Start(n, d.Request(sip.MethodBye), d.Destination(), nil)
}

// overhear is next behind an ear for the ACK to a 2xx, and for the BYE that makes one needless.
func (s *Stack) overhear(next sip.EventHandler) sip.EventHandler {
	return sip.EventHandlerFunc(func(ev *sip.Event) {
		if waiting := s.answers[ev.Stripe]; len(waiting) > 0 {
			waiting.hear(ev.Request)
		}
		next.HandleEvent(ev)
	})
}

// hear takes a request or ACK that begins or needs no transaction of ours.
func (all answers) hear(r *sip.Request) {
	if r == nil {
		return
	}
	switch r.Method {
	case sip.MethodAck:
		if cseq, err := r.CSeq(); err == nil {
			all.settle(answerKey{r.CallID(), r.ToTag(), cseq.Number})
		}
	case sip.MethodBye:
		for key := range all {
			if key.call == r.CallID() && key.tag == r.ToTag() {
				all.settle(key)
			}
		}
	}
}

// settle ends the wait of one 2xx.
func (all answers) settle(key answerKey) {
	if a := all[key]; a != nil {
		a.resend.Stop()
		a.giveUp.Stop()
		delete(all, key)
	}
}
