// The engine: 64 stripes of transactions over one transport layer. RFC 3261 §17.

package transaction

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"io"
	"log/slog"
	mrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// Wire is what the engine needs of the transport layer. [transport.Layer] is one.
type Wire interface {
	Resolve(ctx context.Context, uri sip.URI) ([]transport.Target, error)
	Flow(t transport.Target) (sip.Flow, bool)
	Connect(ctx context.Context, t transport.Target) (sip.Flow, error)
	Send(out *transport.Outbox, f sip.Flow, b []byte) error
	Flush(out *transport.Outbox)
	Advertised(f sip.Flow) (host string, port uint16)
}

// Limits are the caps of a table; zero fields mean the documented defaults.
type Limits struct {
	Rows  int // transactions in one stripe; 32,768. A new request beyond it gets 503; client transactions may take half as many again
	Queue int // packets that wait for one stripe; 4,096. Beyond it a datagram is dropped, and a request that came by a connection gets 503
}

func (l Limits) withDefaults() Limits {
	if l.Rows <= 0 {
		l.Rows = 32768
	}
	if l.Queue <= 0 {
		l.Queue = 4096
	}
	l.Rows = min(l.Rows, maxSlots/2)
	return l
}

// Table is the transaction layer: a [sip.Sender] and, but for Accept, a [sip.Engine]. Fill the exported fields, then call Open.
type Table struct {
	Wire      Wire
	Failed    func(transport.Target) // told of each target that gave no answer, or 503; may be nil
	Handler   sip.EventHandler       // gets each new request, and ACKs that belong to no transaction
	Engine    sip.Engine             // what events name as their engine
	Alias     func(sip.Flow) bool    // whether our Via over a flow asks for requests back on it (RFC 5923); nil: never
	Load      Load                   // asked about overload; nil: everything passes
	Log       *slog.Logger           // nil: slog.Default
	Timers    Timers
	Limits    Limits
	UserAgent string               // for User-Agent and Server of messages that have none; "": neither is added
	Random    io.Reader            // nil: crypto/rand
	Ticket    func() (turn func()) // asked for each goroutine that the table starts, which then waits for its turn (network.Conductor); nil: none waits
	Node      uint16               // below sip.Nodes; part of every branch, tag and Call-ID

	stripes [sip.Stripes]stripe
	seed    maphash.Seed
	// branchStart is what every branch of ours starts with.
	branchStart string
	zones       zones
	alarm       alarm
	outbox      sync.Pool // of *transport.Outbox
	start       time.Time
	ctx         context.Context // ends when the table closes
	stop        context.CancelFunc
	running     sync.WaitGroup // lanes and look-ups on goroutines of their own
	ending      sync.WaitGroup // stripes whose transactions are being ended
	closed      atomic.Bool
	ids         idSource
}

// idSource makes random IDs for any goroutine.
type idSource struct {
	mu     sync.Mutex
	random *mrand.ChaCha8
}

// Open prepares the table. The error is that of the source of randomness, or names a field that is out of range.
func (t *Table) Open() error {
	if t.Node >= sip.Nodes {
		return fmt.Errorf("transaction: Node: %d is not below %d", t.Node, sip.Nodes)
	}
	if t.Log == nil {
		t.Log = slog.Default()
	}
	if t.Random == nil {
		t.Random = rand.Reader
	}
	t.Timers, t.Limits = t.Timers.withDefaults(), t.Limits.withDefaults()
	t.seed, t.start = maphash.MakeSeed(), time.Now()
	t.alarm.at.Store(int64(never))
	t.branchStart = string(appendBranchStart(nil, t.Node))
	t.ctx, t.stop = context.WithCancel(context.Background())
	source, err := t.newRandom()
	if err != nil {
		return err
	}
	t.ids.random = source
	for i := range t.stripes {
		if source, err = t.newRandom(); err != nil {
			return err
		}
		t.alarm.due[i].Store(int64(never))
		t.stripes[i].open(t, sip.Stripe(i), source)
	}
	return nil
}

