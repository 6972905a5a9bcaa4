// A question out of turn, for a person who wants to know now.

package trunk

import (
	"context"
	"errors"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Probe is what came of a question.
type Probe struct {
	Status sip.Status // of the answer; 0: none came
	Took   time.Duration
	Err    error
}

// ErrNoTrunk says that there is no trunk of that name, or that it is switched off.
var ErrNoTrunk = errors.New("there is no such trunk, or it is switched off")

// Probe asks the provider of a trunk by OPTIONS and waits for the answer.
func (g *Group) Probe(ctx context.Context, domain, trunk string) (Probe, error) {
	l := g.line(domain, trunk)
	if l == nil {
		return Probe{}, ErrNoTrunk
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	asked, done := time.Now(), make(chan Probe, 1)
	tell := func(p Probe) {
		p.Took = time.Since(asked)
		select {
		case done <- p:
		default: // the first one counts
		}
	}
	l.do(func() {
		req, to := l.options()
		_, err := g.Engine.Start(l.stripe, req, to, sip.EventHandlerFunc(func(ev *sip.Event) {
			switch {
			case ev.Kind != sip.EventResponse:
				tell(Probe{Err: ev.Err})
			case ev.Response.Status.Final():
				tell(Probe{Status: ev.Response.Status})
			}
		}))
		if err != nil {
			tell(Probe{Err: err})
		}
	})
	select {
	case p := <-done:
		return p, nil
	case <-ctx.Done():
		return Probe{Took: time.Since(asked), Err: sip.ErrTimeout}, nil
	}
}

// lookAgain is how often somebody who waits for a registration looks.
const lookAgain = 20 * time.Millisecond

// Register makes a trunk register now, and waits until its registrar has accepted or refused, or ctx ends.
func (g *Group) Register(ctx context.Context, domain, trunk string) (Status, error) {
	l := g.line(domain, trunk)
	if l == nil {
		return Status{}, ErrNoTrunk
	}
	begun := make(chan struct{})
	l.do(func() {
		l.register(regStart)
		close(begun)
	})
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return l.status(), ctx.Err()
		case <-begun:
			begun = nil
		case <-tick.C:
			if s := l.state().registration; begun == nil && s != regTrying && s != regRefreshing {
				return l.status(), nil
			}
		}
	}
}
