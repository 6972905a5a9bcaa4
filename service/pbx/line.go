// The line: a call as the application has it that answers it. What it says and hears is in sound.go, what is dialled in digits.go, how it is sent on in refer.go.

package pbx

import (
	"context"
	"errors"

	"github.com/sipwerk/sipwerk/media/session"
)

var (
	// ErrHungUp says that the call is over: an application ends when it meets it.
	ErrHungUp = errors.New("pbx: the call is over")
	// ErrSilent says that nothing was dialled in time.
	ErrSilent = errors.New("pbx: nothing was dialled")
)

// Player is an application: it has the line from the answer on, on a goroutine of its own. When it returns the call is ended; when the call ends first, ctx ends and
// the methods of the line return [ErrHungUp]. What it returns beside that is logged.
type Player interface {
	Play(ctx context.Context, l *Line) error
}

// PlayerFunc makes a function a [Player].
type PlayerFunc func(ctx context.Context, l *Line) error

// Play calls f.
func (f PlayerFunc) Play(ctx context.Context, l *Line) error { return f(ctx, l) }

// Line is one call. Its methods are for the goroutine of the [Player].
//
// As an [io.ReadWriter] it carries signed 16-bit little-endian mono PCM at [Line.Rate], at the pace of the call.
type Line struct {
	Facts           // what the INVITE says
	Language string // in which it is spoken to, "en" or "de"; the player may change it

	call     *call
	endpoint *session.Endpoint
	told     chan byte // digits that come in INFO
	ahead    []byte    // digits that were dialled and not read
}

func newLine(c *call, e *session.Endpoint) *Line {
	return &Line{Facts: c.facts, Language: c.pbx.language(&c.facts), call: c, endpoint: e, told: make(chan byte, digitQueue)}
}

// Rate is the number of samples a second of all sound of the line.
func (l *Line) Rate() int { return l.endpoint.Rate() }

// Read gives what is heard, silence included; [ErrHungUp] at the end.
func (l *Line) Read(b []byte) (int, error) {
	n, err := l.endpoint.Read(b)
	return n, hungUp(err)
}

// Write says PCM; it waits while more than 60 ms are ahead.
func (l *Line) Write(b []byte) (int, error) {
	n, err := l.endpoint.Write(b)
	return n, hungUp(err)
}

// hungUp makes the errors of a closed endpoint [ErrHungUp]: it has no others.
func hungUp(err error) error {
	if err != nil {
		return ErrHungUp
	}
	return nil
}

// Bye ends the call when all that was said has been heard; reason is the value of a Reason header (RFC 3326), or empty. A player that returns need not call it.
func (l *Line) Bye(ctx context.Context, reason string) {
	_ = l.endpoint.Drain(ctx) // who does not want to hear the end has hung up
	l.do(func() { l.call.bye(reason) })
}

// do runs f in the stripe of the call and does not wait.
func (l *Line) do(f func()) { l.call.engine.Do(l.call.stripe, f) }
