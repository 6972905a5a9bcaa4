package b2bua

// Who is in which call at this moment: for lamps, and for whoever waits until somebody is free. RFC 4235 §3.7.1.

import (
	"slices"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// LegWatcher is told how the part of each telephone in a call goes. It runs in the stripe of the call, must not block, and must not keep l.
type LegWatcher interface {
	ObserveLeg(l *LegState)
}

// LegPhase is how far the part of one telephone has come. A watcher sees each at most once, in this order, LegOver always.
type LegPhase uint8

// The phases, as RFC 4235 §3.7.1 names them.
const (
	LegTrying    LegPhase = iota + 1 // invited, or has invited; nothing rings yet
	LegEarly                         // it rings, or hears that it rings
	LegConfirmed                     // answered
	LegOver
)

// LegState is the part of one telephone in a call, in the words of that telephone.
type LegState struct {
	ID      string // its name as long as it lasts, unique
	Call    string // Session-ID: the same for both sides (RFC 7989)
	Phase   LegPhase
	Account sip.URI // whose telephone it is; the zero URI: a stranger's
	Asked   sip.URI // whom the caller asked for: the account, or a group in which it rings
	// Initiator: it has called; otherwise it was called.
	Initiator bool
	// The dialog with us. The tag that is not known yet is "". Replaces toward us names us by Remote.
	CallID, LocalTag, RemoteTag string
	Remote                      sip.Address // who is on the other side, as the telephone is shown it
}

// part is what is kept of a leg for the watcher.
type part struct {
	early  *dialog.Dialog // branch: of its last 1xx
	shown  LegPhase       // what the watcher was told last
	beside *leg           // and who was on the other side
	owner  *sip.URI       // caller: whose telephone it is; nil if that is not known
}

// watched enters a leg of which the watcher is to be told.
func (l *leg) watched() {
	if c := l.call; c.b.Watcher != nil && !slices.Contains(c.seen, l) {
		c.seen = append(c.seen, l)
	}
}

// tell tells the watcher what has become of the legs since it was told.
func (c *call) tell() {
	if len(c.seen) == 0 {
		return
	}
	over := func(l *leg) bool { return l.shown == LegOver }
	state, _ := c.b.states.Get().(*LegState)
	if state == nil {
		state = new(LegState)
	}
	defer c.b.states.Put(state)
	for _, l := range c.seen {
		now, far := l.phase(), l.far()
		if now < l.shown || now == l.shown && far == l.beside {
			continue
		}
		l.shown, l.beside = now, far
		*state = l.state()
		c.b.Watcher.ObserveLeg(state)
		*state = LegState{}
	}
	c.seen = slices.DeleteFunc(c.seen, over)
}

// phase returns how far the part of a leg has come.
func (l *leg) phase() LegPhase {
	c := l.call
	switch d := l.usage.Dialog(); {
	case c.over, l.status != 0, l.usage.Over():
		return LegOver
	case d != nil && d.State == dialog.Confirmed:
		return LegConfirmed
	case l.early != nil, l == c.caller && c.told > sip.StatusTrying:
		return LegEarly
	}
	return LegTrying
}

// state describes a leg as its telephone sees it: local and remote are the other way round than here.
func (l *leg) state() LegState {
	c, u := l.call, l.usage
	s := LegState{Call: c.story.id, Phase: l.shown, Account: l.account, Initiator: l.reach == ""}
	s.Asked, _ = sip.ParseURI(c.story.to) // it was printed here
	d := u.Dialog()
	if d == nil {
		d = l.early
	}
	switch {
	case d != nil:
		s.CallID, s.LocalTag, s.RemoteTag = d.CallID, d.RemoteTag, d.LocalTag
	default:
		s.CallID, s.RemoteTag = u.CallID(), u.Invitation().FromTag()
	}
	s.ID = s.RemoteTag
	if l.owner != nil && c.flow.Transport != sip.Inside { // there the house calls in somebody's name
		s.Account = *l.owner
	}
	far := l.beside
	if far == nil && l != c.caller {
		far = c.caller
		if t := l.transfer; t != nil {
			far = t.kept
		}
	}
	if far == nil {
		s.Remote.URI = s.Asked
	} else if a, err := sip.ParseAddress(c.who(far)); err == nil {
		s.Remote = a
	}
	return s
}
