// The gate of a room with a PIN: its digits, and how often one may err.

package conference

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

const (
	gateTries = 3               // wrong PINs in one call
	gateTime  = time.Minute     // for all of them
	gatePause = 4 * time.Second // after the last digit, that stands for #
	pinReason = `SIP;cause=403;text="Wrong PIN"`
	gateLate  = `SIP;cause=408;text="No PIN"`
)

// gate asks for the PIN of a room.
type gate struct {
	digits   []byte
	tries    int
	checking bool // a PIN is being compared, beside the stripe
	pause    sip.Timer
	limit    sip.Timer
}

// ask begins to ask for the PIN. Whoever is asked hears nobody, and is heard by nobody.
func (m *member) ask() {
	m.gate = &gate{}
	m.apply()
	m.seat.Play(m.room.melody(askTone()))
	m.gate.limit = m.engine.After(m.stripe, gateTime, func() { m.bye(gateLate) })
}

// stopGate ends the asking.
func (m *member) stopGate() {
	g := m.gate
	if g == nil {
		return
	}
	m.gate = nil
	for _, t := range []sip.Timer{g.pause, g.limit} {
		if t != nil {
			t.Stop()
		}
	}
}

// digit takes what the member dials.
func (m *member) digit(d byte) {
	switch {
	case m.over || m.seat == nil:
	case m.gate == nil:
		m.commanded(d)
	case m.gate.checking:
	case d == '#':
		m.tryPIN()
	case d == '*':
		m.gate.digits = m.gate.digits[:0]
	case d >= '0' && d <= '9' && len(m.gate.digits) < maxPIN:
		m.gate.digits = append(m.gate.digits, d)
		if m.gate.pause != nil {
			m.gate.pause.Stop()
		}
		m.gate.pause = m.engine.After(m.stripe, gatePause, func() { m.tryPIN() })
	}
}

// tryPIN compares the digits so far, beside the stripe: that takes its time by design.
func (m *member) tryPIN() {
	g := m.gate
	if g == nil || g.checking || len(g.digits) == 0 {
		return
	}
	digits := string(g.digits)
	g.digits, g.checking = g.digits[:0], true
	m.compare(digits, false, func(v verdict) {
		if m.gate == g {
			g.checking = false
			m.tried(v)
		}
	})
}

// verdict is what came of a guess.
type verdict struct {
	right     bool
	moderator bool // it was the PIN of moderators
	locked    bool // who guesses may not any more
}

// compare finds out whether digits are a PIN of the room, or that of moderators, and tells done in the stripe. It counts the guess before another one is looked at: many calls of one caller
// have no more of them than one has.
func (m *member) compare(digits string, moderators bool, done func(verdict)) {
	set, who := m.room.set, m.suspect(m.room.set)
	m.c.work.Go(func() {
		m.c.hashing.Lock()
		defer m.c.hashing.Unlock()
		v := verdict{locked: m.c.lockout.Locked(who)}
		if !v.locked {
			v.moderator = set.Moderator.Matches(digits)
			v.right = v.moderator || !moderators && set.PIN.Matches(digits)
			v.locked = !v.right && m.c.lockout.Wrong(who)
		}
		if !v.right {
			m.c.wrong.Add(1)
		} else if !moderators {
			m.c.lockout.Right(who)
		}
		m.do(func() { done(v) })
	})
}

// tried takes the outcome.
func (m *member) tried(v verdict) {
	if v.right {
		m.stopGate()
		m.moderator = m.moderator || v.moderator
		m.seat.Play(m.room.melody(yesTone()))
		m.admit()
		return
	}
	m.gate.tries++
	m.reached(WrongPIN)
	if v.locked || m.gate.tries == gateTries {
		m.bye(pinReason)
		return
	}
	m.seat.Play(m.room.melody(noTone()))
}
