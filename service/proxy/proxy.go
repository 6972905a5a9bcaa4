// The proxy: its settings, and the two doors. RFC 3261 §16.2.

package proxy

import (
	"crypto/rand"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Defaults of the fields of [Proxy].
const (
	DefaultTimerC      = 3*time.Minute + 15*time.Second
	DefaultMaxBranches = 16
)

// Locator knows the domains that are served, and where their people are. Its methods are called on the goroutine that reads the network and must not block.
type Locator interface {
	// Serves reports whether uri belongs to a domain of ours, so that its user is looked up. Everything else goes where it says. RFC 3261 §16.5.
	Serves(uri sip.URI) bool
	// Locate puts the targets of uri, which is of a domain that is served, into f and returns 0; or it returns the status for the caller: 404 for nobody,
	// 480 for somebody who has no device now.
	Locate(f *Found, uri sip.URI) sip.Status
}

// Found is the answer of a [Locator], and room for it that is used again and again: the targets may point into Room.
type Found struct {
	Targets []Target
	Room    any // the locator's; nil at first
}

// Target is one place to which a request may go.
type Target struct {
	URI   sip.URI         // the new Request-URI
	Path  []string        // what goes into Route, topmost first (RFC 3327 §5.4)
	To    sip.Destination // its Flow, or zero: what the message says
	Q     uint16          // preference in thousandths; those with the highest are tried first
	Spare bool            // another way to the device of the target before it: tried when that fails (RFC 5626 §7)
	Key   uint64          // the locator's name for it, for [Proxy.FlowFailed]; 0: nobody wants to know
}

// Addresses knows how we are reached. [transport.Layer] is one.
type Addresses interface {
	// Local reports whether host and port (0: the default of the transport) name one of our listeners.
	Local(host string, port uint16) bool
	// Advertised returns the address at which the peer of a flow reaches us.
	Advertised(f sip.Flow) (host string, port uint16)
}

// Identity names those who have proved who they are.
type Identity interface {
	// Identify returns what the network asserts of the sender of ev, whose User is set; the zero Address if it asserts nothing. RFC 3325 §5.
	Identify(ev *sip.Event) sip.Address
}

// Proxy forwards requests. Fill the exported fields before the first event and leave them alone afterwards. One Proxy belongs to one engine.
type Proxy struct {
	Locator   Locator                 // needed
	Addresses Addresses               // needed
	Next      sip.EventHandler        // gets what is not inside a dialog that was set up through us; nil: Forward
	Identity  Identity                // nil: nothing is asserted
	Realms    func(realm string) bool // whose credentials end here (RFC 3261 §22.3); nil: none
	// Unknown, if set, is offered each request outside of dialogs to a user of ours whom the Locator does not know, its sender known, and reports whether it takes it. What it does
	// not take is answered with 404. It must not block.
	Unknown func(ev *sip.Event) bool
	// FlowFailed, if set, is told that nothing came over the way to the target called key, which was found for uri: its connection is gone, or whoever keeps it has
	// answered 430 (RFC 5626 §11.6). It must not block, and keep nothing of uri.
	FlowFailed func(uri sip.URI, key uint64)

	Relay       bool          // proven and trusted senders may reach domains that are not served
	Key         []byte        // for the tokens; nodes that share it take each other's, and dialogs outlive a restart. nil: a random one
	TimerC      time.Duration // how long an INVITE may ring without another 1xx, at least; 0: DefaultTimerC
	MaxBranches int           // targets of one request; 0: DefaultMaxBranches

	once  sync.Once
	keys  tokenKeys
	seed  maphash.Seed
	turns uint16 // of the clock of Timer C
	lanes [sip.Stripes]lane
}

// lane is what the proxy keeps for a stripe: only events of that stripe touch it, but for the counters.
type lane struct {
	free     *fork // forks to be used again, linked by next
	inviting       // INVITEs that are not answered yet
	found    Found
	reply    sip.Response
	request  sip.Request
	text     []byte
	edge     bool // the request on its way goes over the flow of a registration
	counts   counts
}

// counts are the figures of a lane.
type counts struct {
	pending                     atomic.Int64
	forwarded, refused, looping atomic.Uint64
}

// Counts says what a proxy has done and does.
type Counts struct {
	Pending   int    // requests that wait for a final response
	Forwarded uint64 // requests sent on, ACKs included; a forked one counts once
	Refused   uint64 // requests answered by the proxy itself
	Loops     uint64 // of these, 482
}

// Counts returns the figures of now. Any goroutine may call it.
func (p *Proxy) Counts() Counts {
	var sum Counts
	for i := range p.lanes {
		c := &p.lanes[i].counts
		sum.Pending += int(c.pending.Load())
		sum.Forwarded += c.forwarded.Load()
		sum.Refused += c.refused.Load()
		sum.Loops += c.looping.Load()
	}
	return sum
}

func (p *Proxy) start() {
	key := p.Key
	if key == nil {
		key = make([]byte, 32)
		// It never fails: the program ends before.
		_, _ = rand.Read(key)
	}
	p.keys, p.seed = newTokenKeys(key), maphash.MakeSeed()
	if p.TimerC <= 0 {
		p.TimerC = DefaultTimerC
	}
	if p.MaxBranches <= 0 {
		p.MaxBranches = DefaultMaxBranches
	}
	p.turns = uint16(max(p.TimerC/turn, 1))
}

// HandleEvent is the door for everything that arrives. What moves inside a dialog that was set up through us is forwarded; the rest goes to Next.
func (p *Proxy) HandleEvent(ev *sip.Event) {
	p.once.Do(p.start)
	if ev.Kind == sip.EventRequest || ev.Kind == sip.EventAck {
		if w := p.preprocess(ev); w.inside {
			p.inside(ev, w)
			return
		}
	}
	if p.Next != nil {
		p.Next.HandleEvent(ev)
		return
	}
	p.Forward(ev)
}

// inside forwards a request or ACK whose Route proves that it belongs to a dialog set up through us.
func (p *Proxy) inside(ev *sip.Event, w way) {
	l := &p.lanes[ev.Stripe]
	t := Target{URI: ev.Request.URI, To: sip.Destination{Flow: w.flow}}
	if w.flow.IsZero() && !ev.Request.Has(sip.HeaderRoute) && p.serves(ev.Request.URI) {
		p.lookUp(ev)
		return
	}
	l.found.Targets = append(l.found.Targets[:0], t)
	l.edge = w.edge
	p.send(ev)
	l.edge = false
}

// Forward is the door for requests whose sender may send them: it has proved who it is, or is trusted, or needs no proof. It answers what it does not forward.
func (p *Proxy) Forward(ev *sip.Event) {
	p.once.Do(p.start)
	if ev.Kind != sip.EventRequest && ev.Kind != sip.EventAck {
		return
	}
	req := ev.Request
	if !req.Has(sip.HeaderRoute) && p.serves(req.URI) {
		p.call(ev)
		return
	}
	if !req.URI.IsSIP() {
		p.refuse(ev, sip.StatusUnsupportedURIScheme) // RFC 3261 §16.3 step 2
		return
	}
	// An ACK is never challenged, so it proves nothing.
	if !p.Relay || ev.User == "" && !ev.Trusted {
		p.refuse(ev, sip.StatusForbidden)
		return
	}
	if req.Method == sip.MethodRegister {
		p.addPath(ev)
	}
	l := &p.lanes[ev.Stripe]
	l.found.Targets = append(l.found.Targets[:0], Target{URI: req.URI})
	p.send(ev)
}

// call sends a request to the targets of a user of ours, or gives it away if there is no such user.
func (p *Proxy) call(ev *sip.Event) {
	status := p.find(ev)
	if status == sip.StatusNotFound && ev.Kind == sip.EventRequest && p.Unknown != nil && p.Unknown(ev) {
		return
	}
	p.reach(ev, status)
}

// lookUp does the same for what is inside a dialog.
func (p *Proxy) lookUp(ev *sip.Event) { p.reach(ev, p.find(ev)) }

// find puts the targets of a user of ours into the room of the lane; where there are none, it returns the status for the sender.
func (p *Proxy) find(ev *sip.Event) sip.Status {
	f := &p.lanes[ev.Stripe].found
	f.Targets = f.Targets[:0]
	status := p.Locator.Locate(f, ev.Request.URI)
	if status == 0 {
		f.Targets = arrange(f.Targets, ev.Request.URI.Scheme, p.MaxBranches)
		if len(f.Targets) == 0 {
			status = sip.StatusTemporarilyUnavailable
		}
	}
	return status
}

// reach sends a request to what find has found.
func (p *Proxy) reach(ev *sip.Event, status sip.Status) {
	if status != 0 {
		p.refuse(ev, status)
		return
	}
	p.send(ev)
}

// send forwards a request to the targets in the room of its lane, unless the checks forbid that.
func (p *Proxy) send(ev *sip.Event) {
	v := p.check(ev)
	if v.status != 0 {
		p.turnDown(ev, v)
		return
	}
	p.rewrite(ev, v)
	p.lanes[ev.Stripe].counts.forwarded.Add(1)
	if ev.Kind == sip.EventAck {
		p.ack(ev)
		return
	}
	p.fork(ev, v)
}

// ack forwards the ACK to a 2xx, for which there is no state. RFC 3261 §16.11, §13.2.2.4.
func (p *Proxy) ack(ev *sip.Event) {
	l := &p.lanes[ev.Stripe]
	t := &l.found.Targets[0]
	to := p.aim(ev.Request, t)
	// Nobody waits: the callee asks again by its 2xx.
	if err := ev.Engine.Ack(ev.Stripe, ev.Request, to); err != nil && !l.edge && detour(&to, ev.Request) {
		_ = ev.Engine.Ack(ev.Stripe, ev.Request, to)
	}
}

// detour takes the flow out of a destination that is lost, if there may be another way: the telephone said how it is reached. RFC 3261 §12.2.1.1.
func detour(to *sip.Destination, req *sip.Request) bool {
	if to.Flow.IsZero() || req.URI.Outbound() || strings.HasSuffix(req.URI.Host, ".invalid") {
		return false
	}
	to.Flow = sip.Flow{}
	return true
}

// refuse answers a request by the proxy itself; an ACK has no answer.
func (p *Proxy) refuse(ev *sip.Event, status sip.Status) { p.turnDown(ev, verdict{status: status}) }

func (p *Proxy) turnDown(ev *sip.Event, v verdict) {
	if ev.Kind != sip.EventRequest {
		return
	}
	l := &p.lanes[ev.Stripe]
	l.counts.refused.Add(1)
	if v.status == sip.StatusLoopDetected {
		l.counts.looping.Add(1)
	}
	l.reply.ReplyTo(ev.Request, v.status)
	if v.unsupported != "" {
		l.reply.Set(sip.HeaderUnsupported, v.unsupported)
	}
	if ev.User == "" && !ev.Trusted {
		// A stranger gets no more than it sends: a copy of its request is judged again, and nothing is repeated to an address that may be another's.
		_ = ev.Engine.RespondOnce(ev.Tx, &l.reply)
		return
	}
	// RFC 3261 §8.2.7: who has proved who it is, and whose answer was lost, is neither challenged again nor sent on because somebody has registered meanwhile.
	_ = ev.Engine.Respond(ev.Tx, &l.reply)
}
