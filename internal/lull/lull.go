// Package lull gives memory back to the system when a burst is over. The collector of Go lets a heap grow to twice of what lives in it, and looks at it again only when as much has been made
// anew: a server that has set up many calls, and now just carries them, would keep all that for minutes.
package lull

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// interval is how often is looked whether it is quiet.
	interval = time.Second
	// quiet is how many bytes may be made meanwhile.
	quiet = 1 << 20
	// burst is how many bytes must have been made since memory was given back last: less is not worth the work.
	burst = 16 << 20
	// afterwards is how many intervals after a burst memory is given back once more: transactions linger for half a minute (RFC 3261 §17).
	afterwards = 40
)

// Collect gives memory back whenever it has become quiet, until ctx ends.
func Collect(ctx context.Context) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	made := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(made)
	w := watch{seen: made[0].Value.Uint64(), given: made[0].Value.Uint64()}
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if metrics.Read(made); w.look(made[0].Value.Uint64()) {
			debug.FreeOSMemory()
		}
	}
}

// watch decides.
type watch struct {
	seen  uint64 // bytes made, when looked at last
	given uint64 // the same, when memory was given back last
	wait  int    // intervals until it is given back once more; 0: it is not
}

// look takes how many bytes have been made since the program began, and reports whether memory is to be given back.
func (w *watch) look(made uint64) bool {
	lull := made-w.seen < quiet
	w.seen = made
	switch {
	case lull && made-w.given >= burst:
		w.given, w.wait = made, afterwards
		return true
	case w.wait == 0:
		return false
	}
	w.wait--
	return w.wait == 0 && lull
}
