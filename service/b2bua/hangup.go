package b2bua

// The end of a call, whoever ends it. RFC 3261 §15; RFC 3326.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// noMedia is the Reason of a call that is ended for its silence.
const noMedia = `SIP;cause=408;text="No media"`

// noSecurity is the Reason of a call whose media cannot be protected, or not be brought to a peer that was to be found: RFC 5763 §5 wants it ended.
const noSecurity = `SIP;cause=488;text="Media cannot be secured"`

// ended takes the end of one side and ends the other. A branch whose answer was refused ends by itself, while others still ring.
func (c *call) ended(l *leg, ev dialog.Ended) {
	if c.over || l != c.caller && l != c.callee || c.leaves(l) {
		return
	}
	by := BySystem
	switch {
	case ev.Cause != dialog.ByeReceived:
	case l == c.caller:
		by = ByCaller
	default:
		by = ByCallee
	}
	c.story.reason = ev.Reason
	if c.early() {
		c.story.status = sip.StatusTemporarilyUnavailable
	}
	c.finish(by)
	if far := l.far(); far != nil {
		far.usage.Bye(ev.Reason)
	}
}

// hangUp ends the call on both sides, whatever its state.
func (c *call) hangUp(reason string) {
	if c.over {
		return
	}
	c.story.reason = reason
	if c.callee == nil || c.early() {
		c.story.status = sip.StatusTemporarilyUnavailable
	}
	c.cancelOthers(c.callee, reason)
	c.finish(BySystem)
	c.caller.usage.Bye(reason)
	if c.callee != nil {
		c.callee.usage.Bye(reason)
	}
	c.sweep()
}

// early reports whether the caller has no answer yet: a 200 may wait for its PRACK, and is not sent any more when the call ends.
func (c *call) early() bool { return c.caller.usage.Dialog().State == dialog.Early }

// finish frees what the call holds, and tells what became of it.
func (c *call) finish(by Side) {
	c.over = true
	c.hunt.close()
	c.stopTimer()
	c.recount()
	c.story.by = by
	c.recording.cut()
	c.heardLast()
	c.caller.media.Close()
	if c.callee != nil {
		c.callee.media.Close()
	}
	if c.ousted != nil {
		c.ousted.media.Close()
	}
	c.leaveNobodyWaiting()
	if t := c.transfer; t != nil {
		c.dropTransfer()
		t.report(sip.StatusRequestTerminated)
	}
	c.exchange = nil
	c.legs()
	c.reached(Ended)
	c.story.forget()
}

func (c *call) stopTimer() {
	if c.timer != nil {
		c.timer.Stop()
		c.timer = nil
	}
}

// watch ends the call when neither side has sent a packet for long. A call on hold may be as silent as it likes, and its silence counts from the resumption.
func (c *call) watch() {
	limit := or(c.b.Silence, defaultSilence)
	if limit < 0 {
		return
	}
	c.timer = c.engine.After(c.stripe, max(limit/4, time.Second), func() {
		switch {
		case c.onHold():
			c.held = time.Now()
		case time.Since(c.story.answer) > limit && time.Since(c.held) > limit &&
			silent(c.caller.media.Counters(), limit) && silent(c.callee.media.Counters(), limit):
			c.hangUp(noMedia)
			return
		}
		c.watch()
	})
}

// onHold tells whether either side wants no stream to flow both ways: such a call need not send anything.
func (c *call) onHold() bool { return c.caller.holds() || c.callee.holds() }

func (l *leg) holds() bool {
	d := l.glance()
	if d == nil {
		return false
	}
	for i := range d.Media {
		if m := &d.Media[i]; !m.Rejected() && d.Direction(m) == sdp.SendRecv {
			return false
		}
	}
	return true
}

// silent tells whether no packet has come on any stream for so long.
func silent(streams []relay.Counters, limit time.Duration) bool {
	for _, s := range streams {
		if s.LastIn >= 0 && s.LastIn < limit && s.PacketsIn > 0 {
			return false
		}
	}
	return true
}
