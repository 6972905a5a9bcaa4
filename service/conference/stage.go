// The pictures of a room: who is seen, and by whom. Pictures are forwarded as they come, never decoded. RFC 7667 §3.7.

package conference

import (
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/video"
)

// DefaultMaxTiles is how many others a member sees at once, see [Conference.MaxTiles].
const DefaultMaxTiles = 16

// stageTime is the beat of a stage: so often it is looked who speaks, what receivers have room for, and who waits for a whole picture.
const stageTime = 100 * time.Millisecond

// stage is the pictures of a room. Its methods may be called from any goroutine, but not with the mutex of the room held.
type stage struct {
	most int // tiles of a member

	mu      sync.Mutex // guards what follows
	viewers []*viewer  // in the order in which they came
	ranking video.Ranking[*viewer]
	pinned  *viewer      // comes first whoever speaks; nil: nobody
	format  video.Format // that most can show, and that is asked of who sends
	names   int          // given so far
	stop    chan struct{}
}

// order is something that is to be done in the stripe of a member once the stage is unlocked.
type order struct {
	member *member
	do     func(m *member)
}

// update takes what has become of a member: it is let in or not, is muted, or has agreed on other lines. It is called in the stripe of the member.
func (s *stage) update(m *member) {
	if m.endpoint == nil || m.seat == nil || m.over {
		return
	}
	in, pictures := m.admitted && m.room.open(), m.endpoint.Pictures()
	s.mu.Lock()
	v := s.findLocked(m)
	if v == nil {
		s.names++
		v = &viewer{member: m, name: "v" + strconv.Itoa(s.names), most: s.most}
		s.viewers = append(s.viewers, v)
		s.ranking.Add(v)
	}
	v.seat, v.in, v.muted, v.hidden, v.many, v.asks = m.seat, in, m.muted, m.picture.hidden, m.picture.many && !m.held, m.picture.offered
	now := time.Now()
	v.agree(pictures, now)
	orders := s.arrangeLocked(now)
	s.beatLocked(m.c)
	s.mu.Unlock()
	give(orders)
}

// leave takes a member off. It is called in the stripe of the member, as long as it has its endpoint.
func (s *stage) leave(m *member) {
	s.mu.Lock()
	v := s.findLocked(m)
	if v == nil {
		s.mu.Unlock()
		return
	}
	now := time.Now()
	v.in = false
	v.close(now)
	m.detail.Seen = v.counts
	s.viewers = slices.DeleteFunc(s.viewers, func(o *viewer) bool { return o == v })
	s.ranking.Remove(v)
	if s.pinned == v {
		s.pinned = nil
	}
	orders := s.arrangeLocked(now)
	s.beatLocked(m.c)
	s.mu.Unlock()
	give(orders)
}

func give(orders []order) {
	for _, o := range orders {
		o.member.do(func() { o.do(o.member) })
	}
}

func (s *stage) findLocked(m *member) *viewer {
	i := slices.IndexFunc(s.viewers, func(v *viewer) bool { return v.member == m })
	if i < 0 {
		return nil
	}
	return s.viewers[i]
}

// pin keeps the one who comes first there, or lets those who speak come first again. It reports whether there is somebody to see.
func (s *stage) pin() bool {
	s.mu.Lock()
	pinned := s.pinned
	s.pinned = nil
	if ranked := s.ranking.Order(); pinned == nil {
		if i := slices.IndexFunc(ranked, (*viewer).seen); i >= 0 {
			s.pinned = ranked[i]
		}
	}
	orders := s.arrangeLocked(time.Now())
	done := pinned != nil || s.pinned != nil
	s.mu.Unlock()
	give(orders)
	return done
}

// arrangeLocked gives each viewer who is to be seen, and returns what is to be told.
func (s *stage) arrangeLocked(now time.Time) (orders []order) {
	ranked := s.ranking.Order()
	if i := slices.Index(ranked, s.pinned); i > 0 {
		ranked = slices.Insert(slices.Delete(ranked, i, i+1), 0, s.pinned)
	}
	s.chooseFormatLocked()
	for _, v := range s.viewers {
		v.arrange(ranked, now)
		if v.wants(s.format) {
			orders = append(orders, order{v.member, (*member).reoffer})
		}
		if state := v.state(); state != v.told {
			v.told = state
			orders = append(orders, order{v.member, func(m *member) { m.showPicture(state) }})
		}
	}
	return orders
}

// chooseFormatLocked finds the format that most can show. What was chosen before stays as long as no other is better.
func (s *stage) chooseFormatLocked() {
	var takers [video.Formats]int
	for _, v := range s.viewers {
		for f, takes := range v.takes {
			if takes && v.in {
				takers[f]++
			}
		}
	}
	if s.format == 0 {
		s.format = video.VP8
	}
	for _, f := range [...]video.Format{video.VP8, video.H264} {
		if takers[f] > takers[s.format] {
			s.format = f
		}
	}
}

// preferred returns the format that is to be agreed on with a new member.
func (s *stage) preferred() video.Format {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.format
}

// beatLocked starts the beat with the first picture, and ends it with the last.
func (s *stage) beatLocked(c *Conference) {
	on := slices.ContainsFunc(s.viewers, func(v *viewer) bool { return len(v.tiles) > 0 || v.source != nil })
	switch {
	case on && s.stop == nil:
		stop := make(chan struct{})
		s.stop = stop
		c.work.Go(func() { s.beat(stop) })
	case !on && s.stop != nil:
		close(s.stop)
		s.stop = nil
	}
}

// beat runs until there are no pictures any more.
func (s *stage) beat(stop <-chan struct{}) {
	ticker := time.NewTicker(stageTime)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-ticker.C:
			give(s.step(now))
		}
	}
}

// step is one beat.
func (s *stage) step(now time.Time) (orders []order) {
	s.mu.Lock()
	defer s.mu.Unlock()
	level := func(v *viewer) int {
		if !v.in || v.muted {
			return codec.Silence
		}
		return v.seat.Level()
	}
	if s.ranking.Step(level, now) || s.strangersLocked() {
		orders = s.arrangeLocked(now)
	}
	for _, v := range s.viewers {
		v.view.Tick(now)
		if v.source != nil {
			v.camera.Limit(uint64(v.source.Tick(now)))
		}
	}
	return orders
}

// strangersLocked tells whether somebody sends in another format than was known when the pictures were arranged last.
func (s *stage) strangersLocked() (changed bool) {
	for _, v := range s.viewers {
		if v.source == nil {
			continue
		}
		if f := v.source.Format(); f != v.sends {
			v.sends, changed = f, true
		}
	}
	return changed
}
