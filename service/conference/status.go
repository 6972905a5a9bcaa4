// Who is in the rooms now, for whoever runs the server.

package conference

import (
	"slices"
	"strings"
	"time"
)

// RoomStatus is how things stand in a room in use.
type RoomStatus struct {
	Room      string // the URI of the conference
	Title     string
	Locked    bool
	Recording bool
	Members   []MemberStatus // in the order in which they came
}

// MemberStatus is one call of somebody who is in a room or is called to it.
type MemberStatus struct {
	Member    string // URI
	Display   string
	State     string // "dialing-out", "alerting", "connected", "on-hold": RFC 4575 §5.7.2
	Moderator bool
	Muted     bool
	Since     time.Time
	Video     string // "sendrecv", "sendonly" (sees nobody), "recvonly" (is not seen), "inactive"; "" if it has offered none
}

// Status returns how things stand in all rooms in use, ordered by their names.
func (c *Conference) Status() []RoomStatus {
	c.mu.Lock()
	rooms := make([]*room, 0, len(c.rooms))
	for _, r := range c.rooms {
		rooms = append(rooms, r)
	}
	c.mu.Unlock()
	slices.SortFunc(rooms, func(a, b *room) int { return strings.Compare(a.name, b.name) })
	all := make([]RoomStatus, len(rooms))
	for i, r := range rooms {
		all[i] = r.status()
	}
	return all
}

func (r *room) status() RoomStatus {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := RoomStatus{Room: r.name, Title: r.roster.title, Locked: r.roster.locked, Recording: r.tape != nil}
	for _, u := range r.roster.users {
		for _, p := range u.calls {
			m := MemberStatus{Member: u.entity, Display: u.display, State: p.status, Moderator: p.moderator, Muted: p.muted, Since: p.since}
			for _, stream := range p.media() {
				if stream.kind == "video" {
					m.Video = directionOf(stream.sends, stream.gets).String()
				}
			}
			s.Members = append(s.Members, m)
		}
	}
	return s
}
