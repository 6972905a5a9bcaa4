package b2bua

// The end of a call, whoever ends it. RFC 3261 §15; RFC 3326.

import (
	"time"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
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

// oneSided is after how long without a sign of one side a call ends though the other speaks: it speaks to nobody. That holds for one only whose RTCP has come before: who is muted, or has a loudspeaker only, may send nothing.
const oneSided = 5 * time.Minute

// watch ends the call when neither side has shown for long that it is there, or one of them for very long. A call on hold may be as silent as it likes, and its silence counts from the resumption.
func (c *call) watch() {
	limit := or(c.b.Silence, defaultSilence)
	if limit < 0 {
		return
	}
	pace := limit / 4
	for _, l := range [...]*leg{c.caller, c.callee} {
		if l.look().Consents {
			pace = min(pace, session.ConsentEnd-time.Since(l.seen))
		}
	}
	c.timer = c.engine.After(c.stripe, max(pace, time.Second), func() {
		if c.deserted(limit) {
			c.hangUp(noMedia)
			return
		}
		c.watch()
	})
}

// look takes note of when the peer showed last that it is there; from when it became part of the call on it ought to.
func (l *leg) look() session.Presence {
	p := l.media.Presence()
	if l.seen.IsZero() {
		if l.seen = l.talksSince(); time.Since(l.seen) > 2*settleTime {
			l.seen = time.Now() // it has taken the place of another
		}
	}
	if p.Heard.After(l.seen) {
		l.seen = p.Heard
	}
	return p
}

// deserted tells whether somebody is gone: both sides for the limit, one of them for very long if it would send something all the same, or at once one that has to show all the time that it is there.
func (c *call) deserted(limit time.Duration) bool {
	held, all := c.onHold(), true
	for _, l := range [...]*leg{c.caller, c.callee} {
		p := l.look()
		if held && !p.Consents {
			l.seen = time.Now()
		}
		quiet := time.Since(l.seen)
		switch {
		case p.Consents && quiet >= session.ConsentEnd, p.Reports && !p.Pauses && quiet > max(limit, oneSided):
			return true
		case quiet <= limit:
			all = false
		}
	}
	return all
}

// onHold tells whether either side wants no stream to flow both ways: such a call need not send anything.
func (c *call) onHold() bool { return c.caller.holds() || c.callee.holds() }

// holds looks at sound and pictures, for nobody puts the rest on hold; where there is nothing else it is the call.
func (l *leg) holds() bool {
	d := l.glance()
	if d == nil {
		return false
	}
	talks, rest := false, false
	for i := range d.Media {
		m := &d.Media[i]
		switch flows := d.Direction(m) == sdp.SendRecv; {
		case m.Rejected():
		case m.Type != "audio" && m.Type != "video":
			rest = rest || flows
		case flows:
			return false
		default:
			talks = true
		}
	}
	return talks || !rest
}
