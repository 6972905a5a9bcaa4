// The loop over the responses to a request. RFC 3261 §8.1, §9.1, §13.2.2.

package stack

import (
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// Send sends a copy of req and yields its responses, each an owned copy; the loop ends with the first final one, or with an error:
// [sip.ErrTimeout], that of the last target tried, or that of ctx. From with tag, To, Call-ID and CSeq are added where they are missing.
//
// Leaving the loop early, or the end of ctx, cancels an INVITE. Every 2xx to an INVITE is ACKed by the stack, copies included; one that comes
// after the loop was left or has ended, for another fork or in spite of the CANCEL, is then ended with BYE, unless Forked takes it. Where
// the ACK must carry a body, use package dialog.
func (s *Stack) Send(ctx context.Context, req *sip.Request) iter.Seq2[*sip.Response, error] {
	return func(yield func(*sip.Response, error) bool) {
		if err := s.begin(); err != nil {
			yield(nil, err)
			return
		}
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		x := s.newExchange(req)
		s.Do(x.stripe, x.launch)
		for {
			res, err := x.next(ctx)
			if !yield(res, err) || err != nil || res.Status.Final() {
				break
			}
		}
		s.Do(x.stripe, x.leave)
	}
}

// exchange is one request of Send. Its events come in its stripe; the loop takes responses out of the queue.
type exchange struct {
	stack   *Stack
	stripe  sip.Stripe
	request *sip.Request

	// Owned by the stripe.
	tx      sip.TransactionID
	left    bool             // the loop has ended
	chosen  string           // To tag of the 2xx that the loop yielded
	dialogs []*dialog.Dialog // of the 2xx that were hung up

	wake  chan struct{} // holds a token when there is something to take
	mu    sync.Mutex    // guards queue and err
	queue []*sip.Response
	err   error
}

// queued is how many provisional responses wait for a slow loop; the oldest give way.
const queued = 64

func (s *Stack) newExchange(req *sip.Request) *exchange {
	req = req.Clone()
	if !req.Has(sip.HeaderCallID) {
		req.Set(sip.HeaderCallID, s.NewID(sip.Stripe(s.counts.sent.Add(1)%sip.Stripes)))
	}
	stripe := sip.StripeOf(req.CallID())
	if !req.Has(sip.HeaderFrom) {
		req.Set(sip.HeaderFrom, "<sip:anonymous@anonymous.invalid>")
	}
	if from, err := req.From(); err == nil && from.Tag() == "" {
		req.Set(sip.HeaderFrom, from.WithTag(s.NewID(stripe)).String())
	}
	if !req.Has(sip.HeaderTo) {
		req.Set(sip.HeaderTo, sip.Address{URI: req.URI}.String())
	}
	if !req.Has(sip.HeaderCSeq) {
		req.Set(sip.HeaderCSeq, sip.CSeq{Number: 1, Method: req.Method}.String())
	}
	return &exchange{stack: s, stripe: stripe, request: req, wake: make(chan struct{}, 1)}
}

// launch runs in the stripe.
func (x *exchange) launch() {
	tx, err := x.stack.Start(x.stripe, x.request, sip.Destination{}, x)
	if err != nil {
		x.put(nil, err)
	}
	x.tx = tx
}

// leave runs in the stripe when the loop has ended.
func (x *exchange) leave() {
	x.left = true
	// An error means that there is nothing to cancel: no INVITE, or it has its final response.
	_ = x.stack.Cancel(x.tx, "")
	if res := x.unread(); res != nil {
		x.late(res)
	}
}

// unread returns a 2xx that the loop did not take.
func (x *exchange) unread() *sip.Response {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, res := range x.queue {
		if res.Status.Success() && x.request.Method == sip.MethodInvite {
			return res
		}
	}
	return nil
}

// next waits for a response or an error.
func (x *exchange) next(ctx context.Context) (*sip.Response, error) {
	for {
		if res, err := x.take(); res != nil || err != nil {
			return res, err
		}
		select {
		case <-x.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-x.stack.table.Done():
			return nil, sip.ErrClosed
		}
	}
}

func (x *exchange) take() (*sip.Response, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.queue) > 0 {
		res := x.queue[0]
		x.queue = x.queue[1:]
		return res, nil
	}
	return nil, x.err
}

func (x *exchange) put(res *sip.Response, err error) {
	x.mu.Lock()
	if res == nil {
		x.err = err
	} else {
		if len(x.queue) >= queued {
			x.queue = slices.Delete(x.queue, 0, 1)
		}
		x.queue = append(x.queue, res)
	}
	x.mu.Unlock()
	select {
	case x.wake <- struct{}{}:
	default: // it has a token
	}
}

// HandleEvent implements [sip.EventHandler].
func (x *exchange) HandleEvent(ev *sip.Event) {
	switch {
	case ev.Kind != sip.EventResponse:
		x.put(nil, ev.Err)
	case x.request.Method == sip.MethodInvite && ev.Response.Status.Success():
		x.success(ev)
	case !x.left:
		x.put(ev.Response.Clone(), nil)
	}
}

// success takes a 2xx to an INVITE: the first one is the loop's, copies of it are ACKed again, every other is late.
func (x *exchange) success(ev *sip.Event) {
	tag := ev.Response.ToTag()
	switch {
	case x.chosen == "" && !x.left:
		res := ev.Response.Clone()
		x.chosen = res.ToTag()
		x.ack(res)
		x.put(res, nil)
	case x.chosen == tag && tag != "":
		x.ack(ev.Response)
	case x.stack.Forked != nil:
		x.stack.Forked.HandleEvent(ev)
	default:
		x.late(ev.Response)
	}
}

// ack sends the ACK to res. RFC 3261 §13.2.2.4.
func (x *exchange) ack(res *sip.Response) *dialog.Dialog {
	d, err := dialog.NewUAC(x.request, res)
	if err != nil {
		x.stack.Log.Debug("stack: 2xx makes no dialog", "call-id", x.request.CallID(), "err", err)
		return nil
	}
	cseq, _ := x.request.CSeq()
	// The peer sends its 2xx again if the ACK does not come.
	_ = x.stack.Ack(x.stripe, d.Ack(cseq.Number), d.Destination())
	return d
}

// late ends a call that nobody wants any more: ACK for every copy of its 2xx, one BYE.
func (x *exchange) late(res *sip.Response) {
	d := x.ack(res)
	if d == nil || slices.ContainsFunc(x.dialogs, func(o *dialog.Dialog) bool { return o.RemoteTag == d.RemoteTag }) {
		return
	}
	x.dialogs = append(x.dialogs, d)
	x.stack.counts.late.Add(1)
	// Whether the BYE arrives changes nothing here.
	_, _ = x.stack.Start(x.stripe, d.Request(sip.MethodBye), d.Destination(), nil)
}
