// The telephone: its fields, its start and its end.

package phone

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/stack"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// ErrEnded is what the methods of a call return when it is over.
var ErrEnded = errors.New("phone: call has ended")

// ErrUnreachable is the outcome of a call that could not be sent to anybody: no such host, no route, no connection. It comes with status 503.
var ErrUnreachable = errors.New("phone: nobody was reached")

// ErrServed is returned by the second [Phone.Serve] of one phone.
var ErrServed = errors.New("phone: serves already")

// Phone is a telephone with one number. The zero value dials anonymously over UDP and TCP. Set the fields before the first call of a method and leave them
// alone afterwards; the methods may be called from anywhere. Whoever used it calls [Phone.Close].
type Phone struct {
	// URI is the address of record, "sip:alice@example.org"; "" is anonymous.
	URI string
	// Name is shown to who is called.
	Name string
	// User and Password answer challenges of Realm. "": the user of URI; the host of URI. digest.AnyRealm: whatever the server names.
	User, Password, Realm string
	// Outbound is the URI of the server that all requests go to first: "sip:192.0.2.1:5061;transport=tls". "": whoever is called is asked directly, and
	// the registrar is the host of URI. The transports are udp, tcp, tls, ws and wss. Several, separated by commas, are ways to the same registrar: the phone
	// registers by each of them, up to four, and calls by the first that stands (RFC 5626).
	Outbound string
	// Instance names the device (RFC 5626 §4.1): "urn:uuid:…". "": the one that stands in the file InstanceFile, which is made at the first start; without
	// a file, another one at each start.
	Instance, InstanceFile string
	// Registers makes [Phone.Serve] register at the host of URI. A phone with a Password does so anyway.
	Registers bool
	// Ready, if set, is called by [Phone.Serve] when the phone takes calls and, if it does that, is registered.
	Ready func()
	// Expires is how long a registration is asked to last; 0: 10 minutes.
	Expires time.Duration
	// SessionExpires is how long a call may last without the two sides asserting that they are there (RFC 4028); 0: half an hour, negative: without limit.
	SessionExpires time.Duration
	// Listen are the URLs to listen on, "udp://:5060"; nil: any port of UDP and TCP. See [transport.Layer.Listen].
	Listen []string

	// Stack, if set, is one that the owner of the phone runs, with Calls as its handler or behind it; the owner hands INVITEs for the phone to
	// [Phone.HandleEvent], and closes the phone before the stack. Listen, Resolver, TLS and Trace are the owner's business then.
	Stack *stack.Stack
	Calls *dialog.Table // of Stack

	Network  network.Network       // nil: the operating system's
	Resolver network.Resolver      // nil: DNS with the system's servers
	TLS      *tls.Config           // for tls and wss
	Trace    func(transport.Trace) // sees every message; it must not block or keep the bytes

	// Formats are the codecs in the order of preference, each with one channel; calls are heard and said at the rate of the first. nil: PCMA, PCMU and G722.
	Formats []codec.Format
	// Media is how the sound of calls that the phone makes goes over the wire: plain RTP, or protected by SRTP. Who calls the phone decides that by what it offers.
	Media session.Kind
	// STUN are servers that tell a call whose way ICE finds how the phone is seen from outside; up to four are asked. Without any, peers learn it from the checks of the phone, as far as these reach them.
	STUN []netip.AddrPort
	// Site says where sound is sent and received; nil: any port of the address that faces the peer.
	Site *session.Site
	// Limit is how many calls there may be at once; 0 means 1,000. Who calls beyond it hears busy.
	Limit int
	Log   *slog.Logger // nil: slog.Default

	start   sync.Once
	failed  error // of start
	line    line
	book    book
	running sync.WaitGroup // handlers of calls, and what closes behind them
}

// line is what the phone works with; it is made at the start and not changed.
type line struct {
	identity identity
	stack    *stack.Stack
	table    *dialog.Table
	own      bool // stack and table are the phone's own
	site     *session.Site
	relay    *relay.Relay    // of site, if that is the phone's own
	ways     []*registration // one for each Outbound, or one
}

