// Timer C: an INVITE that rings without end is cancelled. RFC 3261 §16.6 step 11, §16.8.

package proxy

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// turn is how often the INVITEs of a lane are looked at. Timer C fires up to a turn late, and costs nothing for a call.
const turn = 15 * time.Second

// inviting is a ring of the forks of a lane that wait for the answer to an INVITE.
type inviting struct {
	head    *fork
	ticking bool
}

// add enters a fork, and starts the clock if it stands.
func (r *inviting) add(f *fork) {
	if f.next = r.head; f.next != nil {
		f.next.prev = f
	}
	r.head = f
	if !r.ticking {
		r.ticking = true
		f.proxy.tick(f.engine, f.stripe)
	}
}

// remove takes a fork out.
func (r *inviting) remove(f *fork) {
	switch {
	case f.prev != nil:
		f.prev.next = f.next
	case r.head == f:
		r.head = f.next
	}
	if f.next != nil {
		f.next.prev = f.prev
	}
	f.next, f.prev = nil, nil
}

// tick looks at the forks of a lane after a turn, and goes on as long as there are any.
func (p *Proxy) tick(e sip.Engine, s sip.Stripe) {
	e.After(s, turn, func() {
		r := &p.lanes[s].inviting
		for f := r.head; f != nil; {
			next := f.next
			if f.idle++; f.idle > p.turns {
				f.timerC()
			}
			f = next
		}
		if r.ticking = r.head != nil; r.ticking {
			p.tick(e, s)
		}
	})
}

// timerC gives up the branches that have rung too long. Those that never rang have ended by Timer B.
func (f *fork) timerC() {
	f.expired, f.idle = true, 0
	f.giveUp(`SIP;cause=408;text="Rang too long"`)
	if f.pending == 0 {
		f.proceed()
	}
}
