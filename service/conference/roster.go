// Who is in a room, with a mark at each change, so that a subscriber can be told what is new. RFC 4575 §5.

package conference

import (
	"slices"
	"time"
)

// roster is what a conference says of itself: plain data. Its room guards it.
type roster struct {
	entity string // the URI of the conference
	title  string
	most   int // members at once
	locked bool
	video  bool // pictures are taken

	mark      uint64 // one up with each change
	state     uint64 // mark of the last change of what is not about one user
	users     []*user
	gone      []departure
	forgotten uint64 // departures up to this mark are not known any more
}

// user is somebody in the conference, with one call or several. RFC 4575 §5.6.
type user struct {
	entity  string
	display string
	calls   []*presence
	changed uint64
}

// presence is one call of a user: an endpoint. RFC 4575 §5.7.
type presence struct {
	entity    string // unique in the conference
	status    string // "dialing-out", "alerting", "connected", "on-hold"
	invited   bool   // we called; otherwise the user did
	moderator bool
	muted     bool
	since     time.Time
	sound     bool // it has agreed on sound
	video     pictureState
	label     string // of the pictures that it sends, as the lines of those who see them name it
}

// medium is one stream, as its member has it. RFC 4575 §5.8.
type medium struct {
	kind, label string
	sends, gets bool
}

// media are the streams of a call. Who has offered pictures has a stream of them, be it that nothing goes over it: so it is seen who hears only.
func (p *presence) media() (all []medium) {
	if p.sound {
		all = append(all, medium{kind: "audio", sends: !p.muted, gets: true})
	}
	if v := p.video; v.offered {
		all = append(all, medium{kind: "video", label: p.label, sends: v.sends, gets: v.sees})
	}
	return all
}

// departure is a user who has left.
type departure struct {
	entity string
	at     uint64
}

// maxDepartures is how many who left are remembered. A subscriber that is further behind is told everything.
const maxDepartures = 256

// newRoster makes an empty roster. Its marks begin with the time: those of a conference that was in the room before are older.
func newRoster(entity, title string, most int) *roster {
	start := uint64(max(time.Now().UnixNano(), 1))
	return &roster{entity: entity, title: title, most: most, mark: start, state: start, forgotten: start}
}

// find returns the user of that name, nil if nobody is called so.
func (r *roster) find(entity string) *user {
	for _, u := range r.users {
		if u.entity == entity {
			return u
		}
	}
	return nil
}

// join enters a call of a user.
func (r *roster) join(entity, display string, p *presence) {
	u := r.find(entity)
	if u == nil {
		u = &user{entity: entity}
		r.users = append(r.users, u)
		r.gone = slices.DeleteFunc(r.gone, func(d departure) bool { return d.entity == entity })
	}
	if display != "" {
		u.display = display
	}
	u.calls = append(u.calls, p)
	r.touch(u)
	r.state = r.mark // the number of users
}

// leave removes a call of a user, and the user with the last one.
func (r *roster) leave(entity string, p *presence) {
	u := r.find(entity)
	if u == nil || !slices.Contains(u.calls, p) {
		return
	}
	u.calls = slices.DeleteFunc(u.calls, func(q *presence) bool { return q == p })
	r.touch(u)
	r.state = r.mark
	if len(u.calls) > 0 {
		return
	}
	r.users = slices.DeleteFunc(r.users, func(v *user) bool { return v == u })
	if len(r.gone) == maxDepartures {
		r.forgotten = r.gone[0].at
		r.gone = slices.Delete(r.gone, 0, 1)
	}
	r.gone = append(r.gone, departure{entity, r.mark})
}

// touch says that something about a user has changed.
func (r *roster) touch(u *user) {
	r.mark++
	u.changed = r.mark
}

// touched says the same of the user with that call.
func (r *roster) touched(p *presence) {
	for _, u := range r.users {
		if slices.Contains(u.calls, p) {
			r.touch(u)
			return
		}
	}
}

// lock says whether the room is closed for others.
func (r *roster) lock(on bool) {
	r.locked = on
	r.mark++
	r.state = r.mark
}