// book is who is on the phone.
type book struct {
	mu      sync.Mutex // guards what follows
	calls   map[*Call]struct{}
	answer  func(*Call) // takes a call that comes in
	closing bool
	empty   chan struct{} // closed when closing and calls is empty
}

// defaultLimit is the Limit of a phone that does not say.
const defaultLimit = 1000

// identity is who the phone is.
type identity struct {
	record   sip.URI   // the address of record, without port and parameters
	domain   sip.URI   // where the record lives: requests that go nowhere else go there
	outbound []sip.URI // none: whoever is meant is asked directly
	instance string    // names the device (RFC 5626 §4.1)
}

// open starts the phone at its first use.
func (p *Phone) open(ctx context.Context) error {
	p.start.Do(func() { p.failed = p.begin(ctx) })
	if p.failed != nil {
		return p.failed
	}
	p.book.mu.Lock()
	defer p.book.mu.Unlock()
	if p.book.closing {
		return sip.ErrClosed
	}
	return nil
}

func (p *Phone) begin(ctx context.Context) error {
	l := &p.line
	if err := l.identity.read(p); err != nil {
		return err
	}
	if p.Log == nil {
		p.Log = slog.Default()
	}
	p.book.calls, p.book.empty = make(map[*Call]struct{}), make(chan struct{})
	l.ways = newRegistrations(p)
	if l.site = p.Site; l.site == nil {
		l.relay = &relay.Relay{Network: p.network()}
		l.site = &session.Site{Relay: l.relay, FullICE: true}
	}
	l.stack, l.table = p.Stack, p.Calls
	switch {
	case l.stack == nil:
		return p.listen(ctx)
	case l.table == nil:
		return errors.New("phone: Calls is missing: give the table of dialogs of Stack")
	}
	return nil
}

func (p *Phone) network() network.Network {
	if p.Network != nil {
		return p.Network
	}
	return network.OS{}
}

// listen makes a stack of the phone's own.
func (p *Phone) listen(ctx context.Context) error {
	l := &p.line
	l.own, l.table = true, &dialog.Table{Next: p, Extensions: []string{"replaces", description.TricklePackage}, Packages: []string{description.TricklePackage}, SessionExpires: p.SessionExpires}
	lost := sip.EventHandlerFunc(func(ev *sip.Event) {
		l.table.HandleEvent(ev)
		p.HandleEvent(ev)
	})
	l.stack = &stack.Stack{Handler: l.table, FlowLost: lost, Network: p.network(), Resolver: p.Resolver, TLS: p.TLS, Log: p.Log,
		Trace: p.Trace, Readers: 1, UserAgent: "Sipwerk"}
	urls := p.Listen
	if urls == nil {
		urls = []string{"udp://:0", "tcp://:0"}
	}
	if err := l.stack.Listen(ctx, urls...); err != nil {
		return fmt.Errorf("phone: listen: %w", err)
	}
	return nil
}

// Addrs returns the addresses the phone listens on, with their real ports, in the order of Listen.
func (p *Phone) Addrs(ctx context.Context) ([]netip.AddrPort, error) {
	if err := p.open(ctx); err != nil {
		return nil, err
	}
	return p.line.stack.Addrs(), nil
}

// read takes the URIs of the phone.
func (id *identity) read(p *Phone) error {
	uri := p.URI
	if uri == "" {
		uri = "sip:anonymous@anonymous.invalid" // RFC 3323 §4.1.1.3
	}
	u, err := parse("URI", uri)
	if err != nil {
		return err
	}
	// RFC 3261 §19.1.1: the address of record in From and To has neither port nor transport.
	id.record = sip.URI{Scheme: u.Scheme, User: u.User, Host: u.Host}
	id.domain = sip.URI{Scheme: u.Scheme, Host: u.Host, Port: u.Port, Params: u.Params}
	for s := range strings.SplitSeq(p.Outbound, ",") {
		if s = strings.TrimSpace(s); s == "" {
			continue
		}
		out, err := parse("Outbound", s)
		if err != nil {
			return err
		}
		out.User, out.Params = "", out.Params.With("lr", "")
		id.outbound = append(id.outbound, out)
	}
	if len(id.outbound) > maxWays {
		return fmt.Errorf("phone: Outbound: more than %d servers", maxWays)
	}
	id.instance, err = instance(p.Instance, p.InstanceFile)
	return err
}

