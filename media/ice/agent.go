package ice

// The shell around the steps: lock, timer, socket. RFC 8445 §5.1.1.1, RFC 8838 §11, RFC 8445 §9.

import (
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/stun"
)

// Stream is the socket that media and checks share: a *relay.Stream.
type Stream interface {
	Aside(f relay.Aside)
	SendTo(b []byte, to netip.AddrPort, control bool) error
	Fix(to netip.AddrPort)
	Called(names ...string)      // user name fragments by which the peer's checks call us
	Checked(from netip.AddrPort) // a check has passed there, one way or the other
}

// Config is what an agent needs.
type Config struct {
	Stream  Stream
	Lite    bool             // answers checks and makes none; for hosts with a public address (RFC 8445 §2.5)
	Offerer bool             // sent the first offer; two full agents tell their roles by it (RFC 8445 §6.1.1)
	Local   []netip.AddrPort // under which the socket is reached, all of one family, the best first
	Random  io.Reader        // nil: that of the system

	// What follows is called with no lock held, on the goroutine that read a datagram or on that of a timer. It must not block. Each may be nil.
	DTLS     func(b []byte)          // gets DTLS from addresses that passed a check; b is not to be kept
	Selected func(to netip.AddrPort) // a way is chosen, or another; Stream.Fix is done
	Failed   func(err error)         // ErrNoPath, or ErrConsent: nothing may be sent any more. A restart may mend both
	Gathered func(c Candidate)       // a STUN server has shown another candidate of ours
	Complete func()                  // all STUN servers have answered, or will not: there are no more candidates of ours
}

// Remote is what a description of the peer says.
type Remote struct {
	Credentials Credentials
	Lite        bool        // a=ice-lite
	Candidates  []Candidate // other components than 1 and the other address family are skipped
	Complete    bool        // no more will be trickled: it does not offer the option, or says end-of-candidates (RFC 8838 §13)
}

// ErrCredentials says that a description has none, or malformed ones.
var ErrCredentials = errors.New("ice: missing or malformed credentials")

// An Agent is ICE for one stream. Its methods may be called from anywhere.
type Agent struct {
	config Config

	mu        sync.Mutex // guards what follows
	current   *agenda
	previous  *agenda // before a restart, until the new one has chosen: RFC 8445 §9
	own       []Candidate
	inquiries []*inquiry
	timer     *time.Timer
	speaker   netip.AddrPort // who sent DTLS last
	heard     time.Time      // when the peer showed last that it is there
	closed    bool
}

// New returns an agent that answers checks at once. The error is that of Random. Whoever made it closes it, before its stream.
func New(c Config) (*Agent, error) {
	if c.Random == nil {
		c.Random = rand.Reader
	}
	a := &Agent{config: c}
	for i, at := range c.Local {
		a.own = append(a.own, candidate(Host, at, at, i))
	}
	var err error
	if a.current, err = a.agenda(c.Offerer); err != nil {
		return nil, err
	}
	a.timer = time.AfterFunc(time.Hour, a.tick)
	a.timer.Stop()
	c.Stream.Aside(a.receive)
	a.nameLocked() // nobody else knows it yet
	return a, nil
}

// nameLocked tells the socket how we are called: anew since a restart, or as before until the new way is found.
func (a *Agent) nameLocked() {
	if a.previous == nil {
		a.config.Stream.Called(a.current.local.Ufrag)
		return
	}
	a.config.Stream.Called(a.current.local.Ufrag, a.previous.local.Ufrag)
}

// agenda makes a new generation.
func (a *Agent) agenda(controlling bool) (*agenda, error) {
	local, err := newCredentials(a.config.Random)
	if err != nil {
		return nil, err
	}
	g := &agenda{lite: a.config.Lite, controlling: controlling && !a.config.Lite, random: a.config.Random, local: local}
	g.drawBreaker()
	if len(a.own) > 0 {
		g.localPriority = a.own[0].Priority
	}
	return g, nil
}

// Credentials returns ours, for a=ice-ufrag and a=ice-pwd.
func (a *Agent) Credentials() Credentials {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.current.local
}

// Candidates returns ours so far.
func (a *Agent) Candidates() []Candidate {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.own)
}

// Restart draws new credentials for an offer of ours that begins anew; the way in use stays until another is found. RFC 8445 §9.
func (a *Agent) Restart() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.restartLocked()
}

func (a *Agent) restartLocked() error {
	g, err := a.agenda(a.current.controlling)
	if err != nil {
		return err
	}
	if a.current.selected != nil || a.previous == nil {
		a.previous = a.current
	}
	a.current = g
	a.nameLocked()
	return nil
}

