// Provisional responses to a call that comes in: repeated now and then, or until their PRACK if the caller can send one. RFC 3261 §13.3.1.1; RFC 3262 §3.

package dialog

import (
	"strconv"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// reliable100 is the option tag of reliable provisional responses.
const reliable100 = "100rel"

// How often a 1xx is repeated, so that no proxy on the way gives the call up. RFC 3261 §13.3.1.1; RFC 3262 §3 for those that were acknowledged.
const (
	repeatPlain    = time.Minute
	repeatReliable = 150 * time.Second
)

// maxQueued bounds the 1xx that wait for the PRACK to an earlier one; what comes beyond is dropped, for the owner's word of now counts.
const maxQueued = 8

// noPrack is the Reason of a call whose reliable 1xx was never acknowledged.
const noPrack = `SIP;cause=504;text="No PRACK"`

// repetition is a 1xx that is repeated now and then.
type repetition struct {
	response *sip.Response
	timer    sip.Timer
}

// pracks is what a callee knows of its reliable provisional responses.
type pracks struct {
	state   reliableState
	rseq    uint32        // of the last one; 0: none was sent
	open    uint32        // the one whose PRACK may come; 0: none
	waiting *sip.Response // the one that is repeated
	queue   []*sip.Response
	answer  *sip.Response // the 2xx that waits
	wait    time.Duration
	resend  sip.Timer
	giveUp  sip.Timer
}

// pracks returns what is known of them, and makes it.
func (c *callee) pracks() *pracks {
	if c.promises == nil {
		c.promises = new(pracks)
	}
	return c.promises
}

// reliable is how far they are.
func (c *callee) reliable() reliableState {
	if c.promises == nil {
		return reliableNone
	}
	return c.promises.state
}

// Reliable reports whether the caller of a call that came in can acknowledge a 1xx, so that a description may go in one for good.
func (u *Usage) Reliable() bool {
	return u.callee != nil && (u.Invitation().HasToken(sip.HeaderRequire, reliable100) || u.Invitation().HasToken(sip.HeaderSupported, reliable100))
}

// late reports whether the INVITE left the offer to us.
func (u *Usage) late() bool { return !described(&u.Invitation().Message) }

// provisional sends a 1xx of the owner: reliably if the caller requires it, or supports it and there is a description that must not be lost.
func (u *Usage) provisional(res *sip.Response) {
	c := u.callee
	required := u.Invitation().HasToken(sip.HeaderRequire, reliable100)
	supported := u.Reliable()
	full := len(res.Body()) > 0
	if full && (c.settled || u.late() && !supported) {
		// RFC 3261 §13.2.1: what is agreed is not offered again, and an offer goes reliably or not at all.
		res = res.Clone()
		res.SetBody("", nil)
		full = false
	}
	u.hush(res)
	switch {
	case required && !full && u.late() && (c.promises == nil || c.promises.rseq == 0):
		// RFC 3262 §5: the first reliable response to an INVITE without offer would have to hold one.
	case full && supported:
		u.stepReliable(reliableOrderFull, res)
	case required:
		u.stepReliable(reliableOrder, res)
	default:
		u.engine.Respond(c.tx, res)
		u.again(res, repeatPlain)
	}
}

// again repeats a 1xx after a while.
func (u *Usage) again(res *sip.Response, d time.Duration) {
	c := u.callee
	u.hush(res)
	c.last = &repetition{response: res, timer: u.engine.After(u.stripe, d, func() { u.provisional(res) })}
}

// hush ends the repetition of the last 1xx, in whose place next comes; nil: nothing does.
func (u *Usage) hush(next *sip.Response) {
	c := u.callee
	if c.last == nil {
		return
	}
	c.last.timer.Stop()
	if c.last.response != next {
		u.table.spare.reuse(c.last.response)
	}
	c.last = nil
}

func (u *Usage) stepReliable(in reliableInput, res *sip.Response) {
	c := u.callee
	before := c.reliable()
	next, actions := before.step(in)
	if next != before {
		c.pracks().state = next
	}
	for _, a := range actions {
		u.doReliable(a, res)
	}
}

func (u *Usage) doReliable(a reliableAction, res *sip.Response) {
	if a == reliablePass {
		u.hush(nil)
		if p := u.callee.promises; p != nil {
			p.queue = nil
		}
		return
	}
	p := u.callee.pracks()
	switch a {
	case reliableSend:
		u.sendReliable(res)
	case reliableQueue:
		if len(p.queue) < maxQueued {
			p.queue = append(p.queue, res)
		}
	case reliableRepeat:
		u.engine.Respond(u.callee.tx, p.waiting)
		p.wait *= 2 // RFC 3262 §3: without limit
		u.resendReliable()
	case reliableStop:
		stop(&p.resend)
		stop(&p.giveUp)
		p.waiting = nil
	case reliableNext:
		u.nextReliable()
	case reliableFail:
		u.callee.reason = noPrack
		u.stepCallee(uasNoPrack, callMessage{})
	}
}

// sendReliable numbers a 1xx and repeats it until its PRACK comes.
func (u *Usage) sendReliable(res *sip.Response) {
	c := u.callee
	p := c.pracks()
	if p.rseq == 0 {
		p.rseq = uint32(u.table.random()%(1<<31-1)) + 1 // RFC 3262 §3: the first number is drawn
	} else {
		p.rseq++
	}
	res = res.Clone()
	res.Set(sip.HeaderRequire, reliable100)
	res.Set(sip.HeaderAllow, u.table.allow()) // RFC 3311 §5.1: the caller may send UPDATE from here on
	res.Set(sip.HeaderRSeq, strconv.FormatUint(uint64(p.rseq), 10))
	if len(res.Body()) > 0 {
		u.ours = bodyOf(&res.Message)
		c.settled = true
		in := offerAccept
		if u.late() {
			in = offerAcceptLate
		}
		u.offer().state, _ = u.offer().state.step(in)
	}
	p.open, p.waiting, p.wait = p.rseq, res, u.table.t1()
	u.engine.Respond(c.tx, res)
	u.resendReliable()
	p.giveUp = u.engine.After(u.stripe, 64*u.table.t1(), func() { u.stepReliable(reliableGiveUp, nil) })
}

func (u *Usage) resendReliable() {
	p := u.callee.pracks()
	p.resend = u.engine.After(u.stripe, p.wait, func() { u.stepReliable(reliableResend, nil) })
}

// nextReliable sends what has waited for a PRACK.
func (u *Usage) nextReliable() {
	p := u.callee.pracks()
	switch {
	case p.answer != nil:
		res := p.answer
		p.answer = nil
		u.stepCallee(uasPracked, callMessage{response: res})
	case len(p.queue) > 0:
		res := p.queue[0]
		p.queue = p.queue[1:]
		u.provisional(res)
	}
}

// peerPrack takes a PRACK. RFC 3262 §3: one that acknowledges nothing gets 481.
func (u *Usage) peerPrack(ev *sip.Event) {
	req := ev.Request
	rack, err := sip.ParseRAck(req.Get(sip.HeaderRAck))
	if err != nil {
		u.refuse(ev, sip.StatusBadRequest)
		return
	}
	c := u.callee
	if c == nil || c.pracks().open == 0 || c.pracks().open != rack.RSeq {
		u.refuse(ev, sip.StatusCallDoesNotExist)
		return
	}
	if invited, err := u.Invitation().CSeq(); err != nil || invited != rack.CSeq {
		u.refuse(ev, sip.StatusCallDoesNotExist)
		return
	}
	answers := u.offer().state == offerAnswered && c.state <= uasHeld
	if answers && len(req.Body()) == 0 {
		u.refuse(ev, sip.StatusBadRequest) // RFC 3262 §5: it must hold the answer
		return
	}
	c.pracks().open = 0
	if last := c.pracks().waiting; last != nil {
		quiet := last.Clone()
		quiet.Remove(sip.HeaderRequire)
		quiet.Remove(sip.HeaderRSeq)
		quiet.SetBody("", nil)
		u.again(quiet, repeatReliable)
	}
	switch {
	case answers:
		u.offer().state, _ = u.offer().state.step(offerAck)
		u.engine.Respond(ev.Tx, u.reply(req, sip.StatusOK))
		u.tell(PrackReceived{Request: req})
	case len(req.Body()) > 0:
		u.peerOffer(ev)
	default:
		u.engine.Respond(ev.Tx, u.reply(req, sip.StatusOK))
	}
	u.stepReliable(reliableAcked, nil)
	u.nextOffer()
}
