// What is told of a call when it has ended: for logs and call detail records.

package pbx

import (
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
)

// Observer is told what has become of calls. It must not block.
type Observer interface {
	// ObserveCall is told of a call that has ended, in its stripe; it must not keep d.
	ObserveCall(d *Detail)
}

// Side is who ended a call.
type Side uint8

// The sides.
const (
	BySystem Side = iota // the application, a limit, a stop
	ByCaller
)

// String gives the word for a log.
func (s Side) String() string { return [...]string{"system", "caller"}[s] }

// Detail describes one call to an application. Times that have not come are zero.
type Detail struct {
	*Facts
	Start, Answer, End time.Time

	Status sip.Status // 200, or why there was no call
	By     Side       // who ended it
	Reason string     // the Reason header of the end, if any (RFC 3326)
	Media  session.Statistics
}

// Duration is how long the call was up.
func (d *Detail) Duration() time.Duration {
	if d.Answer.IsZero() {
		return 0
	}
	return d.End.Sub(d.Answer)
}

// start begins the detail of a call with its INVITE.
func (c *call) start() {
	c.facts.Session = c.usage.SessionID().Remote
	if c.facts.Session == sip.NilUUID {
		c.facts.Session = sip.NewSessionUUID(c.facts.CallID + c.usage.Invitation().FromTag())
	}
	c.detail = Detail{Facts: &c.facts, Start: time.Now()}
}

// finish tells of the end of a call.
func (c *call) finish(by Side, reason string) {
	d := &c.detail
	d.End, d.By, d.Reason = time.Now(), by, or(reason, d.Reason)
	if c.endpoint != nil {
		d.Media = c.endpoint.Statistics()
	}
	if c.pbx.Observer != nil {
		c.pbx.Observer.ObserveCall(d)
	}
}
