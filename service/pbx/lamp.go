// Lamps: who is in a call, for the telephones that show it, and for whoever waits until somebody is free. RFC 4235 §3.7, §3.11.

package pbx

import (
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

// Onlookers says who may look at which lamp. It must not block.
type Onlookers interface {
	// Lamp returns the name of what a SUBSCRIBE asks for: the address-of-record of an account, a group, a queue or a park slot. An error that is a
	// [sip.Status] refuses it with that, any other with 403.
	Lamp(ev *sip.Event) (name string, err error)
	// Sees says how much of a lamp somebody may see, as the notifier names them.
	Sees(watcher, name string) Sight
	// Online reports whether there is a telephone behind a lamp.
	Online(name string) bool
	// Shared returns the name of the lamp of what the caller asked for, if it is one that shows the calls of others, such as a group.
	Shared(asked sip.URI) (name string, ok bool)
}

// Sight is how much of a lamp somebody sees. Each sees what those before see, too.
type Sight uint8

// The sights. Only whose call it is, and who may join it, sees the dialog itself: whoever knows its name can end the call, or pretend to be a side of it (RFC 4235 §6, RFC 3891 §8). All
// others who may take a call see a name that leads there for as long as they may ([Lamps.Named]).
const (
	SeesCall   Sight = iota // that there is a call, and how far it is
	SeesPeer                // who is on the other side, and a name by which the call is picked up while it rings
	SeesParked              // a name by which the call is taken at any time: it waits for that
	SeesDialog              // the dialog
)

// Lamps are the lamps of a server: one for each account in a call, and for what else somebody shows ([Lamps.Show]). It is the watcher of a [b2bua.B2BUA]. Fill the exported
// fields before first use and leave them alone afterwards. Safe for use by many goroutines.
type Lamps struct {
	Onlookers Onlookers
	Events    *event.Notifier // must have the packages of [Lamps.Packages]; nil: nobody is told
	// Listeners are told how many calls a lamp shows whenever that changes, and of how many of them the far side is still ringing. They must not block.
	Listeners []func(name string, calls int)

	mu    sync.Mutex // guards what follows
	mark  uint64     // one up with each change of any lamp, so that a lamp that was forgotten in between is not taken for what it was
	lamps map[string]*lamp
	names map[string]*lampCall // what may be taken, by the Call-ID that onlookers are told
}

// lamp is the state of one lamp.
type lamp struct {
	calls     []*lampCall // in the order in which they came, ended ones for those who have not been told
	mark      uint64      // of the last change
	forgotten uint64      // calls that ended up to this mark are not known any more
}

// lampCall is one call at a lamp.
type lampCall struct {
	b2bua.LegState
	since   time.Time // it is confirmed
	changed uint64    // mark
	name    string    // the Call-ID that onlookers are told instead of its own; "": none yet
	parked  bool      // it is taken by that name while it is confirmed, too
}

// maxEnded is how many ended calls of a lamp are kept for those who have not been told. Whoever lags further behind is told everything.
const maxEnded = 16

// ObserveLeg implements [b2bua.LegWatcher].
func (l *Lamps) ObserveLeg(d *b2bua.LegState) {
	if d.Account.Host == "" {
		return
	}
	l.Show(d.Account.AOR(), d)
	if d.Initiator || d.Asked.User == d.Account.User || l.Onlookers == nil {
		return
	}
	if name, ok := l.Onlookers.Shared(d.Asked); ok {
		l.Show(name, d)
	}
}

// Show shows a call at the lamp of that name, as what it is now; one that is over goes out. d is not kept.
func (l *Lamps) Show(name string, d *b2bua.LegState) {
	watched := l.watched(name)
	l.mu.Lock()
	before, after := l.showLocked(name, d, watched)
	l.mu.Unlock()
	if watched {
		l.Events.Changed(DialogPackage, name)
		l.Events.Changed(PresencePackage, name)
	}
	if before != after {
		for _, listen := range l.Listeners {
			listen(name, after)
		}
	}
}

// showLocked notes the state of a call and returns how many the lamp showed before and shows now.
func (l *Lamps) showLocked(name string, d *b2bua.LegState, watched bool) (before, after int) {
	b := l.lamps[name]
	if b == nil {
		if d.Phase == b2bua.LegOver {
			return 0, 0
		}
		b = l.makeLocked(name)
	}
	before = b.live()
	i := slices.IndexFunc(b.calls, func(c *lampCall) bool { return c.ID == d.ID })
	if i < 0 {
		if d.Phase == b2bua.LegOver {
			return before, before
		}
		i = len(b.calls)
		b.calls = append(b.calls, &lampCall{})
	}
	c := b.calls[i]
	if c.Phase == b2bua.LegOver {
		return before, before
	}
	l.mark++
	if c.LegState = *d; c.Phase == b2bua.LegConfirmed && c.since.IsZero() {
		c.since = time.Now()
	}
	if c.name != "" && !c.takeable(c.parked) {
		delete(l.names, c.name)
		c.name = ""
	}
	c.changed, b.mark = l.mark, l.mark
	b.forget(watched)
	if after = b.live(); after == 0 && !watched {
		delete(l.lamps, name)
	}
	return before, after
}

// makeLocked makes a lamp that shows nothing.
func (l *Lamps) makeLocked(name string) *lamp {
	if l.lamps == nil {
		l.lamps = make(map[string]*lamp)
	}
	l.mark++ // 0 is no mark
	b := &lamp{mark: l.mark, forgotten: l.mark}
	l.lamps[name] = b
	return b
}

// forget lets go of ended calls: of all if nobody watches, of the oldest if there are many.
func (b *lamp) forget(watched bool) {
	surplus := len(b.calls) - b.live()
	if watched {
		surplus -= maxEnded
	}
	b.calls = slices.DeleteFunc(b.calls, func(c *lampCall) bool {
		if c.Phase != b2bua.LegOver || surplus <= 0 {
			return false
		}
		surplus--
		b.forgotten = max(b.forgotten, c.changed)
		return true
	})
}

// live returns how many calls the lamp shows.
func (b *lamp) live() (n int) {
	for _, c := range b.calls {
		if c.Phase != b2bua.LegOver {
			n++
		}
	}
	return n
}

// Calls returns how many calls a lamp shows now: 0 means that it is out.
func (l *Lamps) Calls(name string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.lamps[name]; b != nil {
		return b.live()
	}
	return 0
}

// Talks reports whether an answered call of that Session-ID is shown at a lamp.
func (l *Lamps) Talks(name, session string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.lamps[name]
	return b != nil && slices.ContainsFunc(b.calls, func(c *lampCall) bool { return c.Phase == b2bua.LegConfirmed && c.Call == session })
}

// Len returns how many lamps are on.
func (l *Lamps) Len() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, b := range l.lamps {
		if b.live() > 0 {
			n++
		}
	}
	return n
}

// watched reports whether a telephone shows the lamp.
func (l *Lamps) watched(name string) bool {
	return l.Events != nil && (l.Events.Watched(DialogPackage, name) || l.Events.Watched(PresencePackage, name))
}
