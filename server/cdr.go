// Call detail records: what the services tell of a call that has ended, as the store keeps it. A record is in the journal before the last message of its call leaves.
// RFC 3326 §2; RFC 3398 §8.2.6.1.

package server

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/conference"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// records writes call detail records.
type records struct {
	journal *store.CDRJournal
	domains *domains
	notify  func(*store.CDR) // told of each record; it must neither block nor keep it
}

// openRecords opens the journal; what a former server has left in it is in the database when it returns.
func (s *Server) openRecords(ctx context.Context, ds *domains) (err error) {
	journal, err := s.Store.OpenCDRs(ctx, s.Config.Data, s.log)
	if err != nil {
		return s.dataError(err)
	}
	s.records = &records{journal: journal, domains: ds, notify: s.notify}
	return nil
}

// run moves records into the database, and forgets what is too old, until ctx ends.
func (r *records) run(ctx context.Context, s *Server) {
	s.running.Go(func() { s.tidy(ctx) })
	r.journal.Run(ctx)
}

// barrier returns when what was decided so far survives the process: bindings, call records, and what accounts have used of their minutes.
func (s *Server) barrier() error {
	s.records.journal.Write()
	s.dial.meter.Write()
	return s.registrar.Barrier()
}

// take makes a record of a call that has ended. It runs in the stripe of the call, before its last message leaves.
func (r *records) take(d *b2bua.Detail) {
	c := store.CDR{
		ID: newCDRID(d.Start), SessionID: d.ID, CallID: d.CallID, From: d.From, To: d.To,
		Start: d.Start, Ring: d.Ring, Answer: d.Answer, End: d.End,
		Status: int(d.Status), Cause: q850(d.Status, d.Reason), By: d.By.String(), Reason: d.Reason, Error: errorText(d.Err),
		Name: d.Name, Steps: steps(d.Steps), Recordings: d.Recordings, Legs: r.legs(d), Moves: moves(d.Moves), Transcoded: transcoded(d.Legs),
	}
	r.people(&c, d)
	if len(d.Legs) > 0 {
		c.Trunk = d.Legs[0].Trunk
	}
	r.journal.Add(&c)
	r.notify(&c)
}

// people says who took part.
func (r *records) people(c *store.CDR, d *b2bua.Detail) {
	c.Domain = r.domains.first
	if from, err := sip.ParseURI(d.From); err == nil {
		if home, account, ok := r.domains.account(from); ok {
			c.Domain, c.Account = home.name, account
		}
	}
	if d.Caller.Host != "" { // whatever was shown: anonymous, or a room that calls for somebody
		c.Domain, c.Account = d.Caller.Host, d.Caller.UserName()
	}
	if to, err := sip.ParseURI(d.To); err == nil {
		c.Dialled = strings.Clone(to.UserName())
		if home := r.domains.of(to); home != nil && c.Account == "" {
			c.Domain = home.name
		}
	}
	if c.Final = r.account(d.Final); c.Final == "" {
		c.Final = c.Dialled
	}
}

// account returns the account that an address names, or else its user, or else itself.
func (r *records) account(address string) string {
	a, err := sip.ParseURI(address)
	if err != nil {
		return address
	}
	if _, account, ok := r.domains.account(a); ok {
		return account
	}
	if user := a.UserName(); user != "" {
		return user
	}
	return address
}

// same reports whether two addresses are one account, or one address-of-record of somebody else.
func (r *records) same(a, b string) bool { return a == b || r.aor(a) == r.aor(b) }

// aor returns the address-of-record of an account that an address names, otherwise the canonical form of that.
func (r *records) aor(address string) string {
	u, err := sip.ParseURI(address)
	if err != nil {
		return address
	}
	if account, ok := r.domains.AOR(u); ok {
		u = account
	}
	return u.AOR()
}

func (r *records) legs(d *b2bua.Detail) []store.CDRLeg {
	legs := make([]store.CDRLeg, len(d.Legs))
	for i := range d.Legs {
		l := &d.Legs[i]
		legs[i] = store.CDRLeg{
			Side: "callee", Target: l.Target, Trunk: l.Trunk, Payer: l.Payer, CallID: l.CallID, Start: l.Start, Ring: l.Ring, Answer: l.Answer, End: l.End,
			Status: int(l.Status), Error: errorText(l.Err), Codec: l.Codec, Streams: streams(l.Media),
		}
		if i == 0 {
			legs[i].Side = "caller"
		}
		if legs[i].PacketTime = milliseconds(l.PacketTime); l.Digits != session.DigitsAuto {
			legs[i].Digits = l.Digits.String()
		}
		if l.Account != "" {
			legs[i].Account = r.account(l.Account)
		}
	}
	return legs
}

func steps(all []b2bua.Step) []store.CDRStep {
	var out []store.CDRStep
	for _, s := range all {
		step := store.CDRStep{Cause: s.Cause, Note: s.Note, Status: int(s.Status)}
		if !s.Status.Success() {
			step.Miss = s.Miss.String()
		}
		out = append(out, step)
	}
	return out
}

func moves(all []b2bua.Move) []store.CDRMove {
	var out []store.CDRMove
	for _, m := range all {
		out = append(out, store.CDRMove{At: m.At, Kind: string(m.Kind), By: m.By, To: m.To, Call: m.Other})
	}
	return out
}

// streams are what was heard; a stream that was rejected has no counts and is left out.
func streams(all []relay.Counters) []store.CDRStream {
	var out []store.CDRStream
	for _, c := range all {
		if c.PacketsIn == 0 && c.PacketsOut == 0 {
			continue
		}
		out = append(out, store.CDRStream{Packets: c.Packets, Sent: c.PacketsOut, Lost: c.Lost, PeerLost: c.PeerLost,
			Jitter: milliseconds(c.Jitter), RoundTrip: milliseconds(c.RoundTrip), MOS: math.Round(c.MOS*100) / 100})
	}
	return out
}

func milliseconds(d time.Duration) float64 { return math.Round(float64(d)/1e4) / 100 }

// transcoded reports whether two who talked to each other spoke different codecs.
func transcoded(legs []b2bua.LegDetail) bool {
	codec := ""
	for i := range legs {
		switch c := legs[i].Codec; {
		case c == "" || strings.EqualFold(c, codec):
		case codec == "":
			codec = c
		default:
			return true
		}
	}
	return false
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// newCDRID makes an identifier that sorts by time and that nobody can guess.
func newCDRID(start time.Time) string {
	var b [14]byte
	binary.BigEndian.PutUint64(b[:], uint64(start.UnixMilli())<<16)
	binary.BigEndian.PutUint64(b[6:], rand.Uint64())
	return hex.EncodeToString(b[:])
}

// feature makes the record of a call to a number of the house.
func (r *records) feature(d *pbx.Detail) {
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
	r.inHouse(&c, "conference", d.Media, pictures(d.Seen)...)
}

// pictures are what was seen, if anything was.
func pictures(c conference.PictureCounts) []store.CDRStream {
	if c == (conference.PictureCounts{}) {
		return nil
	}
	return []store.CDRStream{{Media: "video", Packets: c.Received, Sent: c.Sent}}
}

// inHouse completes a record of one leg.
func (r *records) inHouse(c *store.CDR, application string, s session.Statistics, more ...store.CDRStream) {
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
	leg.Streams = append(leg.Streams, more...)
	c.Legs = []store.CDRLeg{leg}
	r.journal.Add(c)
}
