package b2bua

// A call: one leg of the caller, one of each device that rings, and later one of the callee. All that happens to it happens in its stripe, so
// nothing here is locked.

import (
	"hash/fnv"
	"time"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// call is one call.
type call struct {
	b      *B2BUA
	engine sip.Engine

	caller   *leg
	origin   *leg // the first caller
	branches []*leg
	callee   *leg      // the branch that answered
	hunt     *hunt     // for the callee
	seats    []string  // AORs of the accounts for which the call is counted
	passages []passage // legs that a gate counts
	waiting  *exchange // of one who took the caller's place: it begins when somebody answers
	joining  *leg      // it is to take the place of one of the two
	taker    *leg      // it is to answer in the place of a device that rings

	supervision *supervision // somebody else listens
	transfer    *transfer    // under way
	ousted      *leg         // the caller whose place was taken before anybody answered: what the devices were offered is its offer
	seen        []*leg       // of which the watcher is told

	from   string     // for the callee, without tag
	asker  Caller     // who calls
	flow   sip.Flow   // by which the INVITE came
	hops   uint32     // Max-Forwards for the callee
	stripe sip.Stripe // of both legs
	over   bool       // nobody waits for anything any more, but a BYE may be under way

	told     sip.Status   // the last provisional status toward the caller
	voice    *leg         // the branch whose description the caller has from a 1xx: its early dialog stands for that one
	preview  *dialog.Body // what the caller was told of it
	exchange *exchange    // the change of the session under way
	silence
	aside
	story    story
	accounts []string // AORs of those who take part in it, or may
}

// silence is what is known of how long a call stands, and nobody has said anything.
type silence struct {
	timer        sip.Timer
	acknowledged bool   // the ACK to an answer has come
	stands       bool   // for a while: legs let go at once of what they need no more
	unasked      bool   // whether to record is asked when both sides have agreed
	entering     uint16 // supervisors who wait until they can be let in
}

// aside is what few calls have, and what goes on beside the talk.
type aside struct {
	came       map[*leg]claim // as whom others than the first caller have come, by a trunk
	recording  *recording     // nil: nothing is recorded, and nobody may ask for it
	announcing *announcing    // nil: nothing was announced yet
}

// leg is one side of a call.
type leg struct {
	call  *call
	usage *dialog.Usage
	media *session.Leg

	to       *Binding         // branch: by which it is called; nil: it has called, or the call stands
	reach    string           // branch: the URI of that
	spares   []Binding        // branch: other ways to its device
	key      uint64           // branch: of its binding
	said     *sdp.Description // what its peer described last, as far as it is in force: to be read by word
	packed   string           // the same as text, while nobody reads it
	agreed   *sdp.Description // branch: its answer in a reliable 1xx, which the 2xx need not repeat
	refusal  *sip.Response    // branch: the response that refused, if there was one
	hunt     *hunt            // branch: it rings for that one
	party    *Party           // branch: whom it calls
	account  sip.URI          // branch: whose device it calls; zero if it is nobody's
	aor      string           // whose call it is counted as
	transfer *transfer        // branch: it rings for that one
	known    *leg             // whom its peer has been told that it talks to
	joins    *guest           // it listens, and is neither of the two
	first    *leg             // branch: the one whose refusal of a session it comes after; nil: none
	err      error            // branch: why it could not be called, or did not answer
	informs  *informing       // what it gets by INFO; nil: nothing yet
	part                      // what lamps show of it
	moments  moments
	seen     time.Time  // when its peer showed last that it is there, or need not
	status   sip.Status // branch: how it was refused, 0 as long as it may still answer
	step     uint8      // branch: in this step of its hunt
	house    bool       // branch: it leads to an application of this process
	plain    bool       // branch: no reliable 1xx
	converts bool       // branch: it has none of the codecs that the caller offers
	headway
}

// headway is how far a leg has come that is not in the call yet.
type headway struct {
	heard  bool  // branch: 1xx above 100
	rang   bool  // branch: 180
	taking bool  // it picks up the call, and is not in it yet
	tries  uint8 // how often the session was offered to it meanwhile
}

// invite starts a call with the first step of its way.
func (b *B2BUA) invite(a *arrival, first Route) {
	ev := a.ev
	hops, ok := ev.Request.Uint(sip.HeaderMaxForwards)
	if !ok {
		hops = 70
	}
	c := &call{b: b, engine: ev.Engine, stripe: ev.Stripe, hops: min(hops, 70), asker: a.who.keep(), flow: ev.Flow}
	switch {
	case hops == 0:
		// The only guard against loops here: a B2BUA takes the Via of others away. RFC 3261 §16.3.
		a.refuse(sip.StatusTooManyHops)
		return
	case !b.admit(c, first.Emergency):
		a.refuse(sip.StatusServiceUnavailable)
		return
	}
	c.hops--
	c.caller = &leg{call: c, aor: a.aor}
	c.origin = c.caller
	usage, err := b.Dialogs.Incoming(ev, c.caller)
	if err != nil {
		a.uncount()
		b.forget(c)
		return
	}
	if a.aor != "" {
		c.seats = append(c.seats, a.aor)
	}
	c.caller.take(usage, peerOf(ev, c.asker))
	c.identify()
	c.enlist(c.party(c.caller))
	c.reached(Started)
	c.mark(&c.caller.moments.began)
	if status := c.pass(c.caller, c.asker.Gate); status != 0 {
		c.fail(status)
	} else {
		c.start(first)
	}
	c.sweep()
}

// identify finds out who calls, and gives the call its identifier: the caller's, or one made in its place (RFC 7989 §6).
func (c *call) identify() {
	req := c.caller.usage.Invitation()
	c.from = fromOf(req, c.asker)
	if owner := or(c.asker.Account, c.asker.Address.URI); owner.Host != "" {
		c.caller.owner = &owner
	}
	c.story.id = c.caller.usage.SessionID().Remote
	if c.story.id == sip.NilUUID {
		c.story.id = sip.NewSessionUUID(req.CallID() + req.FromTag())
	}
	c.describe(req)
}

// take gives a leg its usage and its media.
func (l *leg) take(u *dialog.Usage, p session.Peer) {
	u.PassGlare = true
	l.usage = u
	if l.media == nil {
		l.media = l.watch(l.call.newMedia(p))
	}
	l.watched()
}

// peerOf is where the media of the sender of a request is expected.
func peerOf(ev *sip.Event, who Caller) session.Peer {
	return session.Peer{Digits: who.Digits, Music: who.Music, Remote: ev.Flow.Remote.Addr().Unmap(), Local: ev.Flow.Local.Addr().Unmap(), Inside: ev.Flow.Transport == sip.Inside}
}

func (c *call) newMedia(p session.Peer) *session.Leg {
	h := fnv.New64a()
	h.Write([]byte(c.engine.NewID(c.stripe)))
	m := c.b.Media.NewLeg(p, h.Sum64())
	m.Failed = func(error) { c.engine.After(c.stripe, 0, func() { c.hangUp(noSecurity) }) }
	return m
}

// offerer is the leg whose offer the devices have.
func (c *call) offerer() *leg {
	if c.ousted != nil {
		return c.ousted
	}
	return c.caller
}

// offerFor is what those are offered who ring for a transfer, or for the caller if it is nil.
func (c *call) offerFor(t *transfer) *sdp.Description {
	if t != nil {
		return t.offer
	}
	return c.offerer().word()
}

// far returns the other side of a call that is up; nil if there is none.
func (l *leg) far() *leg {
	if l == l.call.caller {
		return l.call.callee
	}
	if l == l.call.callee {
		return l.call.caller
	}
	return nil
}

// partner is far before the call is answered too: the branch whose description the caller has, and the caller.
func (l *leg) partner() *leg {
	c := l.call
	switch {
	case c.callee != nil:
		return l.far()
	case l == c.caller:
		return c.voice
	case l == c.voice:
		return c.caller
	}
	return nil
}

// HandleUsage takes what happens to one leg.
func (l *leg) HandleUsage(u *dialog.Usage, ev dialog.Event) {
	c := l.call
	l.usage = u
	switch {
	case l.taking:
		c.takes(l, ev)
		c.sweep()
		return
	case l.joins != nil:
		l.joins.happens(ev)
		c.sweep()
		return
	}
	if l.transfer != nil {
		l.transfer.rings(l, ev)
		c.sweep()
		return
	}
	switch ev := ev.(type) {
	case dialog.Progress:
		l.early = ev.Dialog
		c.progress(l, ev.Response)
	case dialog.Answered:
		c.answered(l, ev.Response)
	case dialog.Rejected:
		c.rejected(l, ev)
	case dialog.Cancelled:
		if !c.withdrew(l) {
			c.cancelled(ev)
		}
	case dialog.AckReceived:
		c.acked(l, ev.Request)
	case dialog.PrackReceived:
		c.pracked(ev.Request)
	case dialog.Refreshed:
		c.refreshed(l, ev.Response)
	case dialog.Offer:
		c.offered(l, ev.Request)
	case dialog.Withdrawn:
		c.withdrawn(l)
	case dialog.Modified:
		c.modified(l, ev)
	case *dialog.Request:
		c.request(l, ev)
	case dialog.Ended:
		c.ended(l, ev)
	}
	l.identified()
	c.sweep()
}

// identified carries a change of a side's Session-ID to the other. RFC 7989 §6.
func (l *leg) identified() {
	far := l.far()
	if far == nil || l.call.over {
		return
	}
	if id := l.usage.SessionID().Remote; id != sip.NilUUID && id != far.usage.SessionID().Local {
		far.usage.SetSession(id)
	}
}

// sweep forgets the call when all its dialogs have ended.
func (c *call) sweep() {
	c.leave()
	c.tell()
	c.hearSides()
	c.announceNext()
	if !c.over || !c.caller.usage.Over() {
		return
	}
	for _, l := range c.branches {
		if l.usage != nil && !l.usage.Over() {
			return
		}
	}
	c.b.forget(c)
	// Transactions that wait for late copies hold the legs for another 32 s, and nothing happens to these any more.
	for _, l := range append(c.branches, c.caller) {
		l.strip()
	}
}
