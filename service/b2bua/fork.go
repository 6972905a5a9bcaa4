package b2bua

// All devices of the callee ring at once, and the caller sees one early dialog. RFC 3261 §13.2.2.1.

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// start takes the caller's offer and goes the first step.
func (c *call) start(first Route) {
	invitation := c.caller.usage.Invitation()
	offer, err := description.Find(&invitation.Message)
	if err == nil && offer == nil && len(invitation.Body()) > 0 && !strings.HasPrefix(invitation.ContentType(), "multipart/") {
		err = sip.StatusUnsupportedMediaType
	}
	if err == nil && !invitation.Accepts("application/sdp") {
		err = sip.StatusNotAcceptable // RFC 3261 §8.2.3; RFC 4475 §3.3.15
	}
	if err != nil {
		c.story.err = err
		c.fail(description.Status(err))
		return
	}
	if offer != nil {
		if err := c.caller.media.Offered(offer); err != nil {
			c.story.err = err
			c.fail(description.Status(err))
			return
		}
		c.caller.said = offer
	}
	c.hunt = &hunt{call: c, left: maxRedirects}
	if c.asker.Trusted && (invitation.Has(sip.HeaderDiversion) || invitation.Has(sip.HeaderHistoryInfo)) {
		c.hunt.past = c.hunt.remember()
	}
	c.hunt.begin(first)
}

// ring calls the devices of a party, unless it is not to be called, or not now.
func (h *hunt) ring(p *Party) {
	c := h.call
	bindings, account, aor := p.Bindings, p.Account, ""
	if account.Host != "" {
		if account = account.Clone(); h.past.visited(account) { // it may share the memory of a request
			h.met = or(h.met, sip.StatusLoopDetected)
			return
		}
		var ok bool
		if aor, ok = c.seat(account, p.MaxCalls); !ok {
			h.met = sip.StatusBusyHere
			return
		}
		h.asked = append(h.asked, account)
		bindings = c.b.Locator.Lookup(account)
	}
	devices := byDevice(bindings)
	devices = devices[:min(len(devices), max(or(c.b.MaxBranches, defaultBranches)-h.ringing(), 0))]
	offer := h.offer()
	// An offer that comes in a 1xx of a device is answered by the caller's PRACK, and only one of them can be carried across.
	plain := offer == nil && (len(devices) > 1 || len(h.route.Ring) > 1 || h.ringing() > 0 || !c.caller.usage.Reliable())
	for _, ways := range devices {
		c.branch(&leg{call: c, hunt: h, step: uint8(h.step), transfer: h.transfer, party: p, account: account, aor: aor, spares: ways, plain: plain}, offer)
	}
	c.story.branches += uint16(len(devices))
}

// offer is what those who ring are offered.
func (h *hunt) offer() *sdp.Description { return h.call.offerFor(h.transfer) }

// byDevice puts the ways to each device together.
func byDevice(bindings []Binding) (devices [][]Binding) {
	for i := 0; i < len(bindings); {
		end := i + 1
		for end < len(bindings) && bindings[end].Spare {
			end++
		}
		devices = append(devices, bindings[i:end])
		i = end
	}
	return devices
}

// detour calls the device of a branch that was refused by another way, if this one was broken. RFC 5626 §7: a response other than 408 and 430 is the device's word.
func (c *call) detour(l *leg, ev dialog.Rejected) bool {
	broken := ev.Status == sip.StatusFlowFailed || !l.heard && (ev.Response == nil || ev.Status == sip.StatusRequestTimeout)
	return broken && c.again(l)
}

// again calls the device of a branch by its next way, and reports whether there is one.
func (c *call) again(l *leg) bool {
	return len(l.spares) > 0 && c.branch(l.twin(l.spares), l.hunt.offer())
}

// twin is a leg in the place of another, by other ways.
func (l *leg) twin(ways []Binding) *leg {
	return &leg{call: l.call, hunt: l.hunt, step: l.step, transfer: l.transfer, party: l.party, account: l.account, aor: l.aor, spares: ways, plain: l.plain, converts: l.converts}
}

