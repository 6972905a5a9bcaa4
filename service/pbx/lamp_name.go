// What a call is called on the lamps of those who may take it, and who are no part of it: a name of its own, which leads to the call while it may be taken and says nothing of the dialog,
// so that nobody who was told it can do more with it. RFC 3891 §8; RFC 4235 §6.

package pbx

import (
	"crypto/rand"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

// The tags of such a name. Telephones want some; that the name is right is known by its Call-ID, which cannot be guessed.
const (
	namedThere = "there"
	namedHere  = "here"
)

// nameLocked gives names to the calls of a lamp that somebody may take who sees it.
func (l *Lamps) nameLocked(b *lamp, sees Sight) {
	if sees != SeesPeer && sees != SeesParked {
		return
	}
	for _, c := range b.calls {
		if !c.takeable(sees == SeesParked) {
			continue
		}
		c.parked = c.parked || sees == SeesParked
		if c.name != "" {
			continue
		}
		if l.names == nil {
			l.names = make(map[string]*lampCall)
		}
		c.name = rand.Text()
		l.names[c.name] = c
	}
}

// takeable reports whether somebody else may take a call now: while it rings, or, if it is parked, while it waits.
func (c *lampCall) takeable(parked bool) bool {
	return !c.Initiator && (c.Phase == b2bua.LegEarly || parked && c.Phase == b2bua.LegConfirmed)
}

// told is what somebody is told that a call is called; zero: nothing.
func (c *lampCall) told(sees Sight) sip.Replaces {
	switch {
	case sees == SeesDialog:
		return c.dialog()
	case c.name == "" || sees < SeesPeer || !c.takeable(sees == SeesParked):
		return sip.Replaces{}
	}
	return sip.Replaces{CallID: c.name, FromTag: namedThere, ToTag: namedHere}
}

// dialog names the dialog of a call as the telephone would.
func (c *lampCall) dialog() sip.Replaces {
	return sip.Replaces{CallID: c.CallID, FromTag: c.LocalTag, ToTag: c.RemoteTag}
}

// Named implements [b2bua.Pickups].
func (l *Lamps) Named(name sip.Replaces) (there sip.Replaces, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.names[name.CallID]
	if c == nil {
		return there, false
	}
	there = c.dialog()
	there.EarlyOnly = !c.parked // it may have been answered a moment ago
	return there, true
}
