package b2bua

// What both sides of a call are told by us: that it is recorded, that its time is nearly up. One announcement comes after the other, and what somebody has to be told is not lost because the
// session changes, one side is on hold, or a supervisor comes or goes: it is said in the room where the sides sit then, or when they hear us again. The stripe of the call owns all of it.

import (
	"io"
	"slices"
	"sync"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/session"
)

const (
	// maxUnsaid is how many announcements wait for each other.
	maxUnsaid = 4
	// maxSaid is how often the same announcement begins between the sides of a call: whoever changes its session again and again has heard enough of it.
	maxSaid = 5
)

// announcing is what is said to both sides, and what is to be said after it.
type announcing struct {
	between *announcement   // both sides hear it instead of each other; nil: nothing
	inRoom  *announcement   // or beside each other, in the room of a supervision
	unsaid  []*announcement // what waits
}

// announcement is one thing to be said to both sides.
type announcement struct {
	music session.Music
	tape  bool    // it says that the call is recorded
	heard [2]bool // by the caller, and the callee, to its end
	said  int     // how often it has begun
}

// announce lets both sides hear something, as soon as they can: instead of each other, or in the room where they sit with a supervisor.
func (c *call) announce(m session.Music) { c.enqueue(&announcement{music: m}) }

// announceTape lets both sides hear that the call is recorded, also whoever has taken the place of one that was to hear it.
func (c *call) announceTape() {
	c.dropTape()
	c.enqueue(&announcement{music: c.recording.Announce, tape: true})
}

// dropTape forgets what waits to be said of a recording: there is none any more, or it is said anew.
func (c *call) dropTape() {
	if x := c.announcing; x != nil {
		x.unsaid = slices.DeleteFunc(x.unsaid, func(a *announcement) bool { return a.tape })
	}
}

// enqueue lets an announcement wait for its turn.
func (c *call) enqueue(a *announcement) {
	if c.announcing == nil {
		c.announcing = &announcing{}
	}
	if x := c.announcing; len(x.unsaid) < maxUnsaid {
		x.unsaid = append(x.unsaid, a)
	}
	c.announceNext()
}

// announced reports whether both sides hear an announcement instead of each other.
func (c *call) announced() bool { return c.announcing != nil && c.announcing.between != nil }

// announceNext says what waits, if nothing else is said or under way. It is called again whenever something has happened in the call. It does not keep somebody waiting
// who wants to come in: the rest is said when that one is there.
func (c *call) announceNext() {
	x, s := c.announcing, c.supervision
	if x == nil || len(x.unsaid) == 0 || c.over || c.callee == nil || x.between != nil || x.inRoom != nil {
		return
	}
	switch {
	case s != nil && (s.state == joined || s.state == joinedAlone):
		s.announce(x.take(0))
	case s == nil && c.exchange == nil && c.joining == nil && c.entering == 0:
		c.announceBetween()
	}
}

// take takes one of those that wait.
func (x *announcing) take(i int) *announcement {
	a := x.unsaid[i]
	x.unsaid = slices.Delete(x.unsaid, i, i+1)
	return a
}

// again puts one back that has not been heard to its end, before all others.
func (x *announcing) again(a *announcement) { x.unsaid = slices.Insert(x.unsaid, 0, a) }

// announceBetween says the first thing that a side has not heard and hears now.
func (c *call) announceBetween() {
	x, caller, callee := c.announcing, c.caller.media, c.callee.media
	hears := session.Hearing(caller, callee)
	i := slices.IndexFunc(x.unsaid, func(a *announcement) bool { return hears[0] && !a.heard[0] || hears[1] && !a.heard[1] })
	if i < 0 {
		return
	}
	a := x.take(i)
	a.said++
	x.between = a
	wait := session.Announce(caller, callee, a.music)
	go func() { // ends with the announcement, and that with the legs
		heard := wait()
		c.engine.Do(c.stripe, func() {
			x.between = nil
			if c.over || c.callee == nil {
				return
			}
			stays := c.caller.media == caller && c.callee.media == callee
			if stays {
				session.Rejoin(caller, callee)
			}
			c.heard(a, heard, stays)
			c.announceNext()
		})
	}()
}

// heard notes who has heard an announcement, and lets it wait for whoever has not; stays: both sides are who they were. If not it is said anew; but of a recording they are told anyhow.
func (c *call) heard(a *announcement, heard [2]bool, stays bool) {
	switch {
	case stays:
		a.heard = [2]bool{a.heard[0] || heard[0], a.heard[1] || heard[1]}
	case a.tape:
		return
	default:
		a.heard = [2]bool{}
	}
	if a.heard != [2]bool{true, true} && a.said < maxSaid {
		c.announcing.again(a)
	}
}

// announceAgain goes on where the sides have left a room: what they have not heard to its end there is said once more.
func (c *call) announceAgain() {
	if x := c.announcing; x != nil && x.inRoom != nil {
		x.again(x.inRoom)
		x.inRoom = nil
	}
	c.announceNext()
}

// announce lets all in the room hear something beside each other.
func (s *supervision) announce(a *announcement) {
	c, room := s.call, s.room
	x, says := c.announcing, &saying{}
	x.inRoom, s.saying = a, says
	says.said = func() {
		c.engine.Do(c.stripe, func() {
			if c.supervision == s && x.inRoom == a {
				x.inRoom = nil
				c.announceNext()
			}
		})
	}
	c.b.work.Go(func() { // it may have to be read from the disk
		source, err := a.music(roomRate)
		if err != nil {
			says.said()
			return
		}
		if says.begin(source) {
			room.Play(says)
		}
	})
}

// saying is a source that tells when it has ended, and is closed then or with the room.
type saying struct {
	said func()

	mu     sync.Mutex // guards what follows
	source audio.Source
	over   bool
}

// begin takes the source; it reports false if the room is closed already.
func (s *saying) begin(source audio.Source) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.source = source
	if s.over {
		s.closeLocked()
	}
	return !s.over
}

// ReadSamples implements [audio.Source].
func (s *saying) ReadSamples(pcm []int16) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return 0, io.EOF
	}
	n, err := s.source.ReadSamples(pcm)
	if err != nil {
		s.over = true
		s.closeLocked()
		s.said()
	}
	return n, err
}

// close ends it with its room. A nil saying is none.
func (s *saying) close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.over = true
		s.closeLocked()
	}
}

// closeLocked closes the source, if there is one that asks for it.
func (s *saying) closeLocked() {
	if c, ok := s.source.(io.Closer); ok {
		_ = c.Close() // it was only read
	}
}
