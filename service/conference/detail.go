// What is told of the calls of a conference: for logs, metrics and call detail records.

package conference

import (
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
)

// Observer is told what becomes of conferences. It must not block.
type Observer interface {
	// ObserveMember is told of a call, in its stripe; it must not keep d.
	ObserveMember(d *Detail)
	// ObserveRoom may be called from any goroutine.
	ObserveRoom(ev RoomEvent)
}

// Phase is what has happened to a call. Started and Ended come always and once, WrongPIN may come several times.
type Phase uint8

// The phases.
const (
	Started Phase = iota + 1
	Answered
	WrongPIN
	Joined // admitted into the conference
	Ended
)

// Side is who ended a call.
type Side uint8

// The sides.
const (
	BySystem Side = iota // a limit, a moderator, a wrong PIN, a stop
	ByMember
)

// String gives the word for a log.
func (s Side) String() string { return [...]string{"system", "member"}[s] }

// Detail describes one call of a conference. Times that have not come are zero.
type Detail struct {
	Phase     Phase
	ID        string // Session-ID of the member's side (RFC 7989)
	CallID    string
	Room      string // the URI of the conference
	Member    string // the URI of the member
	Invited   bool   // we called
	Inside    bool   // by way of whoever routes calls in this process, who tells of the call, too
	Moderator bool

	Start, Answer, Join, End time.Time

	Status sip.Status // 200, or why there was no call
	By     Side       // who ended it
	Reason string     // the Reason header of the end, if any (RFC 3326)
	Err    error      // what went wrong here, if that is why it ended
	Media  session.Statistics
	Seen   PictureCounts
}

// PictureCounts are the packets of pictures of a call.
type PictureCounts struct {
	Received uint64 // of the member
	Sent     uint64 // to it
	Switches uint64 // how often somebody came into a line to it
}

// Duration returns how long the member was in the conference.
func (d *Detail) Duration() time.Duration {
	if d.Join.IsZero() || d.End.IsZero() {
		return 0
	}
	return d.End.Sub(d.Join)
}

// begin begins the detail of a call with its INVITE.
func (m *member) begin(req *sip.Request) {
	m.detail.ID = m.usage.SessionID().Remote
	if m.detail.ID == sip.NilUUID {
		m.detail.ID = sip.NewSessionUUID(req.CallID() + req.FromTag())
	}
	m.detail.CallID, m.detail.Room = strings.Clone(m.usage.CallID()), m.room.name
	m.detail.Member, m.detail.Invited, m.detail.Inside = m.entity, m.invited, m.inside
	m.reached(Started)
}

// reached notes what has happened to the call and tells the observer.
func (m *member) reached(p Phase) {
	d := &m.detail
	d.Phase, d.Moderator = p, m.moderator
	switch now := time.Now(); p {
	case Started:
		d.Start = now
	case Answered:
		d.Answer, d.Status = now, sip.StatusOK
	case Joined:
		d.Join = now
	case Ended:
		d.End = now
	}
	if m.c.Observer != nil {
		m.c.Observer.ObserveMember(d)
	}
}
