// Who wants to be called back, on disk: a line for each change, so that a restart forgets nobody.

package pbx

import (
	"fmt"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/internal/journal"
	"github.com/sipwerk/sipwerk/sip"
)

// wishRecord is a line of the journal: a wish as it is now. The last one about a caller and a callee holds.
type wishRecord struct {
	Caller string    `json:"caller"`
	Callee string    `json:"callee"`
	Shown  string    `json:"shown"` // the address that was called
	Rang   bool      `json:"rang,omitempty"`
	Tries  int       `json:"tries,omitempty"`
	Until  time.Time `json:"until"`
	Over   bool      `json:"over,omitempty"`
}

// Open reads who wanted to be called back before a restart and still does, and keeps it from now on.
func (k *Callbacks) Open() (err error) {
	if k.Journal == "" {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var kept []*wish
	if err := journal.Read(k.Journal, func(r wishRecord) { kept = r.change(kept) }); err != nil {
		return fmt.Errorf("pbx: read the call backs: %w", err)
	}
	for _, w := range kept {
		if time.Now().Before(w.until) {
			k.startLocked(w)
		}
	}
	if k.journal, err = journal.Rewrite(k.Journal, k.recordsLocked); err != nil {
		return fmt.Errorf("pbx: keep the call backs: %w", err)
	}
	return nil
}

// change makes a change to wishes.
func (r *wishRecord) change(wishes []*wish) []*wish {
	wishes = slices.DeleteFunc(wishes, func(w *wish) bool { return w.caller == r.Caller && w.callee == r.Callee })
	shown, err := sip.ParseURI(r.Shown)
	if r.Over || err != nil || r.Caller == "" || r.Callee == "" {
		return wishes
	}
	return append(wishes, &wish{caller: r.Caller, callee: r.Callee, shown: sip.Address{URI: shown}, rang: r.Rang, tries: r.Tries, until: r.Until})
}

func (w *wish) record(over bool) wishRecord {
	return wishRecord{Caller: w.caller, Callee: w.callee, Shown: w.shown.URI.String(), Rang: w.rang, Tries: w.tries, Until: w.until, Over: over}
}

// recordsLocked yields what is so, and nothing that was.
func (k *Callbacks) recordsLocked(yield func(wishRecord) bool) {
	for _, w := range k.wishes {
		if !yield(w.record(false)) {
			return
		}
	}
}

// noteLocked keeps a change of a wish.
func (k *Callbacks) noteLocked(w *wish, over bool) {
	k.journal.Add(slices.Values([]wishRecord{w.record(over)}))
}

// Close calls nobody back any more, and says whether all that was wished is kept for the next time.
func (k *Callbacks) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	j := k.journal
	k.journal = nil
	for _, w := range slices.Clone(k.wishes) {
		k.dropLocked(w)
	}
	return j.Close()
}
