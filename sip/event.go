// The fast door: events, and the engine that makes them and takes orders. RFC 3261 §17, §18 as seen from above.

package sip

import (
	"net/netip"
	"time"
)

// EventHandler is the door that must never block: it is called on the goroutine that read the socket, and the stripe of the event
// stands still until it returns. What must wait goes to a goroutine of its own and comes back through [Engine.Do].
//
// The event, its Request and Response, and every string taken from them are valid until HandleEvent returns. Clone keeps a message.
type EventHandler interface {
	HandleEvent(ev *Event)
}

// EventHandlerFunc makes a function an EventHandler.
type EventHandlerFunc func(ev *Event)

// HandleEvent calls f.
func (f EventHandlerFunc) HandleEvent(ev *Event) { f(ev) }

// EventKind says what happened.
type EventKind uint8

// The kinds of events.
const (
	// EventRequest: a new request. Tx is its server transaction; Respond or RespondOnce answers it, now or later. Retransmissions never come here.
	EventRequest EventKind = iota + 1
	// EventAck: an ACK to a 2xx (or one that matches nothing). There is no transaction and no reply. ACKs to other finals are absorbed below.
	EventAck
	// EventCancel: the INVITE server transaction Tx was cancelled. The engine has answered the CANCEL; Request is the CANCEL. The
	// INVITE is still to be answered, with 487.
	EventCancel
	// EventResponse: a response to the client transaction Tx. For an INVITE each 2xx comes here, retransmissions included (RFC 6026 §7.2);
	// 100 comes too; other finals once, already ACKed.
	EventResponse
	// EventTimeout: Tx ended without what it waited for: no final response (client: treat as 408), or no ACK to a non-2xx (server), or the stack stops
	// (ErrClosed). The owner of an INVITE gets it too when it has not said a word for 4 minutes, not even a 1xx: the client has been sent a 408. Err is set.
	EventTimeout
	// EventFailure: the client transaction Tx could not be sent or its flow broke; all targets were tried (treat as 503). Err is set.
	EventFailure
	// EventFlowLost: Flow is gone (only handlers given to [Stack.FlowLost] see it). Tx is 0.
	EventFlowLost
)

// Event is one thing that happened to a transaction or a flow.
type Event struct {
	Kind     EventKind
	Stripe   Stripe
	Tx       TransactionID
	Request  *Request  // EventRequest, EventAck, EventCancel
	Response *Response // EventResponse
	Flow     Flow      // where the message came by; for a failure where it should have gone
	Err      error     // EventTimeout, EventFailure
	Engine   Engine    // the engine that delivers
	User     string    // who proved to have sent Request (digest, in this domain); "" for nobody. Valid as long as Request
	Trusted  bool      // Request came from a source that is not challenged
}

// TransactionID names a transaction of one engine: plain data, never reused while anyone may hold it. 0 is none. Orders to a transaction that has
// ended give ErrNoTransaction and change nothing.
type TransactionID uint64

// Stripe is a lane of the engine: events of one stripe run one at a time, in order. Everything about one Call-ID shares a stripe, and a
// Call-ID, tag or branch made by [Engine.NewID] carries the stripe it was made for, so both legs of a B2BUA call share one.
type Stripe uint16

// Stripes is how many stripes an engine has.
const Stripes = 64

// Sender takes the orders of event handlers. Every method must be called from within the stripe of its transaction (in HandleEvent, or in a function
// given to [Engine.Do] or [Engine.After]); none blocks. Messages are copied as far as needed before the method returns.
type Sender interface {
	// Start begins a client transaction for req in stripe s and returns its name: it adds a Via and sends req to the destination; h gets the events.
	// An error means that nothing was started.
	Start(s Stripe, req *Request, to Destination, h EventHandler) (TransactionID, error)
	// Respond answers the request of server transaction tx. A To without tag gets the transaction's tag; Contact and Server are added where they are missing. A response
	// that came for a branch of this engine is being forwarded: its top Via is taken off, and nothing else is touched (RFC 3261 §16.7). It may be the one of
	// the event, and forwarding it allocates nothing.
	Respond(tx TransactionID, res *Response) error
	// RespondOnce answers and forgets: nothing is kept or retransmitted (RFC 3261 §8.2.7). For every answer to a source that has not authenticated,
	// and for answers that a copy of the request would get again exactly alike.
	RespondOnce(tx TransactionID, res *Response) error
	// Cancel cancels the INVITE client transaction tx as soon as RFC 3261 §9.1 allows; reason, if any, is the value of a Reason header
	// (RFC 3326). The final response still comes as an event.
	Cancel(tx TransactionID, reason string) error
	// Ack sends the ACK to a 2xx, which has no transaction. (A Stack has a Send of its own: the loop over the responses to a request.)
	Ack(s Stripe, req *Request, to Destination) error
	// Own directs the later events of transaction tx to h: EventCancel and EventTimeout of a server transaction, everything of a client transaction.
	Own(tx TransactionID, h EventHandler) error
}

