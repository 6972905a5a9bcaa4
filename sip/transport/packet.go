// A message that arrived: parsed where it lies, taken for parsed or malformed, behind the firewall of its reader.

package transport

import (
	"bytes"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Packet is one message that arrived, or bytes that should have been one. It lies in the buffer of its reader and is valid until Handle returns;
// who wants it longer takes what Keep returns.
type Packet struct {
	Flow     sip.Flow
	Request  *sip.Request // one of the two is set
	Response *sip.Response
	Via      sip.Via       // the top one, of a request as the transport has completed it; zero if it cannot be read
	Err      error         // Request could not be parsed: a *sip.ParseError; it holds what could be read (malformed responses never get here)
	Out      *Outbox       // of the reader that delivers; valid until Handle returns
	Waited   time.Duration // how long it has waited at least because its reader is behind; 0 otherwise, or where that cannot be told

	layer    *Layer
	stream   *stream // nil for a datagram
	buf      []byte
	own      []byte // of a packet that is kept: where buf lies
	kept     bool
	stamped  []byte // the completed parameters of the top Via
	outline  sip.Outline
	request  sip.Request
	response sip.Response
}

// Size is how many bytes arrived.
func (p *Packet) Size() int { return len(p.buf) }

// keptBuffer is the longest buffer that is pooled: few messages are longer.
const keptBuffer = 16 << 10

// Keep returns a copy of p, as it arrived, that outlives Handle and has no Out; who gets it calls Release once.
func (p *Packet) Keep() *Packet {
	if p.layer == nil {
		return p // made by its user, in memory of its own
	}
	q := p.layer.packet(p.stream, nil)
	q.Flow, q.Err, q.Waited, q.layer, q.kept = p.Flow, p.Err, p.Waited, p.layer, true
	q.own = append(q.own[:0], p.buf...)
	q.buf = q.own
	if p.Response != nil {
		q.Response = &q.response
		_ = q.response.Parse(q.buf) // it was good in p
		q.Via, _ = q.response.Via()
		return q
	}
	q.Request = &q.request
	_ = q.request.Parse(q.buf) // its fault, if any, is in Err
	q.stamp()
	return q
}

// Outline reads p, which was given to [Layer.Spare], as far as its refusal needs it. It is nil if that cannot be done safely. Its Via is as it came; Complete makes of it that of an answer.
func (p *Packet) Outline() *sip.Outline {
	if !p.outline.Read(p.buf) {
		return nil
	}
	return &p.outline
}

// Glance looks at p, which was given to [Layer.Spare], as [sip.Glance] does.
func (p *Packet) Glance() (sip.Method, string) { return sip.Glance(p.buf) }

// Ack reads p, which was given to [Layer.Spare], as [sip.ReadAck] does.
func (p *Packet) Ack() (via sip.Via, tag string, ok bool) { return sip.ReadAck(p.buf) }

// Ignore takes note that p is of no use to anyone, and reports whether its source has sent so many of the kind that it gets no answer: [Limits.Noise]. What has
// an Err is noted already.
func (p *Packet) Ignore() bool {
	return p.layer != nil && p.stream == nil && p.Flow.Transport != sip.Inside && p.layer.quiet(p.Flow.Remote.Addr())
}

// packet returns one for messages of a stream whose answers go to out.
func (l *Layer) packet(s *stream, out *Outbox) *Packet {
	p, _ := l.pools.packets.Get().(*Packet)
	if p == nil {
		p = new(Packet)
	}
	p.stream, p.Out = s, out
	return p
}

// giveBack returns a packet of a stream to the pool.
func (l *Layer) giveBack(p *Packet) {
	p.clear()
	l.pools.packets.Put(p)
}

// Release gives a packet that was kept back, with all that was parsed from it. Race builds overwrite the bytes, so that later use shows. For any other it
// does nothing.
func (p *Packet) Release() {
	if !p.kept {
		return
	}
	poison(p.own[:cap(p.own)])
	if cap(p.own) > keptBuffer {
		p.own = nil
	}
	p.layer.giveBack(p)
}

func (p *Packet) clear() {
	p.Flow, p.Request, p.Response, p.Via, p.Err, p.Out = sip.Flow{}, nil, nil, sip.Via{}, nil, nil
	p.layer, p.stream, p.buf, p.kept, p.Waited = nil, nil, nil, false, 0
}

// take makes p the message b that came by f, and hands it over; fault, if any, is what is wrong with its framing.
func (l *Layer) take(p *Packet, f sip.Flow, b []byte, fault error) {
	p.Flow, p.Request, p.Response, p.Via, p.Err = f, nil, nil, sip.Via{}, nil
	p.layer, p.buf = l, b
	l.receive(p, fault)
	poison(b)
}

// receive parses one message and hands it over. A panic below ends here: it costs the message, not the server.
func (l *Layer) receive(p *Packet, fault error) {
	defer p.firewall()
	l.received(p)
	if sip.IsResponse(p.buf) {
		l.receiveResponse(p, fault)
		return
	}
	if p.Waited > 0 && fault == nil && l.Spare != nil && l.Spare(p) {
		return
	}
	p.Request = &p.request
	if p.Err = p.request.Parse(p.buf); p.Err == nil {
		p.Err = fault
	}
	if p.Err != nil {
		if !resemblesRequest(p.buf) {
			l.Stats.Junk.Add(1)
			return
		}
		l.Stats.Malformed.Add(1)
		if p.Ignore() {
			return
		}
	}
	if broken := p.stamp(); broken != nil && p.Err == nil {
		p.Err = broken
		l.Stats.Malformed.Add(1)
	}
	if p.stream != nil && p.Via.Params.Has("alias") {
		p.stream.alias(p.Via)
	}
	l.Handle(p)
}

// receiveResponse drops what is malformed: RFC 3261 §18.1.2 wants no answer to it.
func (l *Layer) receiveResponse(p *Packet, fault error) {
	if err := p.response.Parse(p.buf); err != nil || fault != nil {
		l.Stats.Malformed.Add(1)
		return
	}
	p.Response = &p.response
	p.Via, _ = p.response.Via() // whether it fits a request of ours is not for the transport to say
	l.Handle(p)
}

func (p *Packet) firewall() {
	if cause := recover(); cause != nil {
		p.layer.caught(cause, p.Flow)
	}
}

// caught counts and logs a panic.
func (l *Layer) caught(cause any, f sip.Flow) {
	l.Stats.Panics.Add(1)
	l.Log.Error("transport: message caused a panic", slog.Any("panic", cause), slog.String("transport", f.Transport.String()),
		slog.String("source", f.Remote.String()), slog.String("stack", string(debug.Stack())))
}

// longestStart is how far the protocol is looked for in what should be a request.
const longestStart = 4 << 10

// resemblesRequest tells a broken request, which deserves an answer, from bytes that are no SIP at all: the first line names the protocol.
func resemblesRequest(b []byte) bool {
	b = b[:min(len(b), longestStart)]
	if end := bytes.IndexByte(b, '\n'); end >= 0 {
		b = b[:end]
	}
	for slash := bytes.IndexByte(b, '/'); slash >= 0; slash = bytes.IndexByte(b, '/') {
		if slash >= 4 && b[slash-4] == ' ' && bytes.EqualFold(b[slash-3:slash], []byte("SIP")) {
			return true
		}
		b = b[slash+1:]
	}
	return false
}
