// Package transport moves SIP messages: listeners, flows, connection reuse, and where to send (RFC 3263).
//
// A [Layer] reads datagrams in batches and streams one goroutine each, takes messages apart from keep-alives and junk, and hands each
// message to its owner on the goroutine that read it. What is to be sent is collected in an [Outbox] and flushed once a batch. It keeps no
// transaction: it does not know whether a response fits a request.
//
// RFC 3261 §18, RFC 3263, RFC 3581, RFC 5626 §3.5, RFC 5922, RFC 5923, RFC 7118. Open: multicast (RFC 3261 §18.1.1 maddr, ttl) and SCTP.
package transport

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// Layer is the transport layer of one stack. Fill the exported fields, then Listen.
type Layer struct {
	Network  network.Network  // nil: network.OS
	Resolver network.Resolver // nil: a DNS with the system's servers
	TLS      *tls.Config      // server side and, with its RootCAs and Certificates, client side; certificates are exchanged through GetCertificate
	// ClientTLS, if set, says with which configuration a connection to a host is opened, where that is not TLS: which certificate is shown, and who is believed. Nil from it means TLS.
	ClientTLS func(host string) *tls.Config
	Log       *slog.Logger // nil: slog.Default
	Limits    Limits
	Readers   int        // UDP sockets per listener, each with a reader of its own; 0: one per processor, each blocking a thread. A phone sets 1 and needs no thread
	Random    *rand.Rand // chooses among weighted SRV records; nil: the runtime's randomness
	// Origins are patterns for the Origin of a browser that connects by WebSocket: "https://phone.example.org", "*.example.org". Empty: any.
	Origins []string

	// Handle gets every message, on the reading goroutine; the received and rport parameters of the top Via are already set. It must not block.
	Handle func(*Packet)
	// Spare, if set, is offered each message that has waited and is no response, before it is read. It is not handed over if Spare reports that it is done with.
	Spare func(*Packet) bool
	// FlowLost is told of every stream flow that has ended.
	FlowLost func(sip.Flow)
	// Barrier, if set, is called before each flush of an outbox that holds something: what was decided must be on its way to the disk before it is said. If it fails
	// nothing is.
	Barrier func() error
	// Feedback, if set, appends what answers a bare "oc" parameter in the top Via of a request. RFC 7339 §5.3.
	Feedback func(b []byte, now time.Time) []byte
	// Trace, if set, sees every message that came or went, after decryption. It must not block or keep the bytes.
	Trace func(Trace)
	// Stats counts what happens.
	Stats Stats

	start     sync.Once
	ctx       context.Context
	stop      context.CancelFunc
	running   sync.WaitGroup
	listening sync.Mutex // serialises changes of listeners
	listeners atomic.Pointer[[]*listener]
	flows     flowTable
	routes    routeCache
	failures  failureList
	pools     pools
	noise     noiseTable
	inside    inside
	blocking  atomic.Int32 // streams whose reads block a thread
	ahead     atomic.Int64 // bytes of the buffers in which streams were read ahead
}

// pools hold what is used again.
type pools struct {
	packets  sync.Pool // of *Packet
	outboxes sync.Pool // of *Outbox
	buffers  sync.Pool // of *[]byte, for streams that are being read
}

// Limits are the caps of the transports; zero fields mean the documented defaults.
type Limits struct {
	Message     int           // longest message on a stream, bytes; 256 KiB
	Header      int           // longest header part, bytes; 64 KiB
	Queue       int           // bytes that wait for a slow peer before its connection is closed; 1 MiB
	Ahead       int           // bytes that are read ahead of all stream connections whose readers are behind; 64 MiB
	Noise       int           // keep-alives and malformed messages of one IPv4 address or IPv6 /64 that are answered in a second, over UDP; 1,000
	Connections int           // open stream connections; 100,000
	PerSource   int           // open stream connections of one IPv4 address or IPv6 /64; 1,000
	Idle        time.Duration // without a byte from the peer; 15 min, above the 840 s of RFC 5626 §4.4.1
	Partial     time.Duration // from the first to the last byte of a message on a stream; 30 s
	Handshake   time.Duration // for TLS and the WebSocket upgrade together; 10 s
	Connect     time.Duration // for opening a connection, before the handshake; 10 s
	Write       time.Duration // for one write to a peer that does not read; 30 s
	Ping        time.Duration // between WebSocket pings (RFC 7118 §6); 30 s
}

