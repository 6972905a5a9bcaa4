// The service: its settings, who asks what, and the door through which requests come. RFC 4579 §3, §5.

package conference

import (
	"context"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/internal/lockout"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/event"
)

// Directory says which rooms there are. It must not block.
type Directory interface {
	// Room returns the room that a request is for; ok is false if there is none.
	Room(req *sip.Request) (s Settings, ok bool)
}

// Identity says who sends a request. It must not block.
type Identity interface {
	// Identify returns the account that sent it, with its display name; the zero Address if that is not known.
	Identify(ev *sip.Event) sip.Address
}

// Locator finds the devices of whoever is invited. It must not block.
type Locator interface {
	// Lookup returns the name of a URI, which is that of its account if it has one, and its bindings, none if it is offline; ok is false for whoever may not be invited. by is the account that
	// invites, which pays for a call to the outside; "" if nobody has proved to be one.
	Lookup(by string, uri sip.URI) (name sip.URI, devices []Binding, ok bool)
}

// Binding is one device and the way to it.
type Binding struct {
	Target sip.URI         // its Contact
	Path   []string        // RFC 3327: becomes the route set
	To     sip.Destination // its flow, if it can be reached no other way
	Remote netip.Addr      // where its messages come from; media is expected from there too
	Local  netip.Addr      // the address of ours that it uses, if known
	Kind   session.Kind    // how its media is carried
	// Payer is set if the way leads to whoever routes calls in this process: the account that calls, and pays. RFC 3325 §9.1.
	Payer  sip.URI
	Inside bool // the way does not leave the process
}

// Default values of [Conference].
const (
	DefaultMaxCalls    = 10_000
	DefaultMaxRooms    = 1_000
	DefaultMaxMembers  = 1_000
	DefaultMaxDuration = 12 * time.Hour
	DefaultRingTime    = time.Minute
)

// Conference is the focus of the rooms of a server. Fill the exported fields before first use and leave them alone afterwards; what must be set: Dialogs, Media
// and Rooms. Safe for use by many goroutines.
type Conference struct {
	Dialogs  *dialog.Table // must stand in front of whatever routes to here; its Allow should name REFER
	Media    *session.Site
	Rooms    Directory
	Voice    session.Voice   // what is spoken; its Rate, 16,000 Hz if 0, is that of the mix
	Events   *event.Notifier // tells who is there; it must have the package of [Conference.Package], and [Conference.Account] as Account. nil: nobody is told
	Identity Identity        // nil: every From is believed
	Locator  Locator         // nil: nobody can be invited
	Observer Observer        // nil: nobody is told
	// Busy reports whether an account is in a call: it is left out of a [Page]. It must not block. nil: nobody is.
	Busy func(account sip.URI) bool
	// Multicast opens the way from an address of this machine, any if it is not valid, to a multicast group, no further than the local network: each Write is a datagram and must not
	// block. nil: pages have no loudspeakers.
	Multicast func(from netip.Addr, group netip.AddrPort) (io.WriteCloser, error)
	// Recordings is the folder of the recordings; "": nothing is recorded.
	Recordings string

	MaxCalls    int           // calls at once, those that ring included; 0: DefaultMaxCalls
	MaxRooms    int           // rooms in use at once; 0: DefaultMaxRooms
	MaxMembers  int           // members of a room whose settings do not say; 0: DefaultMaxMembers
	MaxTiles    int           // others whom a member sees at once; 0: DefaultMaxTiles
	MaxDuration time.Duration // after which a call is ended; 0: DefaultMaxDuration
	RingTime    time.Duration // how long whoever is invited rings; 0: DefaultRingTime

	lockout lockout.Lockout
	made    atomic.Uint64  // rooms opened so far
	wrong   atomic.Uint64  // wrong PINs
	work    sync.WaitGroup // what goes on beside the stripes: PINs, files, sockets that close
	hashing sync.Mutex     // held while a PIN is compared: guessers get one core, not all

	mu       sync.Mutex // guards what follows; taken before that of a room
	rooms    map[string]*room
	calls    int
	draining bool
	idle     chan struct{} // closed when the last call ends while draining
}

const (
	allowed    = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, SUBSCRIBE"
	retryAfter = "10"
	stopReason = `SIP;cause=503;text="Server stops"`
	timeReason = `SIP;cause=480;text="Time is over"`
	// securityReason is that of a call whose media cannot be protected, or not be brought to the peer.
	securityReason = `SIP;cause=488;text="Media cannot be secured"`
	absentReason   = `SIP;cause=408;text="No media"`
)

// Serves reports whether a request is for a room.
func (c *Conference) Serves(req *sip.Request) bool {
	_, ok := c.settings(req)
	return ok
}

