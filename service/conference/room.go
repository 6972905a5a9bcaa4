// A room in use: from its first member to its last. RFC 4353 §3, §4.

package conference

import (
	"strings"
	"sync"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
)

// room is a conference. Its methods may be called from any goroutine; they never hold its mutex while they call the mixer, whose callbacks take it.
type room struct {
	c     *Conference
	set   Settings
	name  string
	made  bool // by a factory
	mixer *session.Room
	stage stage

	mu         sync.Mutex // guards what follows
	roster     *roster
	members    map[*member]struct{}
	seats      map[*session.Seat]*member
	moderators int           // that are admitted
	tape       *recording    // nil: nothing is recorded
	speakers   *loudspeakers // of a page; nil: there are none
}

// madePrefix begins the names of rooms that a factory makes.
const madePrefix = "conference-"

// enter makes m a member of the room with these settings, which begins to live with it; a status refuses it.
func (c *Conference) enter(m *member, set Settings) sip.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.draining || c.calls >= or(c.MaxCalls, DefaultMaxCalls) {
		return sip.StatusServiceUnavailable
	}
	r := c.rooms[nameOf(set.URI)]
	if r == nil {
		if len(c.rooms) >= or(c.MaxRooms, DefaultMaxRooms) {
			return sip.StatusServiceUnavailable
		}
		r = c.openLocked(set)
	}
	if status := r.take(m); status != 0 {
		return status
	}
	c.calls++
	return 0
}

// openLocked makes a room live.
func (c *Conference) openLocked(set Settings) *room {
	r := &room{c: c, set: set, name: nameOf(set.URI), made: strings.HasPrefix(set.URI.User, madePrefix),
		members: make(map[*member]struct{}), seats: make(map[*session.Seat]*member)}
	r.roster = c.rosterOf(r.name, &set)
	r.mixer = &session.Room{Rate: c.rate(), Digit: r.dialled}
	r.mixer.Record(r.hear)
	r.stage.most = or(c.MaxTiles, DefaultMaxTiles)
	if c.rooms == nil {
		c.rooms = make(map[string]*room)
	}
	c.rooms[r.name] = r
	c.made.Add(1)
	c.observe(RoomEvent{Room: r.name, What: "opened"})
	return r
}

// rosterOf makes an empty roster of a room.
func (c *Conference) rosterOf(name string, set *Settings) *roster {
	l := newRoster(name, set.Title, c.most(set))
	l.video = len(c.Voice.Pictures) > 0
	return l
}

// rate is that of the mix: wide enough for the better codecs.
func (c *Conference) rate() int { return or(c.Voice.Rate, 16000) }

// take enters a member, unless the room is locked or full. Moderators may always come.
func (r *room) take(m *member) sip.Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.roster.locked && !m.moderator:
		return sip.StatusForbidden
	case len(r.members) >= r.roster.most && !m.moderator:
		return sip.StatusBusyHere
	}
	r.members[m] = struct{}{}
	m.room = r
	return 0
}

// release forgets a member, and the room with the last one.
func (c *Conference) release(m *member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := m.room
	r.mu.Lock()
	delete(r.members, m)
	empty := len(r.members) == 0
	tape, speakers := r.tape, r.speakers
	if empty {
		r.tape, r.speakers = nil, nil
	}
	r.mu.Unlock()
	if c.calls--; c.calls == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
	if !empty {
		return
	}
	delete(c.rooms, r.name)
	c.observe(RoomEvent{Room: r.name, What: "closed"})
	c.work.Go(func() {
		r.mixer.Close()
		tape.close()
		speakers.close()
	})
	if r.made && c.Events != nil {
		c.Events.End(packageName, r.name, "noresource")
	}
}

// each runs f for every member, each in its stripe.
func (r *room) each(f func(m *member)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for m := range r.members {
		m.do(func() { f(m) })
	}
}

// change changes the roster and has its subscribers told.
func (r *room) change(f func(r *roster)) {
	r.mu.Lock()
	f(r.roster)
	r.mu.Unlock()
	if r.c.Events != nil {
		r.c.Events.Changed(packageName, r.name)
	}
}

// admit says that a member is in the room now.
func (r *room) admit(m *member, p *presence) {
	r.change(func(l *roster) {
		m.admitted, m.presence = true, p
		if m.moderator {
			r.moderators++
		}
		l.join(m.entity, m.display, p)
	})
}

// dismiss says that it is not any more.
func (r *room) dismiss(m *member) {
	r.change(func(l *roster) {
		p := m.presence
		m.admitted, m.presence = false, nil
		if m.moderator {
			r.moderators--
		}
		l.leave(m.entity, p)
	})
}

// open reports whether the members hear each other yet.
func (r *room) open() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return !r.set.WaitForModerator || r.moderators > 0
}

// signal plays a signal to everybody, unless the room is quiet or still waits.
func (r *room) signal(s signal) {
	if !r.set.Quiet && r.open() {
		r.mixer.Play(s.at(r.c.rate()))
	}
}

// sit gives a member its seat.
func (r *room) sit(m *member) error {
	seat, err := r.mixer.Join(m.endpoint)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	m.seat = seat
	r.seats[seat] = m
	return nil
}

// rise takes it away.
func (r *room) rise(seat *session.Seat) {
	r.mu.Lock()
	delete(r.seats, seat)
	r.mu.Unlock()
	seat.Leave()
}

// dialled hands a digit to the member who dialled it. It runs on the goroutine of the mixer.
func (r *room) dialled(seat *session.Seat, digit byte) {
	r.mu.Lock()
	m := r.seats[seat]
	r.mu.Unlock()
	if m != nil {
		m.do(func() { m.digit(digit) })
	}
}

// lock closes the room for others, or opens it.
func (r *room) lock() {
	locked := false
	r.change(func(l *roster) {
		l.lock(!l.locked)
		locked = l.locked
	})
	what := "unlocked"
	if locked {
		what = "locked"
	}
	r.c.observe(RoomEvent{Room: r.name, What: what})
}

// melody returns a source of a signal at the rate of the room.
func (r *room) melody(s signal) audio.Source { return s.at(r.c.rate()) }
