// Bindings whose connection is gone: nobody is reached over them any more, so they are dropped at once. RFC 5626 §5.3.1.

package registrar

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// flowIndex knows which names have a binding over which open connection; mu guards it. It holds no more than there are bindings.
type flowIndex struct {
	mu    sync.Mutex
	names map[uint64]map[uint64]struct{} // flow id → hashes of names
}

// hangsOn returns the connection without which b is worth nothing, 0 if there is none.
func (b *Binding) hangsOn() uint64 {
	if !b.Bound || len(b.Path) > 0 {
		return 0
	}
	return b.Flow.ID
}

func hang(bindings []Binding, flow uint64) bool {
	return slices.ContainsFunc(bindings, func(b Binding) bool { return b.hangsOn() == flow })
}

// move enters the connections of the new bindings of a name, and takes out those of the old ones.
func (x *flowIndex) move(hash uint64, old, bindings []Binding) {
	for i := range old {
		if flow := old[i].hangsOn(); flow != 0 && !hang(bindings, flow) {
			x.remove(flow, hash)
		}
	}
	for i := range bindings {
		if flow := bindings[i].hangsOn(); flow != 0 && !hang(old, flow) {
			x.add(flow, hash)
		}
	}
}

func (x *flowIndex) add(flow, hash uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.names == nil {
		x.names = make(map[uint64]map[uint64]struct{})
	}
	if x.names[flow] == nil {
		x.names[flow] = make(map[uint64]struct{}, 1)
	}
	x.names[flow][hash] = struct{}{}
}

func (x *flowIndex) remove(flow, hash uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.names[flow], hash)
	if len(x.names[flow]) == 0 {
		delete(x.names, flow)
	}
}

// of returns the names that hang on a connection.
func (x *flowIndex) of(flow uint64) []uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return slices.Collect(maps.Keys(x.names[flow]))
}

// FlowLost drops the bindings that were reached over f, a connection that has ended. It is for the FlowLost of a stack. The journal is not
// told: after a restart the flow is as lost as before.
func (r *Registrar) FlowLost(f sip.Flow) {
	r.start()
	if f.ID == 0 {
		return
	}
	for _, hash := range r.flows.of(f.ID) {
		r.clean(hash, update{now: time.Now(), lost: f.ID})
	}
}