// Remote takes what an offer or answer of the peer says. Other credentials than before are a restart of the peer's; then [Agent.Credentials] are
// new too, and belong into the answer. The error is [ErrCredentials] or that of Random, and then all is as before.
func (a *Agent) Remote(r Remote) error {
	if !r.Credentials.Valid() {
		return ErrCredentials
	}
	return a.do(func(now time.Time) error {
		if known := a.current.remote; known.Ufrag != "" && known != r.Credentials {
			if err := a.restartLocked(); err != nil {
				return err
			}
		}
		g := a.current
		g.vigil.renew(now)
		if g.remote.Ufrag == "" {
			g.remote, g.began = r.Credentials, now
			g.controlling = !g.lite && (g.controlling || r.Lite)
		}
		for _, c := range r.Candidates {
			a.addLocked(c)
		}
		g.complete = g.complete || r.Complete
		if g.lite && r.Lite && g.selected == nil { // nobody checks: RFC 8445 §8.2
			if p := g.best(func(*pair) bool { return true }); p != nil {
				g.permit(p)
				g.nominate(now, p)
			}
		}
		return nil
	})
}

// Trickled takes more candidates of the generation that they were said for; those of another are of no use. RFC 8838 §11, RFC 8838 §13, RFC 8840 §4.4.
func (a *Agent) Trickled(r Remote) {
	_ = a.do(func(time.Time) error {
		if g := a.current; g.remote == r.Credentials {
			for _, c := range r.Candidates {
				a.addLocked(c)
			}
			g.complete = g.complete || r.Complete
		}
		return nil
	})
}

func (a *Agent) addLocked(c Candidate) {
	if c.Component != 1 || len(a.own) > 0 && c.Address.Addr().Is4() != a.own[0].Address.Addr().Is4() {
		return
	}
	a.current.add(c.Address, c.Priority)
}

// Gathering tells whether candidates of ours may still become known.
func (a *Agent) Gathering() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.inquiries) > 0
}

// Gather asks a STUN server how it sees us; what it says comes by Config.Gathered, and into [Agent.Candidates].
func (a *Agent) Gather(server netip.AddrPort) {
	_ = a.do(func(now time.Time) error {
		if len(a.inquiries) < maxServers {
			q := &inquiry{server: server}
			a.inquiries = append(a.inquiries, q)
			a.current.out = append(a.current.out, q.ask(now, a.current))
		}
		return nil
	})
}

// Send sends DTLS to the peer: over the chosen way, or else where the peer's DTLS came from. The error is net.ErrClosed as long as there is
// neither.
func (a *Agent) Send(b []byte) error {
	a.mu.Lock()
	to := a.speaker
	for _, g := range []*agenda{a.previous, a.current} {
		if g != nil && g.selected != nil {
			to = g.selected.remote
		}
	}
	a.mu.Unlock()
	if !to.IsValid() {
		return net.ErrClosed
	}
	return a.config.Stream.SendTo(b, to, false)
}

// Heard returns when the peer showed last that it is there, by a check, an answer to one of ours or an indication (RFC 8445 §11); the zero time if it never did; and whether it goes on to check the
// chosen way.
func (a *Agent) Heard() (last time.Time, h Habit) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h = a.current.vigil.habit(); h != Steady && a.previous != nil && a.previous.vigil.steady() {
		h = Steady // who restarts checks the old way until there is a new one: RFC 8445 §9
	}
	return a.heard, h
}

// Close ends the agent. It may be called twice.
func (a *Agent) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.closed = true
		a.timer.Stop()
		a.config.Stream.Aside(nil)
		a.config.Stream.Called()
	}
}

// receive takes what came to the socket and is no media.
func (a *Agent) receive(b []byte, from netip.AddrPort, control bool) {
	if control || len(b) == 0 {
		return // one component: RTCP has no port of its own
	}
	if b[0] > 3 {
		a.pass(b, from)
		return
	}
	typ, ok := stun.Type(b)
	if !ok {
		return
	}
	_ = a.do(func(now time.Time) error {
		switch typ {
		case stun.BindingRequest:
			a.checkedLocked(now, b, from)
		case stun.BindingSuccess, stun.BindingError:
			a.answeredLocked(now, b, from)
		case stun.BindingIndication:
			if a.permittedLocked(from) {
				a.heard = now
				for _, g := range []*agenda{a.current, a.previous} {
					if g != nil {
						g.vigil.pause(now)
					}
				}
				a.current.checked = append(a.current.checked, from) // it keeps its claim to the address
			}
		}
		return nil
	})
}

// pass hands DTLS on.
func (a *Agent) pass(b []byte, from netip.AddrPort) {
	a.mu.Lock()
	ok := !a.closed && a.permittedLocked(from)
	if ok {
		a.speaker = from
	}
	a.mu.Unlock()
	if ok && a.config.DTLS != nil {
		a.config.DTLS(b)
	}
}

