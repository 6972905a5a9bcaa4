// A message that arrived: pooled, taken for parsed or malformed, behind the firewall of its reader.

package transport

import (
	"bytes"
	"log/slog"
	"runtime/debug"

	"github.com/sipwerk/sipwerk/sip"
)

// Packet is one message that arrived, or bytes that should have been one. It and its buffer are pooled: who gets it calls Release once.
type Packet struct {
	Flow     sip.Flow
	Request  *sip.Request // one of the two is set
	Response *sip.Response
	Err      error   // Request could not be parsed: a *sip.ParseError; it holds what could be read (malformed responses never get here)
	Out      *Outbox // of the reader that delivers; valid until Handle returns

	layer    *Layer
	stream   *stream // nil for a datagram
	buf      []byte
	scratch  []byte // the rewritten top Via
	request  sip.Request
	response sip.Response
}

// Size is how many bytes arrived.
func (p *Packet) Size() int { return len(p.buf) }

// A buffer that grew beyond this is not kept: few messages are longer.
const keptBuffer = 16 << 10

// newBuffer is the size a packet starts with: most messages fit.
const newBuffer = 2 << 10

// Release gives the packet and all that was parsed from it back. Race builds overwrite the bytes, so that later use shows.
func (p *Packet) Release() {
	l := p.layer
	if l == nil {
		return
	}
	p.Flow, p.Request, p.Response, p.Err, p.Out = sip.Flow{}, nil, nil, nil, nil
	p.layer, p.stream = nil, nil
	poison(p.buf[:cap(p.buf)])
	if cap(p.buf) > keptBuffer {
		p.buf = nil
	}
	l.packets.Put(p)
}

// packet returns one with a copy of b.
func (l *Layer) packet(b []byte) *Packet {
	p, _ := l.packets.Get().(*Packet)
	if p == nil {
		p = &Packet{buf: make([]byte, 0, newBuffer)}
	}
	p.layer = l
	p.buf = append(p.buf[:0], b...)
	return p
}

// receive parses one message and hands it over; fault, if any, is what is wrong with its framing. A panic below ends here: it costs
// the message, not the server.
func (l *Layer) receive(p *Packet, fault error) {
	defer l.firewall(p.Flow)
	l.received(p.Flow, p.buf)
	if sip.IsResponse(p.buf) {
		l.receiveResponse(p, fault)
		return
	}
	p.Request = &p.request
	if p.Err = p.request.Parse(p.buf); p.Err == nil {
		p.Err = fault
	}
	if p.Err != nil {
		if !resemblesRequest(p.buf) {
			l.Stats.Junk.Add(1)
			p.Release()
			return
		}
		l.Stats.Malformed.Add(1)
	}
	p.stamp()
	l.Handle(p)
}

// receiveResponse drops what is malformed: RFC 3261 §18.1.2 wants no answer to it.
func (l *Layer) receiveResponse(p *Packet, fault error) {
	if err := p.response.Parse(p.buf); err != nil || fault != nil {
		l.Stats.Malformed.Add(1)
		p.Release()
		return
	}
	p.Response = &p.response
	l.Handle(p)
}

func (l *Layer) firewall(f sip.Flow) {
	if cause := recover(); cause != nil {
		l.caught(cause, f)
	}
}

// caught counts and logs a panic.
func (l *Layer) caught(cause any, f sip.Flow) {
	l.Stats.Panics.Add(1)
	l.Log.Error("transport: message caused a panic", slog.Any("panic", cause), slog.String("transport", f.Transport.String()),
		slog.String("from", f.Remote.String()), slog.String("stack", string(debug.Stack())))
}

// resemblesRequest tells a broken request, which deserves an answer, from bytes that are no SIP at all: the first line names the protocol.
func resemblesRequest(b []byte) bool {
	line, _, _ := bytes.Cut(b, []byte("\n"))
	return bytes.Contains(line, []byte(" SIP/"))
}
