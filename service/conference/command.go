// What a member dials in the room: a star, and a digit that says what.

package conference

import "time"

// commandTime is how soon the next digit of a command must come.
const commandTime = 8 * time.Second

// command is the digits of a command under way.
type command struct {
	digits   []byte
	last     time.Time
	checking bool // a PIN is being compared, beside the stripe
}

// Command is one thing that members can dial in a room.
type Command struct {
	Dial        string
	Moderator   bool // for moderators only
	Description string
}

// Commands returns what members can dial in a room.
func Commands() []Command {
	return []Command{
		{"*6", false, "mutes or unmutes yourself"},
		{"*3", false, "hides or shows your picture"},
		{"*0PIN#", false, "makes you a moderator"},
		{"*2", true, "keeps the picture on who speaks now, or follows who speaks"},
		{"*4", true, "hides the pictures of everybody else"},
		{"*5", true, "locks or unlocks the room"},
		{"*7", true, "mutes everybody else"},
		{"*8", true, "removes who came last"},
		{"*9", true, "starts or ends the recording"},
		{"**", true, "ends the conference"},
	}
}

// commanded takes a digit in the room.
func (m *member) commanded(d byte) {
	now := time.Now()
	k := &m.command
	if now.Sub(k.last) > commandTime {
		k.digits = k.digits[:0]
	}
	k.last = now
	switch {
	case len(k.digits) == 0:
		if d == '*' {
			k.digits = append(k.digits, d)
		}
	case len(k.digits) == 1 && d != '0':
		k.digits = k.digits[:0]
		m.confirm(m.obey(d))
	case len(k.digits) == 1, d != '#':
		if k.digits = append(k.digits, d); len(k.digits) > maxPIN+2 {
			k.digits = k.digits[:0]
			m.confirm(false)
		}
	default:
		pin := string(k.digits[2:])
		k.digits = k.digits[:0]
		m.claim(pin)
	}
}

// confirm lets the member hear whether a command was taken.
func (m *member) confirm(ok bool) {
	s := noTone()
	if ok {
		s = yesTone()
	}
	if m.seat != nil {
		m.seat.Play(m.room.melody(s))
	}
}

// obey does what a digit behind a star says and reports whether it may.
func (m *member) obey(d byte) bool {
	switch d {
	case '3':
		m.hide(!m.picture.hidden)
		return true
	case '6':
		if p := m.room.set.Page; p != nil && p.OneWay && m.invited {
			return false
		}
		m.mute(!m.muted)
		return true
	}
	if !m.moderator {
		return false
	}
	r := m.room
	switch d {
	case '2':
		return r.stage.pin()
	case '4':
		r.each(func(other *member) {
			if other != m {
				other.hide(true)
			}
		})
	case '5':
		r.lock()
	case '7':
		r.each(func(other *member) {
			if other != m {
				other.mute(true)
			}
		})
	case '8':
		return r.removeLast(m)
	case '9':
		return r.record(!r.recorded())
	case '*':
		r.each(func(other *member) { other.bye(endReason) })
	default:
		return false
	}
	return true
}

const (
	endReason    = `SIP;cause=200;text="Conference ended"`
	removeReason = `SIP;cause=410;text="Removed from the conference"`
)

// claim makes the member a moderator if it knows the PIN of moderators. Guesses count as those at the gate.
func (m *member) claim(pin string) {
	if m.moderator || m.command.checking {
		m.confirm(m.moderator)
		return
	}
	m.command.checking = true
	m.compare(pin, true, func(v verdict) {
		m.command.checking = false
		if m.over || m.presence == nil {
			return
		}
		if v.right {
			m.promote()
		}
		m.confirm(v.right)
	})
}

// promote makes an admitted member a moderator.
func (m *member) promote() {
	before := m.room.open()
	m.room.change(func(l *roster) {
		m.moderator, m.presence.moderator = true, true
		m.room.moderators++
		l.touched(m.presence)
	})
	if !before {
		m.room.each(func(other *member) { other.apply() })
	}
}

// removeLast removes the member that came last, but for the one who asks.
func (r *room) removeLast(asking *member) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	var last *member
	for m := range r.members {
		if m != asking && m.admitted && (last == nil || m.presence.since.After(last.presence.since)) {
			last = m
		}
	}
	if last == nil {
		return false
	}
	last.do(func() { last.bye(removeReason) })
	return true
}

// remove removes every call of a user and reports whether there was one.
func (r *room) remove(entity string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	found := false
	for m := range r.members {
		if m.entity == entity {
			found = true
			m.do(func() { m.bye(removeReason) })
		}
	}
	return found
}