// flowFailed says that nothing has come over the way of a branch, if that is why it failed.
func (l *leg) flowFailed(status sip.Status, err error) {
	if told := l.call.b.FlowFailed; told != nil && l.key != 0 && (status == sip.StatusFlowFailed || errors.Is(err, sip.ErrFlowLost)) {
		told(l.account, l.key)
	}
}

// branch calls a device by the first of its ways that leads anywhere, and reports whether there is one.
func (c *call) branch(l *leg, offer *sdp.Description) bool {
	to := &l.spares[0]
	l.to, l.key, l.spares = to, to.Key, l.spares[1:]
	l.reach, l.house = to.Target.String(), to.To.Flow.Transport == sip.Inside
	c.branches = append(c.branches, l)
	c.enlist(l.account)
	c.mark(&l.moments.began)
	peer := session.Peer{Remote: to.Remote, Local: to.Local, Kind: to.Kind, Digits: to.Digits, Music: to.Music, Inside: l.inside()}
	l.media = l.watch(c.newMedia(peer))
	if status := c.pass(l, l.party.Gate); status != 0 {
		l.refuse(status, nil)
		return false
	}
	req, in := c.invitation(l), c.caller.usage.Invitation()
	if l.transfer != nil {
		in = req // it has no body to hand on
	}
	if offer != nil {
		if l.converts {
			offer, _ = c.b.Media.Convertible(offer) // it was asked before whether it can be
		}
		ours, err := l.media.Offer(context.Background(), offer)
		if err != nil {
			l.err = err
			l.refuse(description.Status(err), nil)
			return false
		}
		if len(l.party.Codecs) > 0 {
			ours.Keep(l.party.Codecs)
		}
		req.SetBody(handOn(&in.Message, ours.AppendTo(nil)))
	} else if len(in.Body()) > 0 {
		req.SetBody(in.Get(sip.HeaderContentType), in.Body())
	}
	usage, err := c.b.Dialogs.Invite(dialog.Outgoing{Engine: c.engine, Stripe: c.stripe, Request: req, To: to.To, Auth: l.party.Auth, Plain: l.plain}, l)
	if err != nil {
		l.err = err
		l.refuse(unreachable(err), nil)
		l.flowFailed(0, err)
		return c.again(l)
	}
	l.take(usage, peer)
	l.await(l.party.Patience)
	return true
}

// await gives a way up that says nothing at all.
func (l *leg) await(patience time.Duration) {
	if patience <= 0 {
		return
	}
	c := l.call
	c.engine.After(c.stripe, patience, func() {
		if c.over || l.status != 0 || l.usage.Heard() || l.hunt.over {
			return
		}
		l.refuse(sip.StatusRequestTimeout, nil)
		l.usage.Cancel("")
		l.hunt.refused(l, dialog.Rejected{Status: sip.StatusRequestTimeout})
		c.sweep()
	})
}

// unreachable is the status of a device to which nothing can be sent.
func unreachable(err error) sip.Status {
	if errors.Is(err, dialog.ErrFull) || errors.Is(err, sip.ErrOverload) || errors.Is(err, sip.ErrClosed) {
		return sip.StatusServiceUnavailable
	}
	return sip.StatusTemporarilyUnavailable
}

// progress hands a 1xx of a device on.
func (c *call) progress(l *leg, res *sip.Response) {
	l.heard = true
	if c.over || c.callee != nil || l.status != 0 {
		return
	}
	if res.Status == sip.StatusEarlyDialogTerminated {
		c.silenced(l, res.Get(sip.HeaderReason))
		return
	}
	if res.Status == sip.StatusRinging {
		l.rang = true
		c.mark(&l.moments.rang)
		c.reached(Ringing)
	}
	body := c.earlyMedia(l, res)
	// One early dialog: what another device has said already is not said again, and "ringing" is not taken back.
	if len(body.Bytes) == 0 && (res.Status == c.told || c.told == sip.StatusRinging || res.Status > sip.StatusSessionProgress) {
		return
	}
	c.told = res.Status
	c.session(l, res)
	reply := c.caller.usage.Reply(res.Status)
	carry(&reply.Message, &res.Message, replied())
	c.caller.present(reply, res, l)
	if len(body.Bytes) > 0 {
		reply.SetBody(handOn(&res.Message, body.Bytes))
	}
	c.caller.usage.Send(reply)
}

