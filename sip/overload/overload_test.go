package overload

import (
	"fmt"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// server is a queue in front of a processor, in steps of a millisecond. An admitted request costs a whole unit now and more of them later, as the rest of its
// call; a refused one costs a fraction.
type server struct {
	perMs    float64 // units done in a millisecond
	throttle bool    // runs only in the first quarter of each tenth of a second, four times as fast
	refusal  float64 // what a refusal costs

	queue   []work
	credit  float64
	done    int
	longest time.Duration // wait of the messages read in the last second
}

// work is one message in the queue: a new request, or the rest of a call.
type work struct {
	came time.Duration
	rest bool
}

// some are new requests of many calls.
var some = func() (all [100]*sip.Request) {
	for i := range all {
		all[i] = invite(fmt.Sprint(i))
	}
	return all
}()

const restOfCall = 2 // further messages of a call, each of a third of its cost

// tick runs a millisecond.
func (s *server) tick(g *Gate, start time.Time, now time.Duration, arrivals int) {
	for range arrivals {
		s.queue = append(s.queue, work{came: now})
	}
	rate := s.perMs
	if s.throttle {
		rate = 0
		if now%(100*time.Millisecond) < 25*time.Millisecond {
			rate = 4 * s.perMs
		}
	}
	s.credit = min(s.credit+rate, rate+1)
	for s.credit > 0 && len(s.queue) > 0 {
		w := s.queue[0]
		s.queue = s.queue[1:]
		waited := now - w.came
		s.longest = max(s.longest, waited)
		switch {
		case w.rest:
			s.credit -= 1.0 / (restOfCall + 1)
		case g.Admit(start.Add(now), waited, some[len(s.queue)%len(some)]):
			s.credit -= 1.0 / (restOfCall + 1)
			for range restOfCall {
				s.queue = append(s.queue, work{came: now, rest: true})
			}
			if waited < 2*time.Second {
				s.done++
			}
		default:
			s.credit -= s.refusal
		}
	}
}

// Three times what the server can do is offered for 20 s, then half of it: the goodput stays near the capacity, nobody waits for long, and five seconds later
// nothing is refused. RFC 7339 §1, RFC 6357 §5.
func TestOverload(t *testing.T) {
	for _, throttle := range []bool{false, true} {
		for _, refusal := range []float64{0.03, 0.08} {
			t.Run(fmt.Sprintf("throttled=%t refusal=%.2f", throttle, refusal), func(t *testing.T) {
				s, g, start := &server{perMs: 1, throttle: throttle, refusal: refusal}, new(Gate), time.Unix(1_800_000_000, 0)
				second := func(n, perSecond int) (done int) {
					s.done, s.longest = 0, 0
					for ms := range 1000 {
						arrivals := (ms+1)*perSecond/1000 - ms*perSecond/1000
						s.tick(g, start, time.Duration(n)*time.Second+time.Duration(ms)*time.Millisecond, arrivals)
					}
					return s.done
				}
				good := 0
				for n := range 20 {
					done := second(n, 3000)
					if n >= 3 {
						good += done
					}
					if n >= 3 && s.longest > 500*time.Millisecond {
						t.Errorf("second %d: a message waited %v", n, s.longest)
					}
				}
				// What is left to do when every refusal has been paid for.
				ceiling := (1 - 3*refusal) / (1 - refusal) * 1000
				if rate := float64(good) / 17; rate < 0.9*ceiling {
					t.Errorf("%.0f calls a second of %.0f", rate, ceiling)
				}
				for n := range 5 {
					second(20+n, 500)
				}
				before := g.Refused()
				if second(25, 500); g.Refused() != before {
					t.Errorf("%d are refused five seconds after the end", g.Refused()-before)
				}
			})
		}
	}
}

// A server that is busy, but not too busy, refuses nothing.
func TestBusy(t *testing.T) {
	for _, throttle := range []bool{false, true} {
		s, g, start := &server{perMs: 1, throttle: throttle, refusal: 0.05}, new(Gate), time.Unix(1_800_000_000, 0)
		for ms := range 20_000 {
			arrivals := (ms+1)*85/100 - ms*85/100
			s.tick(g, start, time.Duration(ms)*time.Millisecond, arrivals)
		}
		if g.Refused() > 0 {
			t.Errorf("throttled=%t: %d refused", throttle, g.Refused())
		}
	}
}
