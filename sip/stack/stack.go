// The stack: its fields, its start and its end. RFC 3261 §5.

package stack

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/overload"
	"github.com/sipwerk/sipwerk/sip/transaction"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// Stack is one SIP element. The zero value works, and answers every request with 501; set the fields before the first call of a method.
type Stack struct {
	// Handler gets each new request, and the ACKs to 2xx. It must not block; [sip.Go] makes one of a handler that may.
	Handler sip.EventHandler
	// FlowLost, if set, gets an EventFlowLost for each stream connection that has ended, in stripe 0.
	FlowLost sip.EventHandler
	// Forked, if set, takes the 2xx to an INVITE of [Stack.Send] that come after its loop was left or has ended, with the event's Tx. It
	// owes each an ACK and a BYE. Without it the stack sends both.
	Forked sip.EventHandler

	Network  network.Network  // nil: the operating system's
	Resolver network.Resolver // nil: DNS with the system's servers
	TLS      *tls.Config      // for TLS and WSS, both sides
	// ClientTLS, if set, says what is shown and believed on connections that are opened to a host; see [transport.Layer].
	ClientTLS func(host string) *tls.Config
	Log       *slog.Logger   // nil: slog.Default
	Overload  *overload.Gate // before new requests; nil: one with the defaults
	// Neighbours tells the servers that may say what load they bear (RFC 7339); nil: none. It must not block.
	Neighbours func(netip.Addr) bool
	Timers     transaction.Timers
	Limits     Limits
	UserAgent  string                // for User-Agent and Server; "": neither is sent
	Random     io.Reader             // nil: crypto/rand
	Node       uint16                // number of this node of a cluster, below sip.Nodes
	Readers    int                   // sockets per UDP listener; 0: one per processor
	Origins    []string              // who may connect by WebSocket; see [transport.Layer]
	Barrier    func() error          // called before each batch of messages is sent; if it fails the batch is not
	Trace      func(transport.Trace) // sees every message; it must not block or keep the bytes

	start    sync.Once
	failed   error // of start
	layer    transport.Layer
	table    transaction.Table
	load     load
	counts   counts
	answers  [sip.Stripes]answers // each owned by its stripe
	draining atomic.Bool
	mu       sync.Mutex // guards addrs
	addrs    []netip.AddrPort
}

// Limits are the caps of a stack; zero fields mean the defaults documented there.
type Limits struct {
	Transport   transport.Limits
	Transaction transaction.Limits
}

// begin joins the parts at the first use.
func (s *Stack) begin() error {
	s.start.Do(func() {
		if s.Log == nil {
			s.Log = slog.Default()
		}
		l, t := &s.layer, &s.table
		l.Network, l.Resolver, l.TLS, l.Log, l.Limits = s.Network, s.Resolver, s.TLS, s.Log, s.Limits.Transport
		l.ClientTLS = s.ClientTLS
		l.Readers, l.Origins, l.Barrier, l.Trace = s.Readers, s.Origins, s.Barrier, s.Trace
		if s.Overload == nil {
			s.Overload = new(overload.Gate)
		}
		s.load.Gate, s.load.known = s.Overload, s.Neighbours
		l.Spare = t.Spare
		l.Handle, l.FlowLost, l.Feedback = s.dispatch, s.flowLost, s.Overload.AppendFeedback
		t.Load, t.Alias = &s.load, l.AsksAlias
		t.Wire, t.Failed, t.Engine, t.Log, t.Timers, t.Limits = l, l.Failed, s, s.Log, s.Timers, s.Limits.Transaction
		t.UserAgent, t.Random, t.Node = s.UserAgent, s.Random, s.Node
		if c, ok := s.Network.(network.Conductor); ok {
			t.Ticket = c.Ticket
		}
		t.Handler = sip.EventHandlerFunc(unserved)
		if s.Handler != nil {
			t.Handler = s.overhear(s.Handler)
		}
		s.failed = t.Open()
	})
	return s.failed
}

// unserved answers for a stack without Handler.
func unserved(ev *sip.Event) {
	if ev.Kind == sip.EventRequest {
		// An error means that the transaction is gone: nobody waits for the answer.
		_ = ev.Engine.RespondOnce(ev.Tx, ev.Request.Reply(sip.StatusNotImplemented))
	}
}

// Listen opens listeners, all or none; see [transport.Layer.Listen] for what a URL may say. Requests are handled from then on.
func (s *Stack) Listen(ctx context.Context, urls ...string) error {
	if err := s.begin(); err != nil {
		return err
	}
	for _, url := range urls {
		addr, err := s.layer.Listen(ctx, url)
		if err != nil {
			return errors.Join(err, s.Close())
		}
		s.mu.Lock()
		s.addrs = append(s.addrs, addr)
		s.mu.Unlock()
	}
	return nil
}

// Addrs returns the addresses listened on, with their real ports, in the order of the URLs given to Listen.
func (s *Stack) Addrs() []netip.AddrPort {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]netip.AddrPort(nil), s.addrs...)
}

// Transport is the transport layer, for what only it knows: Local, Advertised, CloseFlow, Stats.
func (s *Stack) Transport() *transport.Layer {
	// What went wrong at the start is told by Listen.
	_ = s.begin()
	return &s.layer
}

// Inside returns the flow that never leaves the process. What is sent over it comes back as a request of somebody inside, whatever its Request-URI, and its answers go the same way. It is
// reliable, and no message from the network has it.
func (s *Stack) Inside() sip.Flow { return transport.Inside() }

// grace is how long ListenAndServe waits for transactions to end.
const grace = 5 * time.Second

// ListenAndServe listens until ctx ends, then shuts down. It returns what kept it from listening, or [sip.ErrClosed].
func (s *Stack) ListenAndServe(ctx context.Context, urls ...string) error {
	if err := s.Listen(ctx, urls...); err != nil {
		return err
	}
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	// What was still open after the grace is not the caller's to repair.
	_ = s.Shutdown(end)
	return sip.ErrClosed
}

// ListenAndServe runs a stack with h as its handler until ctx ends.
func ListenAndServe(ctx context.Context, h sip.Handler, urls ...string) error {
	s := &Stack{Handler: sip.Go(h)}
	return s.ListenAndServe(ctx, urls...)
}

// Shutdown refuses new requests outside of dialogs with 503, waits until every transaction has its final response or ctx ends, and closes the
// stack. The error is that of ctx if it came first.
func (s *Stack) Shutdown(ctx context.Context) error {
	if err := s.begin(); err != nil {
		return err
	}
	s.draining.Store(true)
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	var err error
	for err == nil && s.table.Audit().Open > 0 {
		select {
		case <-look.C:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	return errors.Join(err, s.Close())
}

// Close ends all at once: the owners of open transactions get EventTimeout with [sip.ErrClosed], listeners and connections are closed, and
// the stack's goroutines have ended when it returns. Do not call it from a Handler.
func (s *Stack) Close() error {
	if err := s.begin(); err != nil {
		return err
	}
	s.draining.Store(true)
	s.table.Close()
	return s.layer.Close()
}