// Engine is all that an event handler gets from the stack.
type Engine interface {
	Sender
	// Accept answers the INVITE req of server transaction tx with the 2xx res, sends it again until its ACK comes, and ends the call with BYE if none
	// does (RFC 3261 §13.3.1.4): for an owner without dialogs. Who keeps a dialog uses Respond and does that itself. Call it as a method of [Sender].
	Accept(tx TransactionID, req *Request, res *Response) error
	// Do runs f in stripe s: after the running event if called from within a stripe, otherwise as soon as the stripe is free. It may be called from anywhere and does not wait.
	// A stack that stops drops f; the owner of each open server transaction is told before by an EventTimeout with ErrClosed.
	Do(s Stripe, f func())
	// After runs f in stripe s when d has passed, unless the returned timer is stopped before.
	After(s Stripe, d time.Duration, f func()) Timer
	// NewID returns a random token (no "@") for a Call-ID or tag that carries stripe s: see [AppendID].
	NewID(s Stripe) string
}

// Timer is a pending [Engine.After].
type Timer interface {
	// Stop keeps the function from running; false if it ran or was stopped before. Call it from within the stripe.
	Stop() bool
}

// Transport is a way for bytes to travel.
type Transport uint8

// The transports. RFC 3261 §18, RFC 7118.
const (
	TransportNone Transport = iota
	UDP
	TCP
	TLS
	WS
	WSS
	// Inside never leaves the process: whoever speaks over it is part of the server. No URI and no listener names it.
	Inside
)

// String gives the token of Via: "UDP", "TCP", "TLS", "WS", "WSS", "INSIDE".
func (t Transport) String() string {
	return [...]string{"", "UDP", "TCP", "TLS", "WS", "WSS", "INSIDE"}[t]
}

// Param gives the value of the transport parameter of a URI: "udp", "tcp", "tls", "ws"; WSS is "wss" (RFC 7118 §5.2 writes ws with sips).
func (t Transport) Param() string {
	return [...]string{"", "udp", "tcp", "tls", "ws", "wss", "inside"}[t]
}

// Reliable reports whether the transport never loses messages.
func (t Transport) Reliable() bool { return t > UDP }

// Secure reports whether nobody can listen on the way: the transport is encrypted, or never leaves the process.
func (t Transport) Secure() bool { return t == TLS || t == WSS || t == Inside }

// ParseTransport returns the transport named by a Via or URI parameter, in any case; TransportNone if it is not one of ours, and for [Inside], which only an engine can name.
func ParseTransport(s string) Transport {
	for t := UDP; t <= WSS; t++ {
		if sameFold(s, t.Param()) {
			return t
		}
	}
	return TransportNone
}

// Flow is a connection to a peer in the sense of RFC 5626: plain data that can be stored. The zero Flow is none.
type Flow struct {
	ID        uint64 // of a stream connection, unique across restarts; 0 for UDP
	Transport Transport
	Local     netip.AddrPort // UDP: the listener's port and the address the peer used
	Remote    netip.AddrPort
}

// IsZero reports whether f is no flow.
func (f Flow) IsZero() bool { return f.Transport == TransportNone }

// Silence returns how long nothing need be sent over f at the longest, and how much of that is to be left to chance, so that not everybody speaks at once: what the registrar wants
// (Flow-Timer, 0: nothing) less up to a fifth, or else by RFC 5626 §4.4.1, §4.4.2: 95 to 120 s for streams, 24 to 29 s for datagrams.
func (f Flow) Silence(wanted time.Duration) (longest, spread time.Duration) {
	switch {
	case wanted >= time.Second && (f.Transport.Reliable() || wanted < 29*time.Second):
		return wanted, wanted / 5
	case f.Transport.Reliable():
		return 120 * time.Second, 25 * time.Second
	}
	return 29 * time.Second, 5 * time.Second
}

// Destination says where a request goes. The zero Destination follows RFC 3261 §8.1.2: the top Route if any, the Request-URI otherwise, resolved by RFC 3263.
type Destination struct {
	Flow Flow // this flow and no other; if it is gone the order fails with ErrFlowLost
	URI  URI  // resolve this instead (an outbound proxy, a Path already taken off); ignored if Flow is set
	// Mark, if not 0, goes into the Via that is added, as the parameter loop in hexadecimal digits: who forwards a request knows it again by that (RFC 5393 §4.2.1).
	Mark uint32
}

// AnyHost stands for "the address by which this stack is reached over the transport used": the stack replaces it in Contact, Path and
// Record-Route when it sends, by the advertised address of the listener. A dialog-forming message without any Contact gets <sip:AnyHost>. A Record-Route that
// then says what the one below it says is left out: a proxy puts the address of the side a request came by below AnyHost, and both stay only where they differ.
const AnyHost = "any.invalid"
