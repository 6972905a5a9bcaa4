// The service: its settings, and how requests to a feature number are taken. RFC 3261 §8.2.

package pbx

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// Default values of [PBX].
const (
	DefaultMaxCalls    = 100
	DefaultMaxDuration = time.Hour
)

// PBX answers feature numbers. Fill the exported fields before first use and leave them alone afterwards; what must be set: Dialogs and
// Media. Safe for use by many goroutines.
type PBX struct {
	Dialogs *dialog.Table // must stand in front of whatever routes to here
	Media   *session.Site
	Voice   session.Voice // what is spoken; the zero Voice is G.711

	// Players are the applications beside echo and music, by what a number stands for.
	Players map[Feature]Player
	// Identity says who sends an INVITE; nil: nobody has proved anything.
	Identity b2bua.Identity
	// Language says in which language a call is spoken to, as long as its player has no other; nil: English. It must not block.
	Language func(*Facts) string
	// Country says, by two letters of ISO 3166, whose tones a call hears; nil: those that ITU-T E.180 recommends. It must not block.
	Country  func(*Facts) string
	Prompts  *prompt.Book // what is spoken; nil: what comes with the program
	Observer Observer     // told of each call that has ended; nil: nobody is
	Log      *slog.Logger // of what players end with; nil: nothing is logged

	Engine sip.Engine      // makes calls; nil: only calls that come are taken
	Inside func() sip.Flow // the way of these to the one who connects them

	Numbers     []Number      // nil: DefaultNumbers
	MaxCalls    int           // calls at once, further ones get 503; 0: DefaultMaxCalls
	MaxDuration time.Duration // after which a call is ended; 0: DefaultMaxDuration

	once         sync.Once
	applications map[string]sip.EventHandler // by number in lower case
	tune         tune
	book         prompt.Book // what comes with the program

	mu       sync.Mutex // guards what follows
	calls    map[*call]struct{}
	draining bool
	idle     chan struct{}  // closed when the last call ends while draining
	playing  sync.WaitGroup // the goroutines of calls
}

// application is one application as a handler of requests.
type application struct {
	pbx     *PBX
	feature Feature
	player  Player
	object  sip.URI    // what it is to serve; zero: what the INVITE says
	cause   sip.Status // why calls come to it; 0: what the INVITE says

	argument string // what was dialled behind the code
}

// Answer returns a handler that answers with the application of a feature, for whoever routes calls to it: object is what it is to serve (a box, a menu, a queue), cause why the
// call did not reach whom it was for, in the numbers of RFC 4458 §2: 486 busy, 408 no answer, 302 sent on by wish, 480 away; 0: it was for the application. nil: there is no such application.
func (p *PBX) Answer(f Feature, object sip.URI, cause sip.Status) sip.EventHandler {
	play := p.player(f)
	if play == nil {
		return nil
	}
	return &application{pbx: p, feature: f, player: play, object: object, cause: cause}
}

// Handler returns a handler that answers with a player of one's own, under the limits of the PBX. name is what logs and records call it.
func (p *PBX) Handler(name Feature, play Player) sip.EventHandler {
	return &application{pbx: p, feature: name, player: play}
}

// language is that of a call whose player has none of its own.
func (p *PBX) language(f *Facts) string {
	if p.Language == nil {
		return prompt.English
	}
	return or(p.Language(f), prompt.English)
}

// prompts are those in force.
func (p *PBX) prompts() *prompt.Book {
	if p.Prompts != nil {
		return p.Prompts
	}
	return &p.book
}

// identify says who sends an INVITE.
func (p *PBX) identify(ev *sip.Event) b2bua.Caller {
	if p.Identity == nil {
		return b2bua.Caller{}
	}
	return p.Identity.Identify(ev)
}

// warn logs what a player ended with.
func (p *PBX) warn(f *Facts, err error) {
	if p.Log != nil {
		p.Log.Warn("an application has failed", "application", string(f.Application), "call-id", f.CallID, "err", err)
	}
}

const (
	allowed    = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, NOTIFY"
	retryAfter = "10"
	stopReason = `SIP;cause=503;text="Server stops"`
	timeReason = `SIP;cause=480;text="Time is over"`
	// securityReason is that of a call whose media cannot be protected, or not be brought to the peer.
	securityReason = `SIP;cause=488;text="Media cannot be secured"`
	absentReason   = `SIP;cause=408;text="No media"`
)

// HandleEvent takes a request outside any dialog.
func (a *application) HandleEvent(ev *sip.Event) {
	if ev.Kind != sip.EventRequest {
		return
	}
	switch ev.Request.Method {
	case sip.MethodInvite:
		a.pbx.invite(ev, a)
	case sip.MethodOptions:
		res := ev.Request.Reply(sip.StatusOK)
		res.Set(sip.HeaderAllow, allowed)
		res.Set(sip.HeaderAccept, description.Type)
		// A transaction that has ended meanwhile needs no answer: here and below.
		_ = ev.Engine.Respond(ev.Tx, res)
	default:
		res := ev.Request.Reply(sip.StatusMethodNotAllowed)
		res.Set(sip.HeaderAllow, allowed)
		_ = ev.Engine.RespondOnce(ev.Tx, res)
	}
}

// admit enters a call, unless there are too many or the service stops.
func (p *PBX) admit(c *call) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := p.MaxCalls
	if limit == 0 {
		limit = DefaultMaxCalls
	}
	if p.draining || len(p.calls) >= limit {
		return false
	}
	if p.calls == nil {
		p.calls = make(map[*call]struct{})
	}
	p.calls[c] = struct{}{}
	return true
}

func (p *PBX) forget(c *call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, c)
	if p.idle != nil && len(p.calls) == 0 {
		close(p.idle)
		p.idle = nil
	}
}

// Calls returns how many calls there are.
func (p *PBX) Calls() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.calls)
}

// Drain refuses new calls with 503 and waits until the running ones have ended. When ctx ends first it ends them, and returns the error of
// ctx without waiting for the peers to agree.
func (p *PBX) Drain(ctx context.Context) error {
	if idle := p.drain(); idle != nil {
		select {
		case <-idle:
		case <-ctx.Done():
			p.hangUp()
			return ctx.Err()
		}
	}
	p.playing.Wait()
	return nil
}

// drain returns what is closed when the last call has ended; nil if there is none.
func (p *PBX) drain() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draining = true
	if len(p.calls) == 0 {
		return nil
	}
	if p.idle == nil {
		p.idle = make(chan struct{})
	}
	return p.idle
}

func (p *PBX) hangUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.calls {
		c.engine.Do(c.stripe, func() { c.bye(stopReason) })
	}
}
