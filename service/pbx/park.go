// Park slots: a call that is transferred to one waits there with music, for whoever dials the slot. Nobody who waits is forgotten: after a while the call goes back to who
// parked it, and if that leads to nobody it waits on. RFC 5359 §2.15.

package pbx

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

// Default values of [Park].
const (
	DefaultSlots    = 9
	DefaultParkTime = 2 * time.Minute
)

// Park is a lot of slots, one for each domain. Its slots are dialled by the number of the lot with another last digit: *500 is the lot, *501 its first slot. It is the [Player]
// of whoever is led there; the object of the line is the lot, for any slot, or one slot. Fill the exported fields before first use and leave them alone afterwards. Safe for use
// by many goroutines.
type Park struct {
	Number string        // of the lot, ends in 0; "": that of [DefaultNumbers]
	Slots  int           // of a lot, at most 9; 0: DefaultSlots
	Time   time.Duration // after which a call goes back to who parked it; 0: DefaultParkTime
	// Music is what is heard in a slot; nil, or a nil address: the melody of the line. It must not block.
	Music func(slot sip.URI) *session.Music
	// Show is told of a slot that is taken, and that it is free again, for its lamp: see [Lamps.Show]. It must not block; nil: nobody is told.
	Show func(slot string, d *b2bua.LegState)
	// Tell is told of a call that was transferred to the lot, by whom, and which slot it has got, for the parker hears nothing any more. It must not block; nil: nobody is told.
	Tell func(parker, slot sip.URI)

	mu     sync.Mutex // guards what follows
	parked map[string]*parked
}

// parked is a slot that is not free.
type parked struct {
	slot    sip.URI
	line    *Line
	which   sip.Replaces // the dialog, for who is to take the place of the one who parks
	waiting bool         // a call waits here; otherwise the slot is kept for one that somebody is about to park
	heard   bool         // who parked it was told the slot before
}

// callNumbers are the numbers that lead to calls of others.
func callNumbers() []Number {
	return []Number{
		{Feature: Parking, Dial: parkNumber, Names: []string{string(Parking)}, Description: "parks a call that is transferred there; *501 to *509 are its slots"},
		{Feature: Pickup, Dial: PickupCode, Names: []string{string(Pickup)}, Argument: true, Description: "and an extension: takes the call that rings there"},
		{Feature: GroupPickup, Dial: GroupPickupCode, Names: []string{string(GroupPickup)}, Description: "takes a call that rings in your pickup group"},
		{Feature: Supervise, Dial: JoinCode + "1", Names: []string{string(Supervise)}, Argument: true, Description: "and an extension: listens to its call, if you may; *52 whispers, *53 takes part"},
	}
}

// number is that of the lot.
func (p *Park) number() string {
	if p.Number != "" {
		return p.Number
	}
	return parkNumber
}

// Serves reports whether a Request-URI is the lot or one of its slots, and which: 0 is the lot.
func (p *Park) Serves(uri sip.URI) (slot int, ok bool) {
	lot := p.number()
	user := uri.UserName()
	if strings.EqualFold(user, string(Parking)) {
		return 0, true
	}
	if len(user) != len(lot) || !strings.HasPrefix(user, lot[:len(lot)-1]) {
		return 0, false
	}
	n, err := strconv.Atoi(user[len(user)-1:])
	return n, err == nil && n <= or(p.Slots, DefaultSlots)
}

// slot is the address of a slot of the domain of uri.
func (p *Park) slot(uri sip.URI, n int) sip.URI {
	lot := p.number()
	return sip.URI{Scheme: "sip", User: lot[:len(lot)-1] + strconv.Itoa(n), Host: strings.ToLower(uri.Host)}
}

// Lamp returns the name of the lamp of a slot; false if uri is none.
func (p *Park) Lamp(uri sip.URI) (name string, ok bool) {
	n, ok := p.Serves(uri)
	if !ok || n == 0 {
		return "", false
	}
	at := p.slot(uri, n)
	return at.AOR(), true
}

// Taken reports whether a slot is not free, and which dialog whoever dials it is to take the place of: none if it is only kept for a call that is being parked.
func (p *Park) Taken(uri sip.URI) (which sip.Replaces, taken bool) {
	n, _ := p.Serves(uri)
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.parked[p.slot(uri, n).AOR()]
	if at == nil {
		return which, false
	}
	if at.waiting {
		which = at.which
	}
	return which, true
}

// Route leads a call that is transferred to a free slot there, and whoever dials an occupied one to the call that waits in it; false if no slot is asked for. features must have
// the lot among its players, as [Parking].
func (p *Park) Route(q *b2bua.Question, features *PBX) (b2bua.Route, bool) {
	slot, ok := p.Serves(q.Request.URI)
	if !ok {
		return b2bua.Route{}, false
	}
	which, taken := p.Taken(q.Request.URI)
	// Whoever has been told a slot leads a call to what is kept for it: [Park.Play] finds out which.
	inside := q.Flow.Transport == sip.Inside || q.How == b2bua.Transferred && q.Request.Has(sip.HeaderTargetDialog)
	switch {
	case slot > 0 && q.How == b2bua.Dialled && !inside && which.CallID != "":
		return b2bua.Route{Take: which}, true
	case slot > 0 && q.How == b2bua.Dialled && !inside:
		return b2bua.Route{Refuse: sip.StatusNotFound}, true // nobody waits there
	case slot > 0 && taken && !inside, slot == 0 && q.How != b2bua.Dialled && !inside && p.full(q.Request.URI):
		return b2bua.Route{Refuse: sip.StatusBusyHere}, true
	}
	return b2bua.Route{Application: features.Answer(Parking, q.Request.URI.Clone(), 0)}, true
}

