// Lines of pictures as people come and go: a browser gets one for each whom it sees, by re-INVITE. Those who have left leave theirs inactive, and the next takes it.
// RFC 3264 §8; RFC 8830 names in each who is seen.

package conference

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/media/video"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

const (
	offerWait  = 100 * time.Millisecond // before an offer: people come in crowds
	offerPause = time.Second            // between two offers
	demandTime = time.Second            // between two demands for a whole picture by INFO
)

// picturing is what the call of a member knows of its pictures.
type picturing struct {
	offered  bool // the peer has offered pictures, whether we have a codec for them or not
	many     bool // it takes more lines than it has offered
	hidden   bool // is not to be seen
	none     bool // we offer none
	waiting  sip.Timer
	pending  bool // our offer has no answer yet
	again    bool // another is to follow
	last     time.Time
	glare    time.Duration // to wait, because both sides have offered at once
	demanded time.Time
}

// lookAt notes what a description of the peer says of pictures.
func (m *member) lookAt(theirs *sdp.Description) {
	p := &m.picture
	p.offered = slices.ContainsFunc(theirs.Media, func(l sdp.Media) bool { return l.Type == "video" && !l.Rejected() }) || p.offered
	p.many = p.many || len(theirs.Bundles()) > 0
}

// reoffer offers the lines that the stage wants, soon.
func (m *member) reoffer() {
	p := &m.picture
	if p.pending {
		p.again = true
		return
	}
	if p.waiting != nil || m.over || m.seat == nil {
		return
	}
	wait := max(offerWait, offerPause-time.Since(p.last), p.glare)
	p.glare = 0
	p.waiting = m.engine.After(m.stripe, wait, func() {
		p.waiting = nil
		m.offerLines()
	})
}

// offerLines sends the offer.
func (m *member) offerLines() {
	if m.over || m.seat == nil || m.offered || !m.room.stage.plan(m) {
		return
	}
	p := &m.picture
	p.last = time.Now()
	m.usage.PassGlare = true // what waits is out of date when it may go
	switch err := m.usage.Modify(dialog.SDP(m.endpoint.Offer().AppendTo(nil))); err {
	case nil:
		p.pending = true
	case sip.StatusRequestPending:
		p.glare = m.glareWait()
		m.reoffer()
	}
}

// glareWait is how long an offer waits that has met one of the peer: longer for the side that has called, so that the two do not meet again. RFC 3261 §14.1.
func (m *member) glareWait() time.Duration {
	wait := rand.N(2 * time.Second)
	if m.invited {
		wait += 2100 * time.Millisecond
	}
	return wait
}

// modified takes what became of our offer.
func (m *member) modified(ev dialog.Modified) {
	p := &m.picture
	again := p.again
	p.pending, p.again = false, false
	if m.over || m.seat == nil {
		return
	}
	switch {
	case ev.Status.Success():
		answer, err := description.Find(&ev.Response.Message)
		if err == nil && answer != nil {
			err = m.endpoint.Accept(answer)
		}
		if err != nil || answer == nil {
			m.picture.many = false // it does not understand what we do
		}
	case ev.Status == sip.StatusRequestPending:
		again, p.glare = true, m.glareWait()
	default:
		m.picture.many = false // it wants no more than it has
	}
	m.room.stage.answered(m, ev.Status)
	m.room.stage.update(m)
	if again {
		m.reoffer()
	}
}

// plan makes of what the stage wants what the next offer says. It reports false if all is as it should be.
func (s *stage) plan(m *member) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.findLocked(m)
	if v == nil || !v.wants(s.format) {
		return false
	}
	var missing []*viewer
	for _, u := range v.wanted {
		if v.tileOf(u) == nil {
			missing = append(missing, u)
		}
	}
	for _, t := range v.tiles {
		u := t.shows
		if u == nil && !t.own && len(missing) > 0 {
			u, missing = missing[0], missing[1:] // it is used again
		}
		v.offer(t, u)
	}
	v.addLines(m.endpoint, missing)
	if v.switches(s.format) {
		v.asked = s.format
		m.endpoint.Prefer(s.format.String())
	}
	return true
}

// addLines adds lines for those who have none. What was offered before and not agreed on is offered again.
func (v *viewer) addLines(e *session.Endpoint, missing []*viewer) {
	for p := range v.added {
		if len(missing) > 0 && !slices.ContainsFunc(v.tiles, func(t *tile) bool { return t.picture == p }) {
			p.SetID(missing[0].name)
			v.added[p], missing = missing[0].name, missing[1:]
		}
	}
	for _, u := range missing {
		p := e.AddPicture(sdp.SendOnly, u.name)
		if p == nil {
			v.most = len(v.tiles)
			return
		}
		if v.added == nil {
			v.added = make(map[*session.Picture]string)
		}
		v.added[p] = u.name
	}
}

// offer says of the line of a tile who is to be in it, nil for nobody.
func (v *viewer) offer(t *tile, u *viewer) {
	t.named = ""
	if u != nil {
		t.named = u.name
	}
	t.picture.SetID(t.named)
	switch {
	case t.own:
	case u == nil:
		t.picture.SetDirection(sdp.Inactive)
	default:
		t.picture.SetDirection(sdp.SendOnly)
	}
}

// answered takes the outcome of an offer: whoever has agreed to fewer lines than were offered is not offered more again.
func (s *stage) answered(m *member, status sip.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.findLocked(m)
	if v == nil {
		return
	}
	if status.Success() {
		lines := m.endpoint.Pictures()
		for p := range v.added {
			if !slices.Contains(lines, p) {
				delete(v.added, p)
				v.most = len(lines)
			}
		}
		return
	}
	for _, t := range v.tiles {
		t.named = "" // what was told is not so
	}
}

// showPicture tells the roster of the pictures of the member. RFC 4575 §5.8.
func (m *member) showPicture(s pictureState) {
	p := m.presence
	if p == nil || m.over {
		return
	}
	name := m.room.stage.nameOf(m)
	m.room.change(func(r *roster) {
		p.video = s
		p.label = name
		r.touched(p)
	})
}

// nameOf returns the name under which a member is seen.
func (s *stage) nameOf(m *member) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.findLocked(m); v != nil {
		return v.name
	}
	return ""
}

// hide keeps the member from being seen, or lets it be seen again.
func (m *member) hide(on bool) {
	if m.presence == nil || m.over || m.picture.hidden == on {
		return
	}
	m.picture.hidden = on
	m.room.stage.update(m)
}

// demandPicture asks the peer by INFO for whole pictures. RFC 5168.
func (m *member) demandPicture() {
	p := &m.picture
	if m.over || m.usage == nil || time.Since(p.demanded) < demandTime {
		return
	}
	req := m.usage.NewRequest(sip.MethodInfo)
	if req == nil {
		return
	}
	p.demanded = time.Now()
	description.DemandPicture(req)
	// Who refuses sends no picture: nothing is to be done about it.
	_ = m.usage.SendRequest(req, func(*sip.Response, error) {})
}

// preferFormat has our next description name the format first that most in the room can show.
func (m *member) preferFormat() {
	if f := m.room.stage.preferred(); f != 0 && f != video.VP8 {
		m.endpoint.Prefer(f.String())
	}
}
