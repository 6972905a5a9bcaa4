// What a seed draws before the storm begins.

package storm

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// plan is a storm as it is drawn.
type plan struct {
	faults  siptest.Faults
	span    time.Duration // from the first act to the last
	trust   bool          // nobody is challenged
	proxy   bool          // the server is a proxy, otherwise a B2BUA
	silence time.Duration // after which the B2BUA ends a call without media
	session time.Duration // of session timers; negative: none
	people  int           // accounts
	parties []role
	acts    []act // in the order of time
}

// role is what a party is like.
type role struct {
	user      int
	transport string
	temper    temper
	link      *network.Conditions // nil: those of the network
}

// temper is how a party takes calls.
type temper uint8

const (
	polite  temper = iota // rings, and answers soon
	slow                  // takes its time for everything
	silent                // rings and never answers
	rude                  // refuses
	moody                 // each call another of these, or a redirection
	tempers = 5
)

// act is something that a party does, unless it cannot at that time.
type act struct {
	at   time.Duration
	who  int // the party; -1: the server
	kind kind
	n    uint64 // whatever else must be drawn
}

// kind is a kind of act.
type kind uint8

const (
	callSomebody kind = iota
	sendMessage
	askOptions
	refresh
	deregister
	cut
	crash
	partition
	restart
)

// chances says how often each kind is drawn, for a party.
func chances() []kind {
	of := func(k kind, n int) []kind { return slices.Repeat([]kind{k}, n) }
	return slices.Concat(of(callSomebody, 58), of(sendMessage, 8), of(askOptions, 4), of(refresh, 8), of(deregister, 6), of(cut, 5), of(crash, 6), of(partition, 5))
}

// drawPlan draws a storm of so many parties.
func drawPlan(seed uint64, parties int) *plan {
	r := rand.New(rand.NewPCG(seed, uint64(parties)))
	if parties == 0 {
		parties = 2 + r.IntN(7)
	}
	p := &plan{span: time.Duration(20+r.IntN(50)) * time.Second, trust: r.IntN(2) == 0, faults: drawFaults(r)}
	p.faults.Seed = seed
	p.proxy = r.IntN(2) == 0
	p.silence = [...]time.Duration{time.Minute, -1}[r.IntN(2)]
	p.session = [...]time.Duration{90 * time.Second, -1, 0}[r.IntN(3)]
	p.people = 2 + r.IntN(max(1, parties-1))
	for i := range parties {
		p.parties = append(p.parties, drawRole(r, i%p.people))
	}
	kinds := chances()
	for i := range parties {
		for range 1 + r.IntN(4) {
			at := time.Duration(r.Int64N(int64(p.span)))
			p.acts = append(p.acts, act{at: at, who: i, kind: kinds[r.IntN(len(kinds))], n: r.Uint64()})
		}
	}
	if r.IntN(12) == 0 {
		p.acts = append(p.acts, act{at: time.Duration(r.Int64N(int64(p.span))), who: -1, kind: restart, n: r.Uint64()})
	}
	slices.SortStableFunc(p.acts, func(a, b act) int { return int(a.at - b.at) })
	return p
}

// drawFaults draws what the network does; in a quarter of the seeds nothing but delay.
func drawFaults(r *rand.Rand) siptest.Faults {
	f := siptest.Faults{Jitter: time.Duration(1+r.IntN(20)) * time.Millisecond}
	if r.IntN(4) > 0 {
		f.Loss, f.Duplicate, f.Reorder = r.Float64()*0.25, r.Float64()*0.2, r.Float64()*0.2
	}
	return f
}

func drawRole(r *rand.Rand, user int) role {
	x := role{user: user, transport: "udp", temper: [...]temper{polite, polite, polite, polite, slow, silent, rude, moody, moody}[r.IntN(9)]}
	if r.IntN(4) == 0 {
		x.transport = "tcp"
	}
	if r.IntN(6) == 0 {
		x.link = &network.Conditions{Delay: time.Duration(50+r.IntN(900)) * time.Millisecond, Jitter: 40 * time.Millisecond, Loss: r.Float64() * 0.2}
	}
	return x
}
