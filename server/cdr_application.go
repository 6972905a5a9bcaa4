// Call detail records of calls that end in the house: to applications and to conference rooms.

package server

import (
	"strings"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/conference"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// ObserveCall implements [pbx.Observer]. A call that the B2BUA has brought there has a record already.
func (r *records) ObserveCall(d *pbx.Detail) {
	if d.Inside {
		return
	}
	c := store.CDR{
		ID: newCDRID(d.Start), SessionID: d.Session, CallID: d.CallID, From: d.From.URI.String(), Name: d.From.Name(), To: d.Asked.String(),
		Start: d.Start, Answer: d.Answer, End: d.End, Status: int(d.Status), Cause: q850(d.Status, d.Reason), By: d.By.String(), Reason: d.Reason,
	}
	r.inHouse(&c, string(d.Application), d.Media)
}

// member makes the record of a call to or from a conference room.
func (r *records) member(d *conference.Detail) {
	c := store.CDR{
		ID: newCDRID(d.Start), SessionID: d.ID, CallID: d.CallID, From: d.Member, To: d.Room,
		Start: d.Start, Answer: d.Join, End: d.End, Status: int(d.Status), Cause: q850(d.Status, d.Reason), Reason: d.Reason, Error: errorText(d.Err), By: "system",
	}
	if d.By == conference.ByMember {
		c.By = "caller"
	}
	if d.Invited { // the room has called
		c.From, c.To = c.To, c.From
		if c.By == "caller" {
			c.By = "callee"
		}
	}
	r.inHouse(&c, "conference", d.Media)
}

// inHouse completes a record of one leg.
func (r *records) inHouse(c *store.CDR, application string, s session.Statistics) {
	c.Domain = r.domains.first
	if from, err := sip.ParseURI(c.From); err == nil {
		if home, account, ok := r.domains.account(from); ok {
			c.Domain, c.Account = home.name, account
		}
	}
	if to, err := sip.ParseURI(c.To); err == nil {
		c.Dialled = strings.Clone(to.UserName())
		if home := r.domains.of(to); home != nil && c.Account == "" {
			c.Domain = home.name
		}
	}
	c.Final = application
	leg := store.CDRLeg{Side: "caller", Account: c.Account, CallID: c.CallID, Start: c.Start, Answer: c.Answer, End: c.End, Status: c.Status}
	if s.Sent > 0 || s.Received.Packets > 0 {
		leg.Streams = []store.CDRStream{{Packets: s.Received.Packets, Sent: s.Sent, Lost: s.Received.Lost, PeerLost: int64(s.PeerLost), Jitter: milliseconds(s.Received.Jitter),
			RoundTrip: milliseconds(s.RoundTrip)}}
	}
	c.Legs = []store.CDRLeg{leg}
	r.journal.Add(c)
}
