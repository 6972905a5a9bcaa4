// A line that is sent on: REFER inside its dialog, and what is told of it. RFC 3515 §2.4, RFC 5589 §6; RFC 3420.

package pbx

import (
	"context"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// reference is a REFER under way.
type reference struct {
	seq  uint32          // of the REFER: the id of its event (RFC 3515 §2.4.6)
	done chan sip.Status // gets one final status
}

// Refer asks the other side to call target in our place, and waits for the outcome, while the line hears meanwhile, if there is any. 200: somebody has answered, and the
// call is as good as over. Any other status: nobody has, and the line is as it was. The error is [ErrHungUp] or that of ctx, which does not take the REFER back.
func (l *Line) Refer(ctx context.Context, target sip.URI, meanwhile ...audio.Source) (sip.Status, error) {
	done := make(chan sip.Status, 1)
	by := sip.Address{URI: l.Object}.String()
	l.do(func() { l.call.refer(target, by, done) })
	ringing, stop := context.WithCancel(ctx)
	played := make(chan struct{})
	go func() {
		defer close(played)
		_ = l.PlayThrough(ringing, meanwhile...) // it ends with the waiting
	}()
	defer func() {
		stop()
		<-played
	}()
	select {
	case status := <-done:
		return status, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// refer sends a REFER on the word of somebody. It runs in the stripe of the call.
func (c *call) refer(target sip.URI, by string, done chan sip.Status) {
	if c.reference != nil {
		done <- sip.StatusRequestPending
		return
	}
	req := c.usage.NewRequest(sip.MethodRefer)
	if req == nil {
		done <- sip.StatusCallDoesNotExist
		return
	}
	req.Set(sip.HeaderReferTo, sip.Address{URI: target}.String())
	req.Set(sip.HeaderReferredBy, by) // RFC 3892 §2.1
	cseq, _ := req.CSeq()
	r := &reference{seq: cseq.Number, done: done}
	c.reference = r
	err := c.usage.SendRequest(req, func(res *sip.Response, err error) {
		switch {
		case res == nil:
			c.referred(r, sip.StatusRequestTimeout)
		case !res.Status.Success():
			c.referred(r, res.Status)
		}
	})
	if err != nil {
		c.referred(r, sip.StatusCallDoesNotExist)
	}
}

// referred takes the outcome of a REFER.
func (c *call) referred(r *reference, status sip.Status) {
	if c.reference == r {
		c.reference = nil
		r.done <- status
	}
}

// notified takes a NOTIFY of the REFER under way.
func (c *call) notified(ev *dialog.Request) {
	req := ev.Request
	about, err := sip.ParseEventPackage(req.Get(sip.HeaderEvent))
	r := c.reference
	if err != nil || !strings.EqualFold(about.Name, "refer") {
		_ = c.usage.Respond(ev, c.usage.ReplyTo(req, sip.StatusBadEvent))
		return
	}
	if id := about.ID(); r == nil || id != "" && id != strconv.FormatUint(uint64(r.seq), 10) {
		_ = c.usage.Respond(ev, c.usage.ReplyTo(req, sip.StatusCallDoesNotExist))
		return
	}
	_ = c.usage.Respond(ev, c.usage.ReplyTo(req, sip.StatusOK))
	status := fragmentStatus(req.Body())
	state, err := sip.ParseSubscriptionState(req.Get(sip.HeaderSubscriptionState))
	switch {
	case status.Final():
		c.referred(r, status)
	case err == nil && state.Terminated():
		c.referred(r, sip.StatusTemporarilyUnavailable) // it will not be told
	}
}

// fragmentStatus is the status of the response of which a message/sipfrag body is a part, 0 if it says none. RFC 3420 §2.
func fragmentStatus(body []byte) sip.Status {
	line, _, _ := strings.Cut(string(body[:min(len(body), 64)]), "\n")
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseUint(code, 10, 16)
	if err != nil || !strings.EqualFold(version, "SIP/2.0") || n < 100 || n > 699 {
		return 0
	}
	return sip.Status(n)
}
