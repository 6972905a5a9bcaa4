package b2bua

// Who may take the place of one side of a call that is up, or lead somebody else to it: whoever has that place, on this telephone or on another of theirs. Whoever only names the
// dialog may have read its name on a lamp, or anywhere. RFC 3891 §3, §8.

import (
	"github.com/sipwerk/sipwerk/sip"
)

// Pickups knows the names under which lamps show calls that others may take: names that lead to the call for as long as it may be taken, and are good for nothing else. It must not
// block.
type Pickups interface {
	// Named returns the dialog for which a name stands; ok is false for one that stands for nothing, or for nothing any more.
	Named(name sip.Replaces) (there sip.Replaces, ok bool)
}

// claim is as whom somebody asks for a place.
type claim struct {
	aor, trunk string
	any        bool // whoever asks may have any place: the server itself, or one that is trusted to say who calls
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
	return claim{trunk: who.Trunk, any: who.Trusted && who.Trunk == ""}
}

// claim is that of one side of a call.
func (l *leg) claim() claim {
	switch b := l.call.b; {
	case b.Identity == nil || l.inside():
		return claim{any: true}
	case l.aor != "":
		return claim{aor: l.aor}
	case l.party != nil:
		return claim{trunk: l.party.Name, any: l.party.Trusted && l.party.Name == ""}
	case l == l.call.origin:
		return claimAs(l.call.asker)
	}
	return claim{}
}

// covers reports whether a claim is good for the place of a leg. The calls of one trunk are all those of whoever is behind it.
func (c claim) covers(l *leg) bool {
	if c.any {
		return true
	}
	own := l.claim()
	return c.aor != "" && c.aor == own.aor || c.trunk != "" && c.trunk == own.trunk
}