// Play parks the call of a line. One that was dialled is told the slot that is kept for it, for a transfer that names it (RFC 4538).
func (p *Park) Play(ctx context.Context, l *Line) error {
	req := l.call.usage.Invitation()
	by, parked := req.ReferredBy()
	parked = parked && l.Inside // a transfer comes from within; a caller may write there whom it likes
	at := p.enter(l, parked)
	if at == nil {
		return l.PlayThrough(ctx, l.No())
	}
	defer p.leave(at)
	if !parked {
		return p.keep(ctx, at)
	}
	if wanted, _ := p.Serves(l.Object); p.Tell != nil && wanted == 0 && !at.heard {
		p.Tell(by.URI, at.slot)
	}
	for music := p.music(at); ; {
		wait, stop := context.WithTimeout(ctx, or(p.Time, DefaultParkTime))
		played := l.PlayThrough(wait, music)
		stop()
		if ctx.Err() != nil || !errors.Is(played, context.DeadlineExceeded) {
			return played
		}
		if status, err := l.Refer(ctx, by.URI, music); err != nil || status.Success() {
			return err
		}
	}
}

// music is what is heard in a slot.
func (p *Park) music(at *parked) audio.Source {
	if p.Music == nil {
		return at.line.Music()
	}
	return at.line.Hold(p.Music(at.slot))
}

// keep tells somebody again and again which slot is theirs.
func (p *Park) keep(ctx context.Context, at *parked) error {
	l := at.line
	for music := p.music(at); ; {
		if err := l.Say(ctx, prompt.Text("parked-at"), prompt.Digits(at.slot.User)); err != nil {
			return err
		}
		wait, stop := context.WithTimeout(ctx, parkPause)
		err := l.PlayThrough(wait, music)
		stop()
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
	}
}

// parkPause is how long there is music before the slot is said again.
const parkPause = 8 * time.Second

// enter takes a slot: the one that is asked for, the one that is kept for the call, or the first that is free; nil if there is none.
func (p *Park) enter(l *Line, waiting bool) *parked {
	d := l.call.usage.Dialog()
	at := &parked{line: l, waiting: waiting, which: sip.Replaces{CallID: d.CallID, ToTag: d.RemoteTag, FromTag: d.LocalTag}}
	wanted, _ := p.Serves(l.Object)
	p.mu.Lock()
	if p.parked == nil {
		p.parked = make(map[string]*parked)
	}
	if kept := p.keptLocked(l); kept != nil {
		at.slot, at.heard = kept.slot, true
	} else if at.slot = p.freeLocked(l.Object, wanted); at.slot.Host == "" {
		p.mu.Unlock()
		return nil
	}
	p.parked[at.slot.AOR()] = at
	p.mu.Unlock()
	p.show(at, b2bua.LegConfirmed)
	return at
}

// keptLocked is the slot that is kept for a call by whoever consulted the lot before.
func (p *Park) keptLocked(l *Line) *parked {
	if !l.Inside {
		return nil // only the B2BUA says whose consultation it was, and has looked whether it was that of who asks
	}
	target, err := sip.ParseTargetDialog(l.call.usage.Invitation().Get(sip.HeaderTargetDialog))
	if err != nil {
		return nil
	}
	for _, at := range p.parked {
		// The consultation is named as the one who consulted sees it.
		if !at.waiting && at.which == (sip.Replaces{CallID: target.CallID, ToTag: target.LocalTag, FromTag: target.RemoteTag}) {
			return at
		}
	}
	return nil
}

// full reports whether no slot of the domain of uri is free.
func (p *Park) full(uri sip.URI) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.freeLocked(uri, 0).Host == ""
}

// freeLocked is the slot that is wanted, or the first if it is not free.
func (p *Park) freeLocked(uri sip.URI, wanted int) sip.URI {
	if at := p.slot(uri, wanted); wanted > 0 && p.parked[at.AOR()] == nil {
		return at
	}
	for n := 1; n <= or(p.Slots, DefaultSlots); n++ {
		if at := p.slot(uri, n); p.parked[at.AOR()] == nil {
			return at
		}
	}
	return sip.URI{}
}

// leave makes a slot free, unless it has gone to the call for which it was kept.
func (p *Park) leave(at *parked) {
	name := at.slot.AOR()
	p.mu.Lock()
	if p.parked[name] == at {
		delete(p.parked, name)
	}
	p.mu.Unlock()
	p.show(at, b2bua.LegOver)
}

// show tells the lamp of a slot.
func (p *Park) show(at *parked, phase b2bua.LegPhase) {
	if p.Show == nil {
		return
	}
	l := at.line
	p.Show(at.slot.AOR(), &b2bua.LegState{ID: l.CallID + at.which.FromTag, Call: l.Session, Phase: phase, Account: at.slot, Asked: at.slot,
		CallID: at.which.CallID, LocalTag: at.which.FromTag, RemoteTag: at.which.ToTag, Remote: l.From})
}
