// What one call to the outside costs its payer, and its end when the payer has no minute left. RFC 3326 §2.

package dial

import (
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/dialplan"
	"github.com/sipwerk/sipwerk/sip"
)

// WarningTime is how long before the minutes of an account are used up its calls are warned.
const WarningTime = time.Minute

// minutesReason is the Reason of a call that is ended because its payer has no minute left.
const minutesReason = `SIP;cause=403;text="Minutes of the day used up"`

// toll is one call. It implements [b2bua.Meter].
type toll struct {
	ledger *ledger
	out    *dialplan.Out

	// The mutex of the meter guards the rest.
	talk   b2bua.Talk
	legs   int       // that have begun and are not over: the next one begins before the last one's end is told
	since  time.Time // it counts from then on; zero: nobody has answered
	warned bool
	ended  bool // it has been told to end
}

// Toll makes the gate of a call; nil if nobody's limits count. An emergency call has none.
func (m *Meter) Toll(domain string, o *dialplan.Out) b2bua.Gate {
	if o.Payer == "" || o.Emergency {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return &toll{ledger: m.ledgerLocked(domain), out: o}
}

// Begin implements [b2bua.Gate]: it enters the call. A call that is tried by several trunks is one.
func (t *toll) Begin() sip.Status {
	why := t.enter()
	if why == "" {
		return 0
	}
	status := sip.StatusForbidden
	if why == dialplan.Calls {
		status = sip.StatusBusyHere
	}
	t.ledger.meter.Refusals.Note(t.ledger.domain, t.out.Payer, dialplan.Dialled, &dialplan.Refusal{Status: status, Why: why, Number: t.out.Number.Text(), Payer: t.out.Payer})
	return status
}

// enter says why the call may not begin; "" if it has. The plan has looked before: this is for calls that came at the same moment.
func (t *toll) enter() dialplan.Reason {
	now := time.Now()
	m := t.ledger.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	t.ledger.turnLocked(now)
	u := t.ledger.usageLocked(t.out.Payer)
	u.minutes = time.Duration(t.out.Minutes) * time.Minute
	if _, again := u.running[t]; again {
		t.legs++
		return ""
	}
	if t.out.MaxCalls > 0 && len(u.running) >= t.out.MaxCalls {
		return dialplan.Calls
	}
	if talked, _ := u.usedLocked(now); u.minutes > 0 && talked >= u.minutes {
		return dialplan.Minutes
	}
	u.running[t] = struct{}{}
	t.legs = 1
	return ""
}

// Answered implements [b2bua.Meter]: the call costs from now on.
func (t *toll) Answered(talk b2bua.Talk) {
	m := t.ledger.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	u := t.ledger.usage[t.out.Payer]
	if u == nil || !t.since.IsZero() {
		return
	}
	t.talk, t.since = talk, time.Now()
	u.planLocked(t.since)
	m.keepLocked()
}

// End implements [b2bua.Gate]: with its last leg it takes the call out. talked is how long it was connected; what was before midnight is none of today's.
func (t *toll) End(_ sip.Status, talked time.Duration) {
	now := time.Now()
	m := t.ledger.meter
	m.mu.Lock()
	defer m.mu.Unlock()
	t.ledger.turnLocked(now)
	u := t.ledger.usage[t.out.Payer]
	if u == nil {
		return
	}
	if t.legs--; t.legs == 0 {
		delete(u.running, t)
	}
	if talked > 0 || t.legs == 0 {
		t.since = time.Time{}
	}
	if talked > 0 {
		u.talked += min(talked, now.Sub(t.ledger.begin))
		m.news.addLocked(u)
	}
	if u.planLocked(now); u.talked == 0 && len(u.running) == 0 {
		delete(t.ledger.usage, t.out.Payer)
	}
}

// planLocked looks again at the calls of an account when the next of them is to be warned, or all of them are to end: those that talk at the same time share what is left.
func (u *usage) planLocked(now time.Time) {
	if u.next != nil {
		u.next.Stop()
		u.next = nil
	}
	talked, talking := u.usedLocked(now)
	if u.minutes <= 0 || talking == 0 {
		return
	}
	left := (u.minutes - talked) / time.Duration(talking)
	if u.unwarnedLocked() {
		left -= WarningTime
	}
	u.next = time.AfterFunc(max(left, 0), u.look)
}

// unwarnedLocked reports whether a call that talks has not been warned.
func (u *usage) unwarnedLocked() bool {
	for t := range u.running {
		if !t.since.IsZero() && !t.warned {
			return true
		}
	}
	return false
}

// look warns the calls of an account, or ends them, if it is time.
func (u *usage) look() {
	m := u.ledger.meter
	warn, end := u.due()
	for _, t := range warn {
		if m.Warning != nil {
			t.talk.Announce(m.Warning)
		}
	}
	for _, t := range end {
		m.Refusals.cut(u.ledger.domain, t.out)
		t.talk.HangUp(minutesReason)
	}
}

// due returns the calls that are to be warned now, and those that are to end, and plans on.
func (u *usage) due() (warn, end []*toll) {
	now := time.Now()
	l := u.ledger
	l.meter.mu.Lock()
	defer l.meter.mu.Unlock()
	l.turnLocked(now)
	talked, talking := u.usedLocked(now)
	if u.minutes <= 0 || talking == 0 {
		return nil, nil
	}
	left := (u.minutes - talked) / time.Duration(talking)
	for t := range u.running {
		switch {
		case t.since.IsZero() || t.ended:
		case left <= 0:
			t.ended = true
			end = append(end, t)
		case left <= WarningTime && !t.warned:
			t.warned = true
			warn = append(warn, t)
		}
	}
	if end == nil {
		u.planLocked(now)
	}
	return warn, end
}
