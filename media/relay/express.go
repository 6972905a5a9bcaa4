package relay

// Streams that the kernel carries: who asks for it, who begins it, and when it ends. The packets of the others come to the sockets.

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/internal/kernel"
)

const (
	// expressBeat is how often it is looked for ways that have ended. Their places rest for that long: a packet may be on its way.
	expressBeat = time.Second
	// askAgain is how long a stream waits that was not taken because of what may change soon, and askLater is for what hardly will.
	askAgain, askLater = time.Second, 10 * time.Second
	// askSeldom is how long one waits at most whose ways carry fewer packets than are worthwhile.
	askSeldom, worthwhile = 64 * time.Second, 250
	// calmTime is how long nothing is begun after routes have changed.
	calmTime = time.Second
	// maxAsking is how many streams wait to be begun; others ask again.
	maxAsking = 1024
)

// express lets the kernel carry streams. Its goroutine owns all but what says otherwise.
type express struct {
	relay  *Relay
	table  *kernel.Table
	asking chan *Stream // sent to by everybody
	report func(error)
	stop   chan struct{}
	end    sync.Once
	done   sync.WaitGroup

	tracks []*track // that hold a place in the table
	why    error    // nothing is begun because of that; nil: it is
	calm   time.Duration
}

// tracks is what of a stream the kernel carries.
type tracks struct {
	heard atomic.Pointer[track] // what its peer says; nil: nothing
	said  atomic.Pointer[track] // what goes to its peer
	due   atomic.Int64          // when the stream may ask again, by the clock of the relay
	pause time.Duration         // how long it waits when its way ends, guarded by its mutex
}

// Express lets the kernel carry packets between streams that have settled: plain RTP over IPv4 whose sources have lasted, with nobody who listens or changes anything. What it cannot take, and every
// packet that is not exactly what is known of a stream, is passed on as ever. The error says why the system has or allows nothing of the kind. report, which may be nil, is called on a goroutine of
// its own when that changes later: with the reason why no stream is carried, or nil. Express is called before the first stream is opened.
func (r *Relay) Express(report func(error)) error {
	if _, real := r.Network.(hubMaker); !real {
		return errors.ErrUnsupported
	}
	table, err := kernel.Open()
	if err != nil {
		return err
	}
	if !r.begin() {
		return errors.Join(net.ErrClosed, table.Close())
	}
	defer r.opening.Done()
	e := &express{relay: r, table: table, asking: make(chan *Stream, maxAsking), report: report, stop: make(chan struct{})}
	e.done.Go(e.run)
	r.express = e
	return nil
}

// Carried returns how many streams the kernel carries the packets of.
func (r *Relay) Carried() int {
	if r.express == nil {
		return 0
	}
	return r.express.table.Running()
}

func (r *Relay) closeExpress() error {
	e := r.express
	if e == nil {
		return nil
	}
	var err error
	e.end.Do(func() {
		close(e.stop)
		e.done.Wait()
		err = e.table.Close()
	})
	return err
}

func (e *express) run() {
	beat := time.NewTicker(expressBeat)
	defer beat.Stop()
	for {
		select {
		case <-e.stop:
			for _, x := range e.tracks {
				x.entry.Stop()
				e.release(x)
			}
			return
		case <-e.table.Changed():
			e.review()
		case <-beat.C:
			e.tidy()
		case s := <-e.asking:
			e.begin(s)
		}
	}
}

// review stops everything, because packets may have to go elsewhere now, and looks whether anything may begin again.
func (e *express) review() {
	for _, x := range e.tracks {
		x.entry.Stop()
	}
	e.calm = e.relay.now() + calmTime
	why := e.table.Review()
	if (why == nil) != (e.why == nil) && e.report != nil {
		e.report(why)
	}
	e.why = why
}

// tidy gives back the places of ways that have been stopped for a beat.
func (e *express) tidy() {
	kept := e.tracks[:0]
	for _, x := range e.tracks {
		switch {
		case x.entry.Running():
		case !x.resting:
			x.resting = true
		default:
			e.release(x)
			continue
		}
		kept = append(kept, x)
	}
	clear(e.tracks[len(kept):])
	e.tracks = kept
}

// release takes x from its streams, which have counted all of it then.
func (e *express) release(x *track) {
	x.leave(x.from, func(t *tracks) *atomic.Pointer[track] { return &t.heard })
	if x.to != nil {
		x.leave(x.to, func(t *tracks) *atomic.Pointer[track] { return &t.said })
	}
	e.table.Release(x.entry)
}

// begin lets the kernel carry what the peer of s says, if both streams are fit for it.
func (e *express) begin(s *Stream) {
	if e.why != nil || e.relay.now() < e.calm || !s.goes() {
		return
	}
	entry, err := e.table.Reserve()
	if err == nil {
		x := &track{entry: entry, from: s}
		e.tracks = append(e.tracks, x)
		if err = e.start(x); err != nil {
			entry.Stop()
		}
	}
	if err != nil && !errors.Is(err, kernel.ErrStopped) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.tracks().restLocked(e.relay.now(), askLater)
	}
}

// start makes x known to both of its streams, so that whatever changes stops it, looks then whether they are fit, and begins. There is no moment in which something changes and neither is seen.
func (e *express) start(x *track) error {
	var w kernel.Way
	if !x.from.lend(x, &w) || !x.to.borrow(x, &w) {
		return kernel.ErrStopped
	}
	return e.table.Start(x.entry, w)
}