func (t *Table) newRandom() (*mrand.ChaCha8, error) {
	var seed [32]byte
	if _, err := io.ReadFull(t.Random, seed[:]); err != nil {
		return nil, err
	}
	return mrand.NewChaCha8(seed), nil
}

// clock is the time since Open.
func (t *Table) clock() time.Duration { return time.Since(t.start) }

func (t *Table) getOutbox() *transport.Outbox {
	out, _ := t.outbox.Get().(*transport.Outbox)
	if out == nil {
		out = new(transport.Outbox)
	}
	return out
}

// putOutbox flushes an outbox and gives it back.
func (t *Table) putOutbox(out *transport.Outbox) {
	t.Wire.Flush(out)
	t.outbox.Put(out)
}

// Receive takes a message that [sip.Request.Validate] or its like for responses found in order, and releases it when it is through with it.
func (t *Table) Receive(p *transport.Packet) {
	if p.Request != nil {
		t.stripes[sip.StripeOf(p.Request.CallID())].enter(job{packet: p}, p.Out)
		return
	}
	if tx, nonce, ok := parseBranch(p.Via.Branch(), t.Node); ok {
		s, _, _ := splitID(tx)
		t.stripes[s].enter(job{packet: p, tx: tx, nonce: nonce}, p.Out)
		return
	}
	t.stripes[0].counts.unmatched.Add(1)
	p.Release()
}

// Refuse answers a request that must not become a transaction, an ACK excepted, and releases it. Nothing is kept.
func (t *Table) Refuse(p *transport.Packet, status sip.Status) {
	if p.Request.Method == sip.MethodAck {
		p.Release()
		return
	}
	t.stripes[sip.StripeOf(p.Request.CallID())].enter(job{packet: p, refuse: status}, p.Out)
}

// FlowLost tells the client transactions that wait on f. Give it to the transport layer.
func (t *Table) FlowLost(f sip.Flow) {
	for i := range t.stripes {
		if s := &t.stripes[i]; s.counts.flows.Load() > 0 {
			s.enter(job{run: func() { s.flowLost(f) }}, nil)
		}
	}
}

// Close ends every transaction, telling the owners of open ones with [sip.ErrClosed], and waits for the table's goroutines. It must not be
// called from within a stripe.
func (t *Table) Close() {
	if t.closed.Swap(true) {
		return
	}
	t.stop()
	t.disarm()
	for i := range t.stripes {
		t.ending.Add(1)
		t.stripes[i].enter(job{close: true}, nil)
	}
	t.ending.Wait()
	t.running.Wait()
}

// elsewhere runs f on a goroutine of its own.
func (t *Table) elsewhere(f func()) {
	if t.Ticket == nil {
		t.running.Go(f)
		return
	}
	turn := t.Ticket()
	t.running.Go(func() {
		turn()
		f()
	})
}

// Done is closed when the table closes.
func (t *Table) Done() <-chan struct{} { return t.ctx.Done() }

// Do implements [sip.Engine].
func (t *Table) Do(s sip.Stripe, f func()) { t.stripes[s%sip.Stripes].spawn(job{run: f}) }

// After implements [sip.Engine]. It must be called from within the stripe.
func (t *Table) After(s sip.Stripe, d time.Duration, f func()) sip.Timer {
	return t.stripes[s%sip.Stripes].after(d, f)
}

// NewID implements [sip.Engine]. It may be called from anywhere.
func (t *Table) NewID(s sip.Stripe) string {
	var random [13]byte
	t.ids.mu.Lock()
	// A ChaCha8 never fails.
	_, _ = t.ids.random.Read(random[:])
	t.ids.mu.Unlock()
	var room [32]byte
	return string(sip.AppendID(room[:0], t.Node, s, random))
}
