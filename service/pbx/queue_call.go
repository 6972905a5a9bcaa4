// A caller in a queue: music, their place now and then, and the telephones of agents in between. RFC 5589 §6: a caller is passed on by a REFER inside the call.

package pbx

import (
	"context"
	"errors"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/sip"
)

// Queue is the feature of [Queues].
const Queue Feature = "queue"

// agentLook is how often a caller looks for agents whose telephones have come meanwhile.
const agentLook = 2 * time.Second

// Play implements [Player]: the object of the line is the queue.
func (q *Queues) Play(ctx context.Context, l *Line) error {
	set, ok := q.Directory.Queue(l.Object.AOR())
	if !ok {
		return l.Say(ctx, prompt.Text("impossible"))
	}
	l.Language = or(set.Language, l.Language)
	w, ok := q.enter(set)
	if !ok {
		return q.elsewhere(ctx, l, set)
	}
	why, err := q.wait(ctx, l, w)
	q.leave(w, why)
	if err == nil && why == overflowed {
		return q.elsewhere(ctx, l, set)
	}
	return err
}

// elsewhere sends a caller on who cannot wait.
func (q *Queues) elsewhere(ctx context.Context, l *Line, set QueueSettings) error {
	if set.Otherwise.Host == "" {
		return l.Say(ctx, prompt.Text("unavailable", "goodbye"))
	}
	status, err := l.Refer(ctx, set.Otherwise, l.Music())
	if err != nil || status.Success() {
		return err
	}
	return l.Say(ctx, prompt.Text("unreachable", "goodbye"))
}

// wait keeps a caller until an agent has answered, or it is time to go.
func (q *Queues) wait(ctx context.Context, l *Line, w *waiter) (parting, error) {
	set := w.set
	if q.called(w) == nil {
		if err := l.Say(ctx, prompt.Text("queue-welcome")); err != nil {
			return abandoned, err
		}
	}
	told := time.Time{}
	for {
		if o := q.called(w); o != nil {
			if ok, err := q.ring(ctx, l, w, o); ok || err != nil {
				return outcome(ok), err
			}
			continue
		}
		if set.MaxWait > 0 && time.Since(w.since) >= set.MaxWait || !q.stays(w) || l.exits(set.Exit) {
			return overflowed, nil
		}
		if set.Announce > 0 && time.Since(told) >= set.Announce {
			told = time.Now()
			if err := l.Say(ctx, q.announcement(w)...); err != nil {
				return abandoned, err
			}
			continue
		}
		if err := q.pass(ctx, l, w); err != nil {
			return abandoned, err
		}
	}
}

func outcome(answered bool) parting {
	if answered {
		return served
	}
	return abandoned
}

// exits reports whether the caller has dialled the digit by which one leaves; other digits are forgotten.
func (l *Line) exits(exit byte) bool {
	for l.dialled() {
		if d := l.next(); exit != 0 && d == exit {
			return true
		}
	}
	return false
}

// errTurn says that there is an offer.
var errTurn = errors.New("pbx: the caller's turn")

// pass lets some time go by, until there is an offer or a digit.
func (q *Queues) pass(ctx context.Context, l *Line, w *waiter) error {
	music, stop := context.WithCancelCause(ctx)
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		look := time.NewTimer(agentLook)
		defer look.Stop()
		select {
		case <-w.turn:
		case <-look.C:
			q.look()
		case <-music.Done():
		}
		stop(errTurn)
	}()
	err := l.Play(music, w.music(l))
	stop(errTurn)
	<-heard
	if errors.Is(err, errTurn) || err == nil && ctx.Err() == nil {
		return nil
	}
	return err
}

// music is what a caller hears in between.
func (w *waiter) music(l *Line) audio.Source {
	if w.tune == nil {
		w.tune = l.Hold(w.set.Music)
	}
	return w.tune
}

// silence is a source without sound and without an end.
type silence struct{}

// ReadSamples implements [audio.Source].
func (silence) ReadSamples(pcm []int16) (int, error) {
	clear(pcm)
	return len(pcm), nil
}

// announcement is what a caller is told: the place, and how long it may take.
func (q *Queues) announcement(w *waiter) []prompt.Words {
	place, wait := q.place(w)
	words := []prompt.Words{prompt.Text("queue-next")}
	if place > 1 {
		words = []prompt.Words{prompt.Text("queue-place"), prompt.Number(place)}
	}
	if minutes := int((wait + 30*time.Second) / time.Minute); minutes > 0 {
		return append(words, prompt.Text("queue-wait"), prompt.Number(minutes))
	}
	return append(words, prompt.Text("queue-less"))
}

// ring lets the telephones of agents ring and reports whether one has answered.
func (q *Queues) ring(ctx context.Context, l *Line, w *waiter, o *offer) (bool, error) {
	target := w.set.URI
	target.Params = sip.Params("").With(agentsParam, o.token)
	status, err := l.Refer(ctx, target, w.music(l))
	if err != nil {
		return false, err
	}
	if status.Success() {
		q.answered(w, l.Session)
		return true, nil
	}
	q.missed(w)
	return false, nil
}
