// What the watchers of registrations have not been told yet. RFC 3680 §4.7.

package registrar

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Events is whoever tells the watchers: an [event.Notifier] with the package of [Registrar.Package].
type Events interface {
	// Changed says that there is news of a resource of a package.
	Changed(pack, name string)
	// Watched reports whether anybody subscribes to it.
	Watched(pack, name string) bool
}

const (
	// mostGone is how many contacts that have ended are kept for a document, keepGone for how long: longer than documents wait for each other.
	mostGone = 32
	keepGone = time.Minute
	// fewWatches are kept without asking whether anybody still watches.
	fewWatches = 1024
)

// watches is what has happened to the bindings that are watched. The zero value works.
type watches struct {
	some atomic.Bool   // the fast way: there was a watcher
	mark atomic.Uint64 // of the latest change

	mu      sync.Mutex                     // guards what follows
	of      map[string]*watch              // by address-of-record, a number's included
	numbers map[string]map[string]struct{} // of an account: those of the first that are told of its bulk contacts
	limit   int                            // how many there may be before those are dropped that nobody watches
}

// watch is one address-of-record.
type watch struct {
	account string
	mark    uint64
	gone    []departed
	renewed map[string]bool // contacts, by their names
}

// departed is a contact that has ended.
type departed struct {
	contact regContact
	mark    uint64
	at      time.Time
}

// news is what is to be told of a watch.
type news struct {
	mark    uint64
	gone    []departed
	renewed map[string]bool
}

// open begins to note what happens to resource, whose bulk contacts are those of account.
func (w *watches) open(resource, account string, told Events) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of[resource] != nil {
		return
	}
	if w.limit = max(w.limit, fewWatches); len(w.of) >= w.limit && told != nil {
		for name := range w.of {
			if !told.Watched(regPackage, name) {
				w.dropLocked(name)
			}
		}
		w.limit = max(2*len(w.of), fewWatches)
	}
	w.addLocked(resource, account)
}

func (w *watches) addLocked(resource, account string) *watch {
	if w.of == nil {
		w.of, w.numbers = make(map[string]*watch), make(map[string]map[string]struct{})
	}
	one := &watch{account: account, mark: w.mark.Add(1)}
	w.of[resource] = one
	if account != "" && account != resource {
		if w.numbers[account] == nil {
			w.numbers[account] = make(map[string]struct{})
		}
		w.numbers[account][resource] = struct{}{}
	}
	w.some.Store(true)
	return one
}

func (w *watches) dropLocked(resource string) {
	account := w.of[resource].account
	delete(w.of, resource)
	if delete(w.numbers[account], resource); len(w.numbers[account]) == 0 {
		delete(w.numbers, account)
	}
}

// since returns what a watcher is to be told who knows what was so at a mark.
func (w *watches) since(resource string, mark uint64) news {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.of[resource]
	if one == nil { // it was dropped before its subscription stood
		one = w.addLocked(resource, resource)
	}
	n := news{mark: one.mark, renewed: make(map[string]bool)}
	for id := range one.renewed {
		n.renewed[id] = true
	}
	for _, d := range one.gone {
		if mark != 0 && d.mark > mark {
			n.gone = append(n.gone, d)
		}
	}
	return n
}

// note takes a change, and returns whose watchers are to be told.
func (w *watches) note(c *Change) (resources []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one := w.of[c.AOR]; one != nil && !c.Binding.bulk() {
		w.noteLocked(one, c.Kind, &c.Binding)
		resources = append(resources, c.AOR)
	}
	if len(w.numbers[c.AOR]) == 0 || !c.Binding.bulk() {
		return resources
	}
	for number := range w.numbers[c.AOR] {
		b := c.Binding
		if uri, err := sip.ParseURI(number); err == nil {
			b.Number = uri.UserName()
		}
		w.noteLocked(w.of[number], c.Kind, &b)
		resources = append(resources, number)
	}
	return resources
}

func (w *watches) noteLocked(one *watch, kind ChangeKind, b *Binding) {
	one.mark = w.mark.Add(1)
	contact, now := contactOf(b), time.Now()
	delete(one.renewed, contact.ID)
	switch kind {
	case Added:
		return
	case Refreshed:
		if one.renewed == nil {
			one.renewed = make(map[string]bool)
		}
		one.renewed[contact.ID] = true
		return
	}
	contact.State, contact.Event, contact.Expires = "terminated", kind.String(), 0
	kept := one.gone[:0]
	for _, d := range one.gone {
		if now.Sub(d.at) < keepGone && d.contact.ID != contact.ID {
			kept = append(kept, d)
		}
	}
	if len(kept) == mostGone {
		kept = kept[:copy(kept, kept[1:])]
	}
	one.gone = append(kept, departed{contact, one.mark, now})
}
