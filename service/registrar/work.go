// The memory in which one request is handled, used again for the next: in the common case nothing is allocated.

package registrar

import (
	"github.com/sipwerk/sipwerk/sip"
)

// work is owned by one goroutine from Registrar.work until it is put back. Its strings share the memory of the request, of the copy of the old record, or of contacts.
type work struct {
	name     []byte // address-of-record
	old      []byte // its bindings as the table had them
	record   []byte // and as they are to be
	contacts []byte // texts of contacts that are stored otherwise than they came
	value    []byte // of a header in the making

	decoder
	update   update
	state    updateState
	response sip.Response
}

// work gives memory to work with. Put it back into r.works.
func (r *Registrar) work() *work {
	if w, ok := r.works.Get().(*work); ok {
		return w
	}
	return new(work)
}

// loadLocked returns the bindings that the table holds, the expired included. They are a copy.
func (w *work) loadLocked(s *slot) []Binding {
	w.old = append(w.old[:0], s.getLocked()...)
	bindings, _ := w.decode(w.old) // what the table holds was made by appendBindings
	return bindings
}
