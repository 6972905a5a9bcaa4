// The flow recorder: what went over the wire, as a ladder.

package siptest

import (
	"bytes"
	"cmp"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/ladder"
)

// transmission is one datagram or write, or a note.
type transmission struct {
	at       time.Duration
	from, to string
	source   netip.Addr
	data     []byte
	lost     bool
	opaque   bool // of a stream that is not plain SIP: TLS, WebSocket
	note     string
	crash    bool // the note says that the host has crashed
}

// observe is called by the network for each transmission. Media is none of ours.
func (b *Bench) observe(t network.Transmission) {
	if !t.Stream && isMedia(t.Data) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	r := transmission{at: t.Time.Sub(b.start), from: b.nameLocked(t.From.Addr()), to: b.nameLocked(t.To.Addr()),
		source: t.From.Addr(), data: bytes.Clone(t.Data), lost: t.Dropped}
	if !t.Stream {
		b.wire = append(b.wire, r)
		return
	}
	s := b.streamLocked(direction{t.From, t.To})
	for _, message := range s.take(t.Data) {
		r.data, r.opaque = message, s.opaque
		b.wire = append(b.wire, r)
	}
}

// isMedia reports whether a datagram is RTP or RTCP, or the STUN or DTLS before it, by its first byte. RFC 7983 §7.
func isMedia(b []byte) bool {
	return len(b) > 0 && (b[0] >= 128 && b[0] <= 191 || b[0] <= 3 || b[0] >= 20 && b[0] <= 63)
}

// direction is one way of a connection.
type direction struct{ from, to netip.AddrPort }

// stream is what has been written in one direction and is no whole message yet.
type stream struct {
	framer sip.Framer
	rest   []byte
	opaque bool // it does not hold SIP: TLS, WebSocket
}

func (b *Bench) streamLocked(d direction) *stream {
	s := b.streams[d]
	if s == nil {
		s = new(stream)
		b.streams[d] = s
	}
	return s
}

// take takes a write apart: it may hold several messages, or a part of one.
func (s *stream) take(data []byte) [][]byte {
	s.rest = append(s.rest, data...)
	var out [][]byte
	for len(s.rest) > 0 && !s.opaque {
		if keepAlive := len(s.rest) - len(bytes.TrimLeft(s.rest, "\r\n")); keepAlive > 0 {
			out, s.rest = append(out, s.rest[:keepAlive]), s.rest[keepAlive:]
			continue
		}
		n, err := s.framer.Next(s.rest)
		if errors.Is(err, sip.ErrShort) {
			return out
		}
		if err != nil {
			s.opaque = true
			break
		}
		out, s.rest = append(out, s.rest[:n:n]), s.rest[n:]
	}
	if s.opaque && len(s.rest) > 0 {
		out, s.rest = append(out, s.rest), nil
	}
	return out
}

func (b *Bench) nameLocked(a netip.Addr) string {
	if n := b.names[a]; n != "" {
		return n
	}
	return a.String()
}

// Ladder returns what went over the wire so far. What is sent at one instant is ordered by host, from
// and to: connections write in any order.
func (b *Bench) Ladder() *ladder.Ladder {
	l := b.Excerpt(func([]byte) bool { return true })
	b.mu.Lock()
	defer b.mu.Unlock()
	l.Hosts = slices.Clone(b.order)
	return l
}

// Excerpt returns the ladder of those messages that keep wants, with the notes beside the hosts that sent or got one.
func (b *Bench) Excerpt(keep func(message []byte) bool) *ladder.Ladder {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := new(ladder.Ladder)
	var wire []transmission
	heard := make(map[string]bool)
	for _, t := range b.wire {
		if t.note == "" && keep(t.data) {
			heard[t.from], heard[t.to] = true, true
		}
	}
	for _, h := range b.order {
		if heard[h] {
			l.Hosts = append(l.Hosts, h)
		}
	}
	for _, t := range b.wire {
		if t.note != "" && heard[t.from] || t.note == "" && keep(t.data) {
			wire = append(wire, t)
		}
	}
	slices.SortStableFunc(wire, func(x, y transmission) int {
		return cmp.Or(cmp.Compare(x.at, y.at), notesFirst(x, y), cmp.Compare(slices.Index(b.order, x.from), slices.Index(b.order, y.from)),
			cmp.Compare(slices.Index(b.order, x.to), slices.Index(b.order, y.to)))
	})
	for _, t := range wire {
		m := ladder.Message{Time: t.at, From: t.from, To: t.to, Text: t.note, Lost: t.lost}
		if t.note == "" {
			m.Text = ladder.Text(t.data)
		}
		l.Messages = append(l.Messages, m)
	}
	return l
}

// notesFirst orders a remark before the messages of its instant.
func notesFirst(x, y transmission) int {
	switch {
	case x.note != "" && y.note == "":
		return -1
	case x.note == "" && y.note != "":
		return 1
	}
	return 0
}
