// A call: its state, its end, and how an order gets into its stripe. RFC 3261 §13 to §15.

package phone

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// State is how far a call has come.
type State uint8

// The states of a call.
const (
	Calling State = iota // nobody rings yet
	Ringing
	Talking // answered
	Over
)

// String gives the word in lower case.
func (s State) String() string { return [...]string{"calling", "ringing", "talking", "over"}[s] }

// Call is one call of a phone, made by [Phone.Dial] or [Phone.Invite] or given to the function of [Phone.Serve]. Its methods may be called from anywhere, but
// sound should be read by one goroutine at a time and written by one.
type Call struct {
	phone    *Phone
	incoming bool
	engine   sip.Engine
	stripe   sip.Stripe
	peer     session.Peer
	remote   sip.Address
	offer    *sdp.Description // of a call that came in; nil if it has none
	reliable bool             // the caller can acknowledge what comes before the answer
	replaced *Call            // the call whose place this one takes

	heard chan struct{} // closed when there is sound to be heard and said
	up    chan struct{} // closed when both sides know that the call is answered
	done  chan struct{} // closed when the call is over

	usage     *dialog.Usage // owned by the stripe
	change    *change       // the same; our re-INVITE that is under way
	direction sdp.Direction // the same; what we want
	restarts  int           // the same; how often ICE has begun anew

	mu       sync.Mutex // guards what follows
	endpoint *session.Endpoint
	answer   []byte             // our answer to offer, once there is one
	early    []*sdp.Description // fragments that came before it
	state    State
	held     bool // the peer does not listen
	answered time.Time
	ended    time.Time
	err      error
}

func (p *Phone) newCall(peer session.Peer, remote sip.Address) *Call {
	return &Call{phone: p, engine: p.line.stack, peer: peer, remote: remote,
		heard: make(chan struct{}), up: make(chan struct{}), done: make(chan struct{})}
}

// Incoming reports whether the peer called us.
func (c *Call) Incoming() bool { return c.incoming }

// Remote is who is at the other end: the From of a call that came in, whom we called otherwise.
func (c *Call) Remote() sip.Address { return c.remote }

// Replaced returns the call whose place a call that came in takes: the peer has asked for that (RFC 3891), as at the end of an attended transfer. It is hung up
// as soon as this one is answered, which should be at once, without ringing. nil: none.
func (c *Call) Replaced() *Call { return c.replaced }

// State returns how far the call has come.
func (c *Call) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// Held reports whether the peer has put us on hold: it does not listen.
func (c *Call) Held() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.held
}

// Done is closed when the call is over.
func (c *Call) Done() <-chan struct{} { return c.done }

// Err says why a call is over: nil before that, and if one of the two hung up. It wraps the [sip.Status] of a call that was refused, or was given up
// before its answer (487), and [ErrLost] if the peer is gone.
func (c *Call) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// ErrLost is the end of a call whose peer could not be reached any more.
var ErrLost = errors.New("phone: peer lost")

// gone is the error of what cannot be done because the call is over.
func (c *Call) gone() error {
	if err := c.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return ErrEnded
}

// end makes the call a past one. It is called from the stripe, and from anywhere if the stripe is dead.
func (c *Call) end(err error) {
	c.mu.Lock()
	if c.state == Over {
		c.mu.Unlock()
		return
	}
	c.state, c.err, c.ended = Over, err, time.Now()
	endpoint := c.endpoint
	c.mu.Unlock()
	go func() {
		defer c.phone.running.Done()
		if endpoint != nil {
			endpoint.Close()
		}
		close(c.done) // whoever waits for the end finds the sound closed
		c.phone.leave(c)
	}()
}

// advance moves the state on; it never goes back.
func (c *Call) advance(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s <= c.state {
		return
	}
	c.state = s
	if s == Talking {
		c.answered = time.Now()
	}
}

// order runs f in the stripe of the call and returns its error, ErrEnded if the call is over.
func (c *Call) order(f func() error) error {
	result := make(chan error, 1)
	c.engine.Do(c.stripe, func() {
		if c.usage == nil || c.usage.Over() {
			result <- c.gone()
			return
		}
		result <- f()
	})
	select {
	case err := <-result:
		return err
	case <-c.done:
	}
	select {
	case err := <-result: // the order itself ended the call
		return err
	default:
		return c.gone()
	}
}

// await waits for a channel to be closed, the end of ctx, or that of the call.
func (c *Call) await(ctx context.Context, what <-chan struct{}) error {
	select {
	case <-what:
		return nil
	default:
	}
	select {
	case <-what:
		return nil
	case <-c.done:
		return c.gone()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Hangup ends the call whatever its state and waits until the peer has confirmed or is given up: CANCEL for one that the peer has not answered, 480 for
// one that we have not, BYE otherwise. A call that is over is no error.
func (c *Call) Hangup() error {
	err := c.order(c.bye)
	if err == nil || errors.Is(err, ErrEnded) || errors.Is(err, dialog.ErrState) {
		<-c.done
		return nil
	}
	return fmt.Errorf("phone: hang up: %w", err)
}

// bye hangs up; it runs in the stripe.
func (c *Call) bye() error {
	err := c.usage.Bye("")
	if c.usage.Over() {
		c.end(sip.StatusTemporarilyUnavailable) // no event tells the end of a call that we refuse
	}
	return err
}
