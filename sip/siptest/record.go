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

// observe is called by the network for each transmission. Media is none of ours.
func (b *Bench) observe(t network.Transmission) {
	if isMedia(t.Data) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wire = append(b.wire, transmission{at: t.Time.Sub(b.start), from: b.nameLocked(t.From.Addr()), to: b.nameLocked(t.To.Addr()),
		source: t.From.Addr(), data: bytes.Clone(t.Data), lost: t.Dropped})
}

// isMedia reports whether a transmission is RTP or RTCP by its first byte. RFC 7983 §7.
func isMedia(b []byte) bool { return len(b) > 0 && b[0] >= 128 && b[0] <= 191 }

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
