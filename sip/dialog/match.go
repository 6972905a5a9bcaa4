// A call that is to take the place of another, or to join it, names its dialog. RFC 3891 §3; RFC 3911 §4.

package dialog

import (
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Match finds the usage whose dialog r names and calls f in its stripe, which need not be the one of the request that holds r: see [Carry]. status is 0 if the usage
// may be replaced; otherwise it is the answer to the request, and u may be nil: 481 for a dialog that nobody knows or, with u, that rings here and not at the
// peer, 486 for one that is answered although only an early one is meant, 603 for one that is ending. A Join is matched as Replaces without EarlyOnly.
// Match may be called from anywhere and keeps nothing of r.
//
// It does not ask whether the sender may do that: that is for the owner of u to know (RFC 3891 §8).
func (t *Table) Match(e sip.Engine, r sip.Replaces, f func(u *Usage, status sip.Status)) {
	r = sip.Replaces{CallID: strings.Clone(r.CallID), ToTag: strings.Clone(r.ToTag), FromTag: strings.Clone(r.FromTag), EarlyOnly: r.EarlyOnly}
	stripe := sip.StripeOf(r.CallID)
	e.Do(stripe, func() {
		u := t.lanes[stripe][r.ToTag]
		switch {
		case u == nil:
			f(nil, sip.StatusCallDoesNotExist)
		case u.stripe == stripe:
			u.match(r, f)
		default:
			u.Do(func() { u.match(r, f) })
		}
	})
}

func (u *Usage) match(r sip.Replaces, f func(u *Usage, status sip.Status)) {
	if !u.named(r) {
		f(nil, sip.StatusCallDoesNotExist)
		return
	}
	f(u, u.replaceable(r.EarlyOnly))
}

// named reports whether Call-ID and remote tag of r are those of the usage, or of one of its early dialogs.
func (u *Usage) named(r sip.Replaces) bool {
	switch {
	case u.CallID() != r.CallID:
		return false
	case u.dialog == nil:
		return u.caller.earlyOf(r.FromTag) != nil
	}
	// RFC 3891 §6.1: the tag of a peer of RFC 2543, which has none, is written as 0.
	return u.dialog.RemoteTag == r.FromTag || u.dialog.RemoteTag == "" && r.FromTag == "0"
}

// replaceable says whether the call may be replaced now: 0, or why not.
func (u *Usage) replaceable(earlyOnly bool) sip.Status {
	switch {
	case u.hungUp():
		return sip.StatusDecline
	case u.up() && earlyOnly:
		return sip.StatusBusyHere
	case u.up(), u.caller != nil:
		return 0
	}
	return sip.StatusCallDoesNotExist // RFC 3891 §3: only an early dialog that was begun here may be replaced
}

// Owner returns who is told what happens to the usage.
func (u *Usage) Owner() Owner { return u.owner }
