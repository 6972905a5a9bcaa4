// Counters of the transports, and the trace tap.

package transport

import (
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Stats are counters that only grow, but for Connections. They may be read at any time.
type Stats struct {
	Received, Sent [7]atomic.Uint64 // messages, by sip.Transport
	Connections    atomic.Int64     // stream connections open now, handshakes included
	Accepted       atomic.Uint64    // stream connections that peers opened
	Dialed         atomic.Uint64    // stream connections that we opened
	DialFailed     atomic.Uint64
	Refused        atomic.Uint64 // connections over a cap
	Handshake      atomic.Uint64 // TLS or WebSocket handshakes that failed or took too long
	TimedOut       atomic.Uint64 // connections closed for silence or a message that did not end
	Overflow       atomic.Uint64 // connections closed because the peer did not read
	KeepAlives     atomic.Uint64 // CRLF and STUN answered
	Malformed      atomic.Uint64 // messages with illegal grammar or framing
	Junk           atomic.Uint64 // datagrams and connections that did not speak SIP
	Ignored        atomic.Uint64 // datagrams not answered because of Limits.Noise
	Unsent         atomic.Uint64 // datagrams the system refused, and messages whose barrier failed
	Panics         atomic.Uint64 // caught by the firewall of a reader
}

// Ahead returns the bytes of the buffers in which streams are read ahead now, see [Limits]. It may be called at any time.
func (l *Layer) Ahead() int64 { return l.ahead.Load() }

// Trace is one message as the trace tap sees it.
type Trace struct {
	Flow sip.Flow
	Sent bool // by us
	Time time.Time
	Data []byte // valid during the call
}

// received counts a message, and shows it to the trace tap.
func (l *Layer) received(p *Packet) {
	l.Stats.Received[p.Flow.Transport].Add(1)
	l.trace(p.Flow, false, p.buf)
}

func (l *Layer) trace(f sip.Flow, sent bool, b []byte) {
	if l.Trace != nil {
		l.Trace(Trace{Flow: f, Sent: sent, Time: time.Now(), Data: b})
	}
}