func (m Limits) withDefaults() Limits {
	set(&m.Message, 256<<10)
	set(&m.Header, 64<<10)
	set(&m.Queue, 1<<20)
	set(&m.Ahead, 64<<20)
	set(&m.Noise, 1000)
	set(&m.Connections, 100_000)
	set(&m.PerSource, 1000)
	set(&m.Idle, 15*time.Minute)
	set(&m.Partial, 30*time.Second)
	set(&m.Handshake, 10*time.Second)
	set(&m.Connect, 10*time.Second)
	set(&m.Write, 30*time.Second)
	set(&m.Ping, 30*time.Second)
	return m
}

func set[T int | time.Duration](field *T, fallback T) {
	if *field <= 0 {
		*field = fallback
	}
}

// begin prepares the layer at its first use.
func (l *Layer) begin() {
	l.start.Do(func() {
		l.Limits = l.Limits.withDefaults()
		if l.Network == nil {
			l.Network = network.OS{}
		}
		if l.Resolver == nil {
			l.Resolver = new(DNS)
		}
		if l.Log == nil {
			l.Log = slog.Default()
		}
		l.ctx, l.stop = context.WithCancel(context.Background())
		l.listeners.Store(new([]*listener))
		l.flows.begin(l.Limits)
		l.pools.buffers.New = newStreamBuffer
	})
}

// Send queues message bytes for a flow: datagrams into out (nil: sent at once), streams to the connection's bounded queue when out is
// flushed. b is copied or sent before Send returns, or lies in the tail of out. It never blocks; sip.ErrFlowLost, sip.ErrOverload.
func (l *Layer) Send(out *Outbox, f sip.Flow, b []byte) error {
	l.begin()
	if out != nil {
		return l.collect(out, f, b)
	}
	out = l.outbox(nil, nil)
	err := l.collect(out, f, b)
	l.Flush(out)
	l.pools.outboxes.Put(out)
	return err
}

// Flow returns the flow to a target: for UDP always, for streams an open connection that may be reused (RFC 5923), otherwise ok is false. It never blocks.
func (l *Layer) Flow(t Target) (f sip.Flow, ok bool) {
	l.begin()
	if t.Transport == sip.UDP {
		return l.datagramFlow(t.Addr)
	}
	if s := l.flows.to(t.key()); s != nil {
		return s.flow, true
	}
	return sip.Flow{}, false
}

// Connect opens a stream connection to a target, or waits for one being opened. It blocks. A failure is remembered: [Layer.Resolve] lists the target last for a while.
func (l *Layer) Connect(ctx context.Context, t Target) (sip.Flow, error) {
	l.begin()
	if f, ok := l.Flow(t); ok {
		return f, nil
	}
	if t.Transport == sip.UDP || l.ctx.Err() != nil {
		return sip.Flow{}, sip.ErrNoRoute
	}
	d, first := l.flows.dial(t.key())
	if first {
		l.inTurn(func() { l.dial(d, t) })
	}
	turn := network.Ticket(l.Network)
	select {
	case <-d.done:
		turn() // others have waited for the same
		return d.flow, d.err
	case <-ctx.Done():
		return sip.Flow{}, ctx.Err()
	}
}

// inTurn runs f on a goroutine of its own, when it is its turn.
func (l *Layer) inTurn(f func()) {
	turn := network.Ticket(l.Network)
	l.running.Go(func() {
		turn()
		f()
	})
}

// CloseFlow ends a stream flow, if it is still open. What was queued before is lost.
func (l *Layer) CloseFlow(f sip.Flow) {
	l.begin()
	if s := l.flows.get(f.ID); s != nil {
		s.close()
	}
}

// Close ends all listeners and flows and waits for their goroutines.
func (l *Layer) Close() error {
	l.begin()
	l.listening.Lock()
	l.stop()
	for _, ln := range *l.listeners.Load() {
		ln.close()
	}
	l.listeners.Store(new([]*listener))
	l.listening.Unlock()
	l.flows.closeAll()
	l.running.Wait()
	return nil
}

// addrPort reads the address of a TCP connection.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
