// Package transport moves SIP messages: listeners, flows, connection reuse, and where to send (RFC 3263).
//
// RFC 3261 §18, RFC 3581, RFC 5626 §3.5 and §5, RFC 5923, RFC 7118.
package transport

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/netip"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// Packet is one message that arrived, or bytes that should have been one. It and its buffer are pooled: who gets it calls Release once.
type Packet struct {
	Flow     sip.Flow
	Request  *sip.Request // one of the two is set
	Response *sip.Response
	Err      error   // Request could not be parsed: a *sip.ParseError; it holds what could be read (malformed responses never get here)
	Out      *Outbox // of the reader that delivers; valid until Handle returns
}

// Release gives the packet and all that was parsed from it back.
func (p *Packet) Release() {}

// Outbox collects what is to be sent and is flushed once a batch. Each reader has one. Not for use by two goroutines at once.
type Outbox struct{}

// Layer is the transport layer of one stack. Fill the exported fields, then Listen.
type Layer struct {
	Network  network.Network
	Resolver network.Resolver
	TLS      *tls.Config // server side and, with its RootCAs, client side
	Log      *slog.Logger
	Limits   Limits
	// Advertise maps a listener's URL host part to the address to put into Via and Contact, if it differs from the socket's.
	// Handle gets every message, on the reading goroutine; the received and rport parameters of the top Via are already set. It must not block.
	Handle func(*Packet)
	// FlowLost is told of every stream flow that has ended.
	FlowLost func(sip.Flow)
	// Barrier, if set, is called before each flush of an outbox that holds something: what was decided must be on its way to the disk before it is said.
	Barrier func()
}

// Limits are the caps of the transports; zero fields mean the documented defaults.
type Limits struct {
	Message     int // longest message on a stream, bytes; 256 KiB
	Header      int // longest header part, bytes; 64 KiB
	Connections int // open stream connections; 100,000
	PerSource   int // open stream connections of one address; 1,000
}

// Target is one place to try: the outcome of RFC 3263.
type Target struct {
	Transport sip.Transport
	Addr      netip.AddrPort
	Host      string // the name to check a certificate against (RFC 5922), and SNI
}

// Listen opens the listener named by a URL such as "udp://:5060", "tls://192.0.2.1:5061", "ws://[::1]:0"; "?advertise=host:port" names what peers see.
// It returns the address bound.
func (l *Layer) Listen(ctx context.Context, url string) (netip.AddrPort, error) {
	return netip.AddrPort{}, nil
}

// Resolve finds the targets of uri in the order to try. It may block on DNS; a numeric host does not. RFC 3263 §4.
func (l *Layer) Resolve(ctx context.Context, uri sip.URI) ([]Target, error) { return nil, nil }

// Flow returns the flow to a target: for UDP always, for streams an open connection that may be reused (RFC 5923), otherwise ok is false. It never blocks.
func (l *Layer) Flow(t Target) (f sip.Flow, ok bool) { return sip.Flow{}, false }

// Connect opens a stream connection to a target, or waits for one being opened. It blocks.
func (l *Layer) Connect(ctx context.Context, t Target) (sip.Flow, error) { return sip.Flow{}, nil }

// Send queues message bytes for a flow: datagrams into out (nil: sent at once), streams to the connection's bounded queue. b is copied or sent before Send returns.
// It never blocks; sip.ErrFlowLost, sip.ErrOverload.
func (l *Layer) Send(out *Outbox, f sip.Flow, b []byte) error { return nil }

// Flush calls Barrier and sends what out holds.
func (l *Layer) Flush(out *Outbox) {}

// Advertised returns host and port to write into Via, Contact and Record-Route of a message sent over f.
func (l *Layer) Advertised(f sip.Flow) (host string, port uint16) { return "", 0 }

// Local reports whether host and port (0: default of the transport) name one of the listeners: a Route or Request-URI meant for ourselves.
func (l *Layer) Local(host string, port uint16) bool { return false }

// Close ends all listeners and flows and waits for their goroutines.
func (l *Layer) Close() error { return nil }