// permittedLocked tells whether an address has passed a check, before a restart or since.
func (a *Agent) permittedLocked(from netip.AddrPort) bool {
	return a.current.permitted(from) || a.previous != nil && a.previous.permitted(from)
}

func (a *Agent) checkedLocked(now time.Time, b []byte, from netip.AddrPort) {
	ufrag, ok := stun.Ufrag(b)
	if !ok {
		return
	}
	for _, g := range []*agenda{a.current, a.previous} {
		if g == nil || string(ufrag) != g.local.Ufrag {
			continue
		}
		if r, ok := readRequest(b, g.local, g.remote); ok {
			a.heard = now
			g.heard(now, r, from)
		}
		return
	}
}

func (a *Agent) answeredLocked(now time.Time, b []byte, from netip.AddrPort) {
	for i, q := range a.inquiries {
		if seen, ok := q.answer(b, from); ok {
			a.inquiries = slices.Delete(a.inquiries, i, i+1)
			a.seenLocked(seen)
			return
		}
	}
	if a.current.answered(now, b, from) || a.previous != nil && a.previous.answered(now, b, from) {
		a.heard = now
	}
}

// seenLocked takes our address as a server sees it. RFC 8445 §5.1.3: one that we know already is redundant.
func (a *Agent) seenLocked(at netip.AddrPort) {
	known := slices.ContainsFunc(a.own, func(c Candidate) bool { return c.Address == at })
	if known || len(a.own) == 0 || !at.IsValid() {
		return
	}
	c := candidate(ServerReflexive, at, a.own[0].Address, 0)
	a.own = append(a.own, c)
	a.current.gathered = append(a.current.gathered, c)
}

func (a *Agent) tick() { _ = a.do(func(time.Time) error { return nil }) }

// do runs one step, and then does what comes of it.
func (a *Agent) do(step func(now time.Time) error) error {
	a.mu.Lock()
	if a.closed {
		a.mu.Unlock()
		return net.ErrClosed
	}
	now, waited := time.Now(), len(a.inquiries) > 0
	if err := step(now); err != nil {
		a.mu.Unlock()
		return err
	}
	asked := len(a.inquiries) > 0
	out, happened, gathered := a.settleLocked(now)
	happened.complete = len(a.inquiries) == 0 && (asked || waited)
	a.mu.Unlock()
	for _, d := range out {
		_ = a.config.Stream.SendTo(d.b, d.to, false) // what is lost is sent again
	}
	a.tell(happened, gathered)
	return nil
}

// settleLocked does what is due, sets the timer, and collects what has come of it.
func (a *Agent) settleLocked(now time.Time) (out []datagram, happened news, gathered []Candidate) {
	a.inquiries = slices.DeleteFunc(a.inquiries, func(q *inquiry) bool {
		again, alive := q.tick(now)
		if again != nil {
			out = append(out, *again)
		}
		return !alive
	})
	for _, g := range []*agenda{a.previous, a.current} {
		if g == nil {
			continue
		}
		g.tick(now)
		out = append(out, g.out...)
		gathered = append(gathered, g.gathered...)
		for _, from := range g.checked {
			a.config.Stream.Checked(from)
		}
		if g.news.selected.IsValid() {
			happened.selected = g.news.selected
		}
		if g == a.current {
			happened.failed = g.news.failed
		}
		g.out, g.news, g.gathered, g.checked = nil, news{}, nil, g.checked[:0]
	}
	if happened.selected.IsValid() {
		a.config.Stream.Fix(happened.selected)
		if a.current.selected != nil && a.previous != nil {
			a.previous = nil
			a.nameLocked()
		}
	}
	a.sleepLocked(now)
	return out, happened, gathered
}

// sleepLocked sets the timer.
func (a *Agent) sleepLocked(now time.Time) {
	at := a.current.wake()
	times := []time.Time{}
	if a.previous != nil {
		times = append(times, a.previous.wake())
	}
	for _, q := range a.inquiries {
		times = append(times, q.check.due)
	}
	for _, t := range times {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if at.IsZero() {
		a.timer.Stop()
		return
	}
	a.timer.Reset(max(at.Sub(now), time.Millisecond))
}

// tell calls who wants to know.
func (a *Agent) tell(n news, gathered []Candidate) {
	if n.selected.IsValid() && a.config.Selected != nil {
		a.config.Selected(n.selected)
	}
	if n.failed != nil && a.config.Failed != nil {
		a.config.Failed(n.failed)
	}
	for _, c := range gathered {
		if a.config.Gathered != nil {
			a.config.Gathered(c)
		}
	}
	if n.complete && a.config.Complete != nil {
		a.config.Complete()
	}
}
