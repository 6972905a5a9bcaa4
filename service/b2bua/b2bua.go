package b2bua

// The service: who asks what, and the door through which requests come.

import (
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/event"
)

// Locator finds the devices of an account. It must not block.
type Locator interface {
	// Lookup returns the bindings of an account, the preferred first; none if it is offline.
	Lookup(account sip.URI) []Binding
}

// Binding is one device and the way to it.
type Binding struct {
	Target sip.URI         // its Contact
	Path   []string        // RFC 3327: becomes the route set
	To     sip.Destination // its flow, if it can be reached no other way
	Remote netip.Addr      // where its messages come from; media is expected from there too
	Local  netip.Addr      // the address of ours that it uses, if known
	Spare  bool            // another way to the device of the binding before it: used when that fails (RFC 5626 §7)
	Key    uint64          // the locator's name for it, for [B2BUA.FlowFailed]; 0: nobody wants to know
	Kind   session.Kind    // how its media is carried
	Digits session.Digits  // how digits go to it
	Music  *session.Music  // what it hears on hold; nil: that of the site
}

// Caller is what is known of the sender of a request.
type Caller struct {
	// Address replaces a From that is not the sender's own; the zero Address leaves From as it is. An empty Display leaves the display
	// name of From.
	Address sip.Address
	// Trusted lets headers pass that a phone must not set: P-Asserted-Identity, Diversion, what makes another phone answer by itself.
	Trusted bool
	// Account is who has proved to call, whatever it shows: whose calls are counted, and who pays for them. Zero: nobody.
	Account sip.URI
	// Inside is the application that asks to have its call transferred: what it says on whose word (Referred-By), or the Request-URI by which it was called over the flow inside.
	// Zero: it is none.
	Inside sip.URI
	// Trunk is the name of the trunk by which the call came, and Domain whose it is; "" for none.
	Trunk, Domain string
	Gate          Gate // counts the call for as long as its first caller is in it; nil: nobody does
	// Digits is how digits go to the sender and come from it.
	Digits session.Digits
	Music  *session.Music // what the sender hears on hold; nil: that of the site
}

// keep returns a caller whose strings are its own.
func (c Caller) keep() Caller {
	c.Address.Display, c.Address.URI, c.Account = strings.Clone(c.Address.Display), c.Address.URI.Clone(), c.Account.Clone()
	c.Address.Params = sip.Params(strings.Clone(string(c.Address.Params)))
	return c
}

// Identity says who sends a request. It must not block.
type Identity interface {
	Identify(ev *sip.Event) Caller
}

// Default values of [B2BUA].
const (
	defaultCalls    = 10_000
	defaultBranches = 16
	defaultRingTime = 2 * time.Minute
	defaultSilence  = 5 * time.Minute
)

// B2BUA connects calls. Fill the fields before first use; afterwards they must not be changed. What must be set: Dialogs, Media,
// Router and Locator.
type B2BUA struct {
	Dialogs  *dialog.Table // must stand in front of the B2BUA; its Allow should name INFO and MESSAGE
	Media    *session.Site
	Router   Router
	Locator  Locator
	Identity Identity   // nil: every From is believed, nothing else is trusted
	Observer Observer   // nil: nobody is told
	Recorder Recorder   // nil: nothing is recorded
	Watcher  LegWatcher // nil: nobody is told of single telephones
	// FlowFailed, if set, is told that nothing came over the way to the binding of an account that is called key: its connection is gone, or whoever keeps it has answered 430
	// (RFC 5626 §11.6). It must not block.
	FlowFailed func(account sip.URI, key uint64)

	// Supervisors says who may join calls of others; nil: nobody may.
	Supervisors Supervisors
	// Pickups says which calls lamps let others take; nil: lamps show the dialogs themselves.
	Pickups Pickups

	// Inside is the flow over which the applications of this process are called as branches of a call: [stack.Stack.Inside]. Zero: they can only be dialled.
	Inside sip.Flow

	// Events keeps those informed who transfer a call; nil: REFER is not taken.
	Events *event.Notifier

	MaxCalls    int           // calls at once, further ones get 503; 0: 10,000
	MaxBranches int           // devices that ring at once for one call; 0: 16
	RingTime    time.Duration // how long they ring before the caller gets 480; 0: 2 minutes
	// PassRedirects hands a 3xx that is not followed on to the caller; otherwise it gets 480. Followed is what leads to an account of ours.
	PassRedirects bool
	Silence       time.Duration // a call whose sides send nothing for so long is ended; 0: 5 minutes, negative: never

	mu       sync.Mutex            // guards what follows
	calls    map[*call]uint64      // numbered as they came
	came     uint64                // how many
	parts    map[string][]*call    // by account: the calls in which it takes part, or may
	waiting  map[*arrival]struct{} // requests whose way is not known yet
	seats    map[string]int        // calls by the AOR of an account that takes part
	draining bool
	idle     chan struct{} // closed when the last call ends while draining

	states  sync.Pool // of *LegState, for the watcher
	details sync.Pool // of *Detail, for the observer and the recorder

	anybody Party // what is left of a party of which nothing is to be known while its call stands; never changed

	work sync.WaitGroup // media that is being closed
}

// HandleEvent takes a request outside any dialog.
func (b *B2BUA) HandleEvent(ev *sip.Event) {
	if ev.Kind != sip.EventRequest {
		return
	}
	if ev.Request.Method == sip.MethodInvite && ev.Request.Has(sip.HeaderReplaces) {
		b.replace(ev)
		return
	}
	if ev.Request.Method == sip.MethodInvite && ev.Request.Has(sip.HeaderJoin) {
		b.join(ev)
		return
	}
	if ev.Request.Method == sip.MethodRefer {
		b.referOutside(ev)
		return
	}
	b.arrive(ev)
}

// refuse answers: without a transaction when there is too much to do, with one otherwise, for a sender whose answer was lost would be challenged again.
func (b *B2BUA) refuse(ev *sip.Event, status sip.Status) {
	res := ev.Request.Reply(status)
	if status == sip.StatusServiceUnavailable {
		res.Set(sip.HeaderRetryAfter, retryAfter)
		ev.Engine.RespondOnce(ev.Tx, res)
		return
	}
	// An error means that the transaction is gone: nobody waits for the answer.
	_ = ev.Engine.Respond(ev.Tx, res)
}

// or returns v, or the default if v is zero.
func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
