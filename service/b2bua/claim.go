package b2bua

// Who may take the place of one side of a call that is up, or lead somebody else to it: whoever has that place, on this telephone or on another of theirs. Whoever only names the
// dialog may have read its name on a lamp, or anywhere. RFC 3891 §3, §8.

import (
	"maps"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// Pickups knows the names under which lamps show calls that others may take: names that lead to the call for as long as it may be taken, and are good for nothing else. It must not
// block.
type Pickups interface {
	// Named returns the dialog for which a name stands; ok is false for one that stands for nothing, or for nothing any more.
	Named(name sip.Replaces) (there sip.Replaces, ok bool)
}

// claim is as whom somebody asks for a place.
type claim struct {
	aor           string
	trunk, domain string   // names of trunks are those of a domain
	flow          sip.Flow // of one who has proved nothing, by which it has made a call
	any           bool     // whoever asks may have any place: the server itself, or one that is trusted to say who calls
}

// Speaker is implemented by those owners of a dialog who know which account is at its other end: applications with which somebody talks.
type Speaker interface {
	// Speaker returns the address-of-record of that account; "" for somebody who has proved to be none.
	Speaker() (aor string)
}

// claimOf is the claim of the sender of a request. A signed word of whoever has the place (RFC 3892 §5) would do, too, but no telephone gives one.
func (b *B2BUA) claimOf(ev *sip.Event) claim {
	if b.Identity == nil || ev.Flow.Transport == sip.Inside {
		return claim{any: true}
	}
	return claimAs(b.Identity.Identify(ev))
}

func claimAs(who Caller) claim {
	if who.Account.Host != "" {
		return claim{aor: who.Account.AOR()}
	}
	return claim{trunk: who.Trunk, domain: who.Domain, any: who.Trusted && who.Trunk == ""}
}

// claim is that of one side of a call.
func (l *leg) claim() claim {
	switch b := l.call.b; {
	case b.Identity == nil || l.inside():
		return claim{any: true}
	case l.aor != "":
		return claim{aor: l.aor}
	case l.party != nil:
		return claim{trunk: l.party.Name, domain: l.party.Domain, any: l.party.Trusted && l.party.Name == ""}
	case l == l.call.origin:
		own := claimAs(l.call.asker)
		if own == (claim{}) {
			own.flow = l.call.flow
		}
		return own
	}
	return l.call.came[l]
}

// Speaker implements [Speaker]: one who is here for a trunk, or has proved nothing, is no account.
func (l *leg) Speaker() string { return l.claim().aor }

// covers reports whether a claim is good for the place of a leg. The calls of one trunk are all those of whoever is behind it, and those of one who has proved nothing are those made from the same
// address by the same connection.
func (c claim) covers(l *leg) bool {
	if c.any {
		return true
	}
	own := l.claim()
	return c.aor != "" && c.aor == own.aor || c.trunk != "" && c.trunk == own.trunk && c.domain == own.domain || !c.flow.IsZero() && c.flow == own.flow
}

// talks reports whether the one who asks is at the other end of a dialog with an application.
func (c claim) talks(app dialog.Owner) bool {
	s, ok := app.(Speaker)
	return c.any || ok && c.aor != "" && s.Speaker() == c.aor
}

// arrived notes as whom somebody has come into the call later, who has no account.
func (c *call) arrived(l *leg, as claim) {
	if l.aor != "" || as.trunk == "" {
		return
	}
	maps.DeleteFunc(c.came, func(other *leg, _ claim) bool { return other != c.caller && other != c.callee })
	if c.came == nil {
		c.came = make(map[*leg]claim)
	}
	c.came[l] = as
}
