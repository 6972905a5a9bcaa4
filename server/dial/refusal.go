// Calls that the dial plan refuses: an event in the log for each brake that holds, and a figure for each reason.

package dial

import (
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/service/dialplan"
)

// Refusals counts and logs what the dial plan refuses, and what is ended because a limit was reached. Log must be set. Safe for use by many goroutines.
type Refusals struct {
	Log     *slog.Logger
	lines   Sparing
	refused [len(reasons)]atomic.Uint64

	Emergency atomic.Uint64 // emergency calls begun
	Cut       atomic.Uint64 // calls ended because their payer had no minute left
}

// reasons are those of the metric.
var reasons = [...]dialplan.Reason{dialplan.Unknown, dialplan.NoTrunk, dialplan.Loop, dialplan.Declined, dialplan.BusyTone, dialplan.Stranger, dialplan.Country, dialplan.Premium,
	dialplan.Closed, dialplan.Night, dialplan.Calls, dialplan.Minutes, dialplan.Identity, dialplan.Forbidden}

// Note takes a refusal; from is who called, as the log names them.
func (b *Refusals) Note(domain, from string, how dialplan.How, r *dialplan.Refusal) {
	for i, reason := range reasons {
		if reason == r.Why {
			b.refused[i].Add(1)
		}
	}
	if !r.Why.Brake() {
		return
	}
	if more, ok := b.lines.Take(time.Now()); ok {
		b.Log.Warn("call refused", "reason", string(r.Why), "domain", domain, "from", from, "account", r.Payer, "number", r.Number, "how", how.String(), "status", int(r.Status), "unlogged", more)
	}
}

// cut takes a call that is ended because its payer has no minute left.
func (b *Refusals) cut(domain string, out *dialplan.Out) {
	b.Cut.Add(1)
	if more, ok := b.lines.Take(time.Now()); ok {
		b.Log.Warn("call cut off", "reason", string(dialplan.Minutes), "domain", domain, "account", out.Payer, "number", out.Number.Text(), "minutes", out.Minutes, "unlogged", more)
	}
}

// Counts yields how many calls were refused for each reason.
func (b *Refusals) Counts() iter.Seq2[dialplan.Reason, uint64] {
	return func(yield func(dialplan.Reason, uint64) bool) {
		for i, reason := range reasons {
			if !yield(reason, b.refused[i].Load()) {
				return
			}
		}
	}
}

// Sparing lets so many lines a second into the log and counts the others: whoever attacks must not fill the disk. Safe for use by many goroutines.
type Sparing struct {
	second atomic.Int64
	lines  atomic.Int64
	missed atomic.Int64
}

// maxLines is how many lines of a kind are logged in a second.
const maxLines = 20

// Take reports whether a line may be logged, and how many were not since the last one.
func (s *Sparing) Take(now time.Time) (missed int64, ok bool) {
	if second := now.Unix(); s.second.Swap(second) != second {
		s.lines.Store(0)
	}
	if s.lines.Add(1) > maxLines {
		s.missed.Add(1)
		return 0, false
	}
	return s.missed.Swap(0), true
}
