package b2bua

// What both sides of a call are told by us: that it is recorded, that its time is nearly up. One announcement comes after the other, and what somebody has to be told is not lost because
// a supervisor comes or goes: it is said in the room where the sides sit then, or when they are together again. The stripe of the call owns all of it.

import (
	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/session"
)

// maxUnsaid is how many announcements wait for each other.
const maxUnsaid = 4

// announcing is what is said to both sides, and what is to be said after it.
type announcing struct {
	between bool            // both sides hear something instead of each other
	inRoom  session.Music   // or beside each other, in the room of a supervision; nil: nothing
	unsaid  []session.Music // what waits
}

// announce lets both sides hear something, as soon as they can: instead of each other, or in the room where they sit with a supervisor.
func (c *call) announce(m session.Music) {
	if c.announcing == nil {
		c.announcing = &announcing{}
	}
	if x := c.announcing; len(x.unsaid) < maxUnsaid {
		x.unsaid = append(x.unsaid, m)
	}
	c.announceNext()
}

// announced reports whether both sides hear an announcement instead of each other.
func (c *call) announced() bool { return c.announcing != nil && c.announcing.between }

// announceNext says what waits, unless something is said, or the sides are on their way into a room or out of it: then it is called again.
func (c *call) announceNext() {
	x, s := c.announcing, c.supervision
	if x == nil || len(x.unsaid) == 0 || c.over || c.callee == nil || x.between || x.inRoom != nil || s != nil && s.state != joined && s.state != joinedAlone {
		return
	}
	m := x.unsaid[0]
	if x.unsaid = x.unsaid[1:]; s != nil {
		s.announce(m)
		return
	}
	x.between = true
	a, b := c.caller.media, c.callee.media
	wait := session.Announce(a, b, m)
	go func() { // ends with the announcement, and that with the legs
		wait()
		c.engine.Do(c.stripe, func() {
			x.between = false
			if !c.over && c.callee != nil && c.caller.media == a && c.callee.media == b {
				session.Rejoin(a, b)
			}
			c.announceNext()
		})
	}()
}

// announceAgain goes on where the sides have left a room: what they have not heard to its end there is said once more.
func (c *call) announceAgain() {
	if x := c.announcing; x != nil && x.inRoom != nil {
		x.unsaid = append([]session.Music{x.inRoom}, x.unsaid...)
		x.inRoom = nil
	}
	c.announceNext()
}

// announce lets all in the room hear something beside each other.
func (s *supervision) announce(m session.Music) {
	c, room, x := s.call, s.room, s.call.announcing
	x.inRoom = m
	said := func() {
		c.engine.Do(c.stripe, func() {
			if c.supervision == s && x.inRoom != nil {
				x.inRoom = nil
				c.announceNext()
			}
		})
	}
	c.b.work.Go(func() { // it may have to be read from the disk
		source, err := m(roomRate)
		if err != nil {
			said()
			return
		}
		room.Play(&saying{Source: source, said: said})
	})
}

// saying is a source that tells when it has ended.
type saying struct {
	audio.Source
	said func() // nil: it was told
}

// ReadSamples implements [audio.Source].
func (s *saying) ReadSamples(pcm []int16) (int, error) {
	n, err := s.Source.ReadSamples(pcm)
	if err != nil && s.said != nil {
		s.said()
		s.said = nil
	}
	return n, err
}
