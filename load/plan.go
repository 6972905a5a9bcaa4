// What a run is to do.

package load

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// Scenario is what an operation is.
type Scenario string

// The scenarios. Whatever is challenged is sent again with the answer, within the same operation.
const (
	Register Scenario = "register" // REGISTER of one user after the other
	Options  Scenario = "options"  // OPTIONS to the server itself
	Message  Scenario = "message"  // MESSAGE through the server to a registered user
	Call     Scenario = "call"     // INVITE through the server, 180, 200, ACK, BYE, 200
)

// Scenarios lists them.
func Scenarios() []Scenario { return []Scenario{Register, Options, Message, Call} }

// kind is the first request of the scenario.
func (s Scenario) kind() (k kind, ok bool) {
	switch s {
	case Register:
		return kindRegister, true
	case Options:
		return kindOptions, true
	case Message:
		return kindMessage, true
	case Call:
		return kindInvite, true
	}
	return 0, false
}

// twoSided reports whether the server passes the request on to a callee.
func (s Scenario) twoSided() bool { return s == Message || s == Call }

// HoldToEnd as the Hold of a plan keeps every call until the window is over.
const HoldToEnd time.Duration = -1

// What keeps a run from starting.
var (
	// ErrForeign: the target is not this machine, and nobody has said that it may be loaded.
	ErrForeign = errors.New("load: the target is not on this machine")
	// ErrCallees: the users to be called could not be registered.
	ErrCallees = errors.New("load: users to be called could not be registered")
)

// Plan says what a run is to do. Scenario, Target, Rate, Window and Users are needed.
type Plan struct {
	Scenario  Scenario
	Target    netip.AddrPort
	Transport sip.Transport // 0: UDP
	Domain    string        // of the users; "": the address of the target
	Owned     bool          // the target may be loaded though it is not on a loopback address

	Rate   float64       // operations a second
	Warmup time.Duration // before the window
	Window time.Duration // what is measured
	Hold   time.Duration // between the 200 and the BYE of a call; 0: none, HoldToEnd
	Grace  time.Duration // how long answers are waited for after the window; 0: as long as the standard's timers take
	Settle time.Duration // of the server before its memory is measured at the end; 0: not at all

	Users       Users
	Callees     int // how many of them, from the first on, are registered to be called; 0: 100 or as many as there are
	Workers     int // each with ports of its own and a goroutine that begins its share of the operations; 0: 1
	Connections int // of the calling side of each worker, and as many of the called side; over UDP both share one socket. 0: 1

	TLS     *tls.Config         // for TLS and WSS; nil: any certificate is taken
	Network network.Network     // nil: network.OS
	Log     *slog.Logger        // of the transports; nil: slog.Default
	Sleep   func(time.Duration) // nil: time.Sleep, which is coarse: see [Nap]
	Process int                 // the server's, to measure its processor time and memory; 0: none
	Label   string              // copied into the result
}

// The defaults.
const (
	defaultCallees = 100
	registerRate   = 1000 // callees a second
	mostRate       = 10_000_000
)

// withDefaults checks the plan and fills in what was left open. The error names the field.
func (p Plan) withDefaults() (Plan, error) {
	if _, ok := p.Scenario.kind(); !ok {
		return p, fmt.Errorf("load: Scenario: %q is none of register, options, message, call", p.Scenario)
	}
	switch {
	case !p.Target.IsValid() || p.Target.Port() == 0:
		return p, errors.New("load: Target: no address and port")
	case !p.Owned && !p.Target.Addr().IsLoopback():
		return p, ErrForeign
	case !(p.Rate > 0) || p.Rate > mostRate:
		return p, fmt.Errorf("load: Rate: %g is not between 0 and %d", p.Rate, mostRate)
	case p.Window <= 0 || p.Warmup < 0:
		return p, errors.New("load: Window, Warmup: no time to measure in")
	case p.Workers < 0 || p.Connections < 0 || p.Callees < 0:
		return p, errors.New("load: Workers, Connections, Callees: negative")
	}
	p.Target = netip.AddrPortFrom(p.Target.Addr().Unmap(), p.Target.Port())
	if p.Transport == sip.TransportNone {
		p.Transport = sip.UDP
	}
	if p.Domain == "" {
		if p.Domain = p.Target.Addr().String(); p.Target.Addr().Is6() {
			p.Domain = "[" + p.Domain + "]"
		}
	}
	if p.TLS == nil {
		p.TLS = &tls.Config{InsecureSkipVerify: true}
	}
	if p.Network == nil {
		p.Network = network.OS{}
	}
	if p.Sleep == nil {
		p.Sleep = time.Sleep
	}
	p.Workers, p.Connections = max(p.Workers, 1), max(p.Connections, 1)
	return p.withCallees()
}

// withCallees settles who is called.
func (p Plan) withCallees() (Plan, error) {
	if !p.Scenario.twoSided() {
		p.Callees = 0
		return p, p.Users.check(1)
	}
	if err := p.Users.check(2 * p.Workers); err != nil {
		return p, err
	}
	if p.Callees == 0 {
		p.Callees = defaultCallees
	}
	p.Callees = min(max(p.Callees, 2*p.Workers), p.Users.len())
	return p, nil
}

// room is how many operations of one worker may be in flight: what the rate brings in eight seconds, which only a server that fails leaves unanswered, and every
// call that is held.
func (p *Plan) room() int {
	held := max(p.Hold, 0)
	if p.Hold == HoldToEnd {
		held = p.Warmup + p.Window
	}
	n := p.Rate / float64(p.Workers) * (held + 8*time.Second).Seconds()
	return int(min(math.Ceil(n), 1<<22)) + 256
}

// length is that of the schedule.
func (p *Plan) length() time.Duration { return p.Warmup + p.Window }

// stretch is how long a point of the series takes: so that there are about a hundred.
func (p *Plan) stretch() time.Duration {
	return max(p.length()/100, 100*time.Millisecond).Round(100 * time.Millisecond)
}
