// What the watchers of registrations have not been told yet. RFC 3680 §4.7.

package registrar

import (
	"maps"
	"slices"
	"strings"
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
	// End ends the subscriptions to it, with a reason of RFC 6665 §4.1.3.
	End(pack, name, reason string)
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

	mu    sync.Mutex                     // guards what follows
	of    map[string]*watch              // by resource
	told  map[string]map[string]struct{} // the resources that are told of the bindings kept under a name
	limit int                            // how many there may be before those are dropped that nobody watches
}

// subject is the address-of-record whose bindings are watched.
type subject struct {
	own     string // itself; that of a number if it is one of the account's
	account string // whose bindings reach it, too
	number  string // for which bulk contacts are expanded; "": it is not reached by any
}

// subjectOf says what is watched, by what [Registrar.Resolve] has found.
func subjectOf(found *sip.URI) subject {
	aor := sip.URI{Scheme: "sip", User: found.User, Host: found.Host}
	s := subject{account: string(appendName(nil, aor)), number: strings.Clone(calledBy(found).number)}
	s.own = s.account
	if own, ok := line(aor, s.number); ok {
		s.own = string(appendName(nil, own))
	}
	return s
}

// resource is its name among those that are watched. That of a number has the account in it: whoever watches the number of one account never hears what it is with the next.
func (s *subject) resource() string {
	if s.own == s.account {
		return s.own
	}
	return s.own + " " + s.account
}

// watch is what has happened to the bindings of one resource.
type watch struct {
	subject
	mark    uint64
	whole   uint64              // whoever knows less than what was so at this mark is told everything
	gone    []departed          // contacts that have ended
	present map[string]presence // contacts that were bound or renewed, by their names
}

// presence is what has happened last to a contact that is bound.
type presence struct {
	kind ChangeKind
	mark uint64
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
	partial bool // the rest is all that has happened since
	gone    []departed
	present map[string]presence
}

// open begins to note what happens to a subject, and returns its resource.
func (w *watches) open(s subject, told Events) (resource string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	resource = s.resource()
	if w.of[resource] != nil {
		return resource
	}
	if w.limit = max(w.limit, fewWatches); len(w.of) >= w.limit && told != nil {
		for name := range w.of {
			if !told.Watched(regPackage, name) {
				w.dropLocked(name)
			}
		}
		w.limit = max(2*len(w.of), fewWatches)
	}
	w.addLocked(resource, s)
	return resource
}

func (w *watches) addLocked(resource string, s subject) *watch {
	if w.of == nil {
		w.of, w.told = make(map[string]*watch), make(map[string]map[string]struct{})
	}
	one := &watch{subject: s, mark: w.mark.Add(1), present: make(map[string]presence)}
	one.whole = one.mark
	w.of[resource] = one
	for _, name := range []string{s.own, s.account} {
		if w.told[name] == nil {
			w.told[name] = make(map[string]struct{})
		}
		w.told[name][resource] = struct{}{}
	}
	w.some.Store(true)
	return one
}

func (w *watches) dropLocked(resource string) {
	one := w.of[resource]
	if one == nil {
		return
	}
	delete(w.of, resource)
	for _, name := range []string{one.own, one.account} {
		if delete(w.told[name], resource); len(w.told[name]) == 0 {
			delete(w.told, name)
		}
	}
}

// drop forgets a resource that is not to be told of any more.
func (w *watches) drop(resource string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dropLocked(resource)
}

// resources returns the names of all.
func (w *watches) resources() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Collect(maps.Keys(w.of))
}

// since returns what a watcher of a subject is to be told who knows what was so at a mark.
func (w *watches) since(s subject, mark uint64) news {
	w.mu.Lock()
	defer w.mu.Unlock()
	resource := s.resource()
	one := w.of[resource]
	if one == nil { // it was dropped before its subscription stood
		one = w.addLocked(resource, s)
	}
	n := news{mark: one.mark, partial: mark != 0 && mark >= one.whole, present: maps.Clone(one.present)}
	for _, d := range one.gone {
		if mark != 0 && d.mark > mark {
			n.gone = append(n.gone, d)
		}
	}
	return n
}

// note takes a change, and returns whose watchers are to be told. Nobody hears of a bulk contact by the name of its account.
func (w *watches) note(c *Change) (resources []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for resource := range w.told[c.AOR] {
		one, b := w.of[resource], c.Binding
		if b.bulk() {
			if b.Number = one.number; b.Number == "" {
				continue
			}
		}
		w.noteLocked(one, c.Kind, &b)
		resources = append(resources, resource)
	}
	return resources
}

func (w *watches) noteLocked(one *watch, kind ChangeKind, b *Binding) {
	one.mark = w.mark.Add(1)
	contact, now := contactOf(b), time.Now()
	if kind == Added || kind == Refreshed {
		one.present[contact.ID] = presence{kind, one.mark}
		return
	}
	delete(one.present, contact.ID)
	contact.State, contact.Event, contact.Expires = "terminated", kind.String(), 0
	kept := one.gone[:0]
	for _, d := range one.gone {
		switch {
		case d.contact.ID == contact.ID:
		case now.Sub(d.at) < keepGone:
			kept = append(kept, d)
		default:
			one.whole = max(one.whole, d.mark)
		}
	}
	if len(kept) == mostGone {
		one.whole = max(one.whole, kept[0].mark)
		kept = kept[:copy(kept, kept[1:])]
	}
	one.gone = append(kept, departed{contact, one.mark, now})
}