// parse reads a SIP URI; what names the field in an error.
func parse(what, s string) (sip.URI, error) {
	u, err := sip.ParseURI(s)
	if err != nil {
		return u, fmt.Errorf("phone: %s %q: %w", what, s, err)
	}
	if !u.IsSIP() {
		return u, fmt.Errorf("phone: %s %q: %w", what, s, sip.StatusUnsupportedURIScheme)
	}
	return u, nil
}

// credentials answers challenges where the phone is at home, by way of a server, and nowhere else.
func (p *Phone) credentials(server sip.URI) *digest.Client {
	if p.Password == "" {
		return nil
	}
	id := &p.line.identity
	c := &digest.Client{User: p.User, Password: p.Password, Host: id.domain.Host, Realm: p.Realm}
	if c.User == "" {
		c.User = id.record.UserName()
	}
	if c.Realm == "" {
		c.Realm = id.domain.Host
	}
	if server.Host != "" {
		c.Host = server.Host
	}
	return c
}

// route sends a request by way of an outbound server, if there is one.
func route(req *sip.Request, out sip.URI) {
	if out.Host != "" {
		req.Set(sip.HeaderRoute, "<"+out.String()+">")
	}
}

// bare is the Contact that is registered; the stack puts in the address.
func (p *Phone) bare() sip.Address {
	record := p.line.identity.record
	return sip.Address{URI: sip.URI{Scheme: record.Scheme, User: record.User, Host: sip.AnyHost}}
}

// contact is where the phone is reached in a call: by its GRUU if the registrar has given it one (RFC 5627 §4.4). A flow that is registered as one says
// so (RFC 5626 §4.3).
func (p *Phone) contact() sip.Address {
	w := p.way()
	w.mu.Lock()
	defer w.mu.Unlock()
	c := p.bare()
	switch {
	case w.gruu.Host != "":
		c.URI = w.gruu
	case w.outbound:
		c.URI.Params = c.URI.Params.With("ob", "")
	}
	return c
}

// enter counts a call in; it reports false if there is no room for it.
func (p *Phone) enter(c *Call) bool {
	limit := p.Limit
	if limit <= 0 {
		limit = defaultLimit
	}
	b := &p.book
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing || len(b.calls) >= limit {
		return false
	}
	b.calls[c] = struct{}{}
	p.running.Add(1) // for what closes behind the call
	return true
}

// leave counts a call out.
func (p *Phone) leave(c *Call) {
	b := &p.book
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.calls, c)
	if b.closing && len(b.calls) == 0 {
		close(b.empty)
	}
}

// grace is how long Close waits for peers to confirm that a call or the registration is over.
const grace = 5 * time.Second

// Close hangs up all calls, takes the registration back, and ends the phone: its goroutines have ended when it returns. A peer that does not answer
// holds it up for 5 s. A Stack that was given goes on. It must not be called from the function given to Serve.
func (p *Phone) Close() error {
	calls, first := p.shutter()
	if !first {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for _, c := range calls {
		c.order(c.bye)
	}
	select {
	case <-p.book.empty:
	case <-ctx.Done():
		for _, c := range calls {
			c.end(ErrEnded)
		}
	}
	for _, w := range p.line.ways {
		w.close(ctx)
	}
	p.running.Wait()
	return p.shut(ctx)
}

// shutter lets no more calls in and returns those that are left; first is false if there is nothing to close.
func (p *Phone) shutter() (calls []*Call, first bool) {
	p.start.Do(func() { p.failed = sip.ErrClosed })
	b := &p.book
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closing || p.failed != nil {
		return nil, false
	}
	b.closing = true
	for c := range b.calls {
		calls = append(calls, c)
	}
	if len(calls) == 0 {
		close(b.empty)
	}
	return calls, true
}

// shut closes what is the phone's own.
func (p *Phone) shut(ctx context.Context) error {
	var err error
	if p.line.own {
		// A transaction that its peer has left alone is not the caller's to repair.
		if err = p.line.stack.Shutdown(ctx); errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
	}
	if p.line.relay != nil {
		err = errors.Join(err, p.line.relay.Close())
	}
	return err
}