// earlyMedia carries the description of a 1xx across. With several devices ringing there is none: the caller could hear one of them only, and not
// the one that answers later.
func (c *call) earlyMedia(l *leg, res *sip.Response) dialog.Body {
	d, err := description.Find(&res.Message)
	if err != nil || d == nil {
		return dialog.Body{}
	}
	if reliable(res) && c.offerer().word() != nil {
		l.agreed = d
	}
	if c.ringing() > 1 || c.ousted != nil {
		return dialog.Body{}
	}
	var body dialog.Body
	switch {
	case c.caller.word() != nil:
		body, err = c.settle(c.caller, l, d)
	case reliable(res):
		// RFC 3262 §5: the offer, whose answer comes with the caller's PRACK and goes on with ours.
		body, err = c.lateOffer(c.caller, l, d)
	default:
		return dialog.Body{}
	}
	if err != nil {
		return dialog.Body{}
	}
	c.voice, c.preview = l, &body
	return body
}

// reliable reports whether a 1xx waits for a PRACK.
func reliable(res *sip.Response) bool { return res.HasToken(sip.HeaderRequire, "100rel") }

// lateOffered reports whether the caller has answered an offer of a device, because its INVITE had none.
func (c *call) lateOffered() bool {
	d, err := description.Find(&c.caller.usage.Invitation().Message)
	return err == nil && d == nil
}

// ringing returns how many branches may still answer.
func (c *call) ringing() int {
	n := 0
	for _, l := range c.branches {
		if l.status == 0 {
			n++
		}
	}
	return n
}

// silenced ends the early dialog in which the caller hears a branch that is gone: another may answer. RFC 6228 §5.
func (c *call) silenced(l *leg, reason string) {
	if c.voice != l || c.over || c.callee != nil {
		return
	}
	if x := c.exchange; x != nil && (x.from == l || x.to == l) {
		c.exchange = nil
		x.abandon()
	}
	c.voice, c.told, c.preview = nil, 0, nil
	c.caller.usage.Fork(reason)
	if c.lateOffered() {
		c.caller.said = nil // its INVITE had no offer: what it has agreed to is void, and whoever answers makes another one
	}
	for _, other := range c.branches {
		if other != l && other.status == 0 && other.rang {
			c.told = sip.StatusRinging
			c.caller.usage.Provisional(sip.StatusRinging, dialog.Body{})
			return
		}
	}
}

// pracked takes the caller's answer to the offer of a reliable 1xx and hands it on to the device.
func (c *call) pracked(req *sip.Request) {
	if c.over || c.voice == nil {
		return
	}
	answer, err := description.Find(&req.Message)
	if err == nil && answer == nil {
		err = sip.StatusNotAcceptableHere
	}
	var body dialog.Body
	if err == nil {
		body, err = c.settle(c.voice, c.caller, answer)
	}
	if err != nil {
		c.hangUp(badAnswer)
		return
	}
	c.voice.usage.Ack(body)
}

// settle takes the answer of one side to the offer of the other, connects their media, and returns the answer to hand on.
func (c *call) settle(offerer, answerer *leg, answer *sdp.Description) (dialog.Body, error) {
	same := answerer.word() != nil && answerer.word().String() == answer.String()
	if err := answerer.media.Answered(answer); err != nil {
		answerer.media.Abandon()
		return dialog.Body{}, err
	}
	ours, err := offerer.media.Answer(context.Background(), answer)
	if err != nil {
		answerer.media.Abandon()
		return dialog.Body{}, err
	}
	if same && c.exchange == nil {
		answerer.media.Abandon() // said before, in a 1xx: what is heard stays as it is
	} else if err := session.Settle(offerer.media, answerer.media); err != nil {
		return dialog.Body{}, err
	}
	answerer.said = answer
	return dialog.SDP(ours.AppendTo(nil)), nil
}

// session makes the callee's part of Session-ID ours toward the caller. RFC 7989 §6.
func (c *call) session(l *leg, res *sip.Response) {
	if id := res.SessionID(); id.Known() {
		c.caller.usage.SetSession(strings.Clone(id.Local))
	}
}