// HandleEvent takes a request to a room, outside any dialog.
func (c *Conference) HandleEvent(ev *sip.Event) {
	if ev.Kind != sip.EventRequest {
		return
	}
	set, ok := c.settings(ev.Request)
	if !ok {
		refuse(ev, sip.StatusNotFound)
		return
	}
	switch ev.Request.Method {
	case sip.MethodInvite:
		c.invite(ev, set)
	case sip.MethodRefer:
		c.refer(ev, set)
	case sip.MethodOptions:
		res := ev.Request.Reply(sip.StatusOK)
		res.Set(sip.HeaderAllow, allowed)
		res.Set(sip.HeaderAccept, description.Type)
		res.Set(sip.HeaderAllowEvents, packageName)
		res.Set(sip.HeaderContact, contactOf(set.URI)) // RFC 4579 §5.1: OPTIONS shows that it is a focus
		_ = ev.Engine.Respond(ev.Tx, res)              // a transaction that has ended needs no answer: here and below
	default:
		res := ev.Request.Reply(sip.StatusMethodNotAllowed)
		res.Set(sip.HeaderAllow, allowed)
		_ = ev.Engine.RespondOnce(ev.Tx, res)
	}
}

func refuse(ev *sip.Event, status sip.Status) {
	res := ev.Request.Reply(status)
	if status == sip.StatusServiceUnavailable {
		res.Set(sip.HeaderRetryAfter, retryAfter)
	}
	_ = ev.Engine.RespondOnce(ev.Tx, res)
}

// settings returns the room that a request is for: one of the directory, or one that a factory has made and that lives as long as its members stay.
func (c *Conference) settings(req *sip.Request) (Settings, bool) {
	if strings.HasPrefix(req.URI.User, madePrefix) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, r := range c.rooms {
			if r.made && r.set.URI.User == req.URI.User {
				return r.set, true
			}
		}
	}
	set, ok := c.Rooms.Room(req)
	set.URI = set.URI.Clone() // it may be part of the request
	return set, ok
}

// live returns the conference in the room of that name, nil if nobody is there.
func (c *Conference) live(name string) *room {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rooms[name]
}

// nameOf is the name of a conference.
func nameOf(u sip.URI) string { return u.String() }

// contactOf is the Contact of a focus: RFC 4579 §4.1.
func contactOf(u sip.URI) string {
	return "<" + sip.URI{Scheme: "sip", User: u.User, Host: sip.AnyHost}.String() + ">;isfocus"
}

// caller is who sends a request. An entity that is not proven is what From says: it is shown, and gives no rights.
type caller struct {
	entity, display string
	proven          bool
	source          string // for what is counted of somebody who has not proved who it is
}

// name is what a caller cannot choose.
func (w caller) name() string {
	if w.proven {
		return w.entity
	}
	return w.source
}

// account is the account that the caller has proved to be; "" if it has not.
func (w caller) account() string {
	if !w.proven {
		return ""
	}
	return w.entity
}

// owns reports whether the caller is an owner of a room.
func (w caller) owns(set *Settings) bool { return w.proven && slices.Contains(set.Owners, w.entity) }

// identify says who sends a request: the account that proved to, otherwise whoever From names.
func (c *Conference) identify(ev *sip.Event) caller {
	var who sip.Address
	if c.Identity != nil {
		who = c.Identity.Identify(ev)
	}
	from, err := ev.Request.From()
	if err != nil {
		from = sip.Address{}
	}
	proven := c.Identity == nil || who.URI.Host != ""
	if who.URI.Host == "" {
		who = from
	}
	if who.Display == "" {
		who.Display = from.Display
	}
	u := sip.URI{Scheme: who.URI.Scheme, User: who.URI.User, Host: strings.ToLower(who.URI.Host)}
	return caller{strings.Clone(u.String()), strings.Clone(who.Name()), proven, ev.Flow.Remote.Addr().String()}
}

// Account names who sends a request, as the roster does, or by the address it came from if that is not proven: for [event.Notifier.Account].
func (c *Conference) Account(ev *sip.Event) string { return c.identify(ev).name() }

func (c *Conference) most(set *Settings) int {
	if set.MaxMembers > 0 {
		return set.MaxMembers
	}
	return or(c.MaxMembers, DefaultMaxMembers)
}

// Counts says what there is and was.
type Counts struct {
	Rooms     int    // in use
	Calls     int    // under way, those that ring or stand at a gate included
	Opened    uint64 // rooms that came into use so far
	WrongPINs uint64
}

// Counts returns the counts now. It may be called from anywhere.
func (c *Conference) Counts() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Counts{Rooms: len(c.rooms), Calls: c.calls, Opened: c.made.Load(), WrongPINs: c.wrong.Load()}
}

// Calls returns how many calls there are.
func (c *Conference) Calls() int { return c.Counts().Calls }

// Drain refuses new calls with 503 and waits until the running ones have ended. When ctx ends first it ends them, and returns the error of ctx without waiting for
// the peers to agree.
func (c *Conference) Drain(ctx context.Context) error {
	if idle := c.drain(); idle != nil {
		select {
		case <-idle:
		case <-ctx.Done():
			c.hangUp()
			return ctx.Err()
		}
	}
	c.work.Wait()
	return nil
}

// drain returns what is closed when the last call has ended; nil if there is none.
func (c *Conference) drain() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if c.calls == 0 {
		return nil
	}
	if c.idle == nil {
		c.idle = make(chan struct{})
	}
	return c.idle
}

func (c *Conference) hangUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.rooms {
		r.each(func(m *member) { m.bye(stopReason) })
	}
}

// or returns v, or the default if v is zero.
func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
