// The flow recorder: what went over the wire, as a ladder.

package siptest

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip/ladder"
)

// transmission is one datagram or write, or a note.
type transmission struct {
	at       time.Duration
	from, to string
	source   netip.Addr
	data     []byte
	lost     bool
	note     string
}

// observe is called by the network for each transmission.
func (b *Bench) observe(t network.Transmission) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wire = append(b.wire, transmission{at: t.Time.Sub(b.start), from: b.nameLocked(t.From.Addr()), to: b.nameLocked(t.To.Addr()),
		source: t.From.Addr(), data: bytes.Clone(t.Data), lost: t.Dropped})
}

func (b *Bench) nameLocked(a netip.Addr) string {
	if n := b.names[a]; n != "" {
		return n
	}
	return a.String()
}

// Ladder returns what went over the wire so far. What is sent at one instant by several hosts is ordered by host.
func (b *Bench) Ladder() *ladder.Ladder {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := &ladder.Ladder{Hosts: slices.Clone(b.order)}
	wire := slices.Clone(b.wire)
	slices.SortStableFunc(wire, func(x, y transmission) int {
		return cmp.Or(cmp.Compare(x.at, y.at), notesFirst(x, y), cmp.Compare(slices.Index(b.order, x.from), slices.Index(b.order, y.from)))
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
