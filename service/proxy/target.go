// Whom to try, in which order. RFC 3261 §16.5, §16.6; RFC 5630 §5.3.

package proxy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// arrange drops the targets that a request to a URI of scheme may not go to, orders the rest by preference, and keeps most of them. A spare stays
// behind the target whose spare it is.
func arrange(ts []Target, scheme string, most int) []Target {
	if scheme == "sips" {
		ts = secureOnly(ts)
	}
	if len(ts) == 0 {
		return ts
	}
	ts[0].Spare = false
	for i := 1; i < len(ts); i++ {
		if ts[i].Spare {
			ts[i].Q = ts[i-1].Q
		}
	}
	if !slices.IsSortedFunc(ts, preferred) {
		slices.SortStableFunc(ts, preferred)
	}
	return ts[:min(len(ts), most)]
}

func preferred(a, b Target) int { return cmp.Compare(b.Q, a.Q) }

// secureOnly keeps what a sips request may go to: a sips contact, and one that is reached over a connection that is secure. RFC 5630 §5.3.
func secureOnly(ts []Target) []Target {
	kept, lead := ts[:0], false
	for _, t := range ts {
		secure := t.URI.Scheme == "sips" || t.To.Flow.Transport.Secure()
		if !secure {
			lead = lead && t.Spare
			continue
		}
		t.Spare = t.Spare && lead
		lead = true
		kept = append(kept, t)
	}
	return kept
}

// group returns how many targets at the start of ts are tried at once: those of one preference, their spares behind them, but no more leads than most.
func group(ts []Target, most int) int {
	n, leads := 0, 0
	for n < len(ts) && ts[n].Q == ts[0].Q {
		if !ts[n].Spare {
			if leads == most {
				break
			}
			leads++
		}
		n++
	}
	return n
}

// leads counts the targets that are no spares.
func leads(ts []Target) (n int) {
	for i := range ts {
		if !ts[i].Spare {
			n++
		}
	}
	return n
}

// owned appends copies of targets that own their memory.
func owned(to, ts []Target) []Target {
	for _, t := range ts {
		t.URI, t.To.URI = t.URI.Clone(), t.To.URI.Clone()
		t.Path = slices.Clone(t.Path)
		for i := range t.Path {
			t.Path[i] = strings.Clone(t.Path[i])
		}
		to = append(to, t)
	}
	return to
}

// goal is a number for where a target leads, so that nobody is tried twice.
func (p *Proxy) goal(u *sip.URI) uint64 {
	var room [128]byte
	return hash(p.seed, u.AppendTo(room[:0]))
}
