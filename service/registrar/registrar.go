// The registrar: its settings, how it starts and stops.

package registrar

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/internal/slab"
	"github.com/sipwerk/sipwerk/sip"
)

// Defaults of the fields of [Registrar].
const (
	DefaultMinExpires  = time.Minute
	DefaultMaxExpires  = 2 * time.Hour
	DefaultExpires     = time.Hour
	DefaultMaxContacts = 10
)

// Accounts knows the people of the domain. Its methods are called on the goroutine that reads the network and must not block.
type Accounts interface {
	// AOR returns the address-of-record for which uri stands in this domain: that of an account that is called by one of its
	// devices or numbers, or by another name of the domain. ok is false if uri is nobody. RFC 3261 §10.3 step 5.
	AOR(uri sip.URI) (aor sip.URI, ok bool)
	// MayBind reports whether user, who has proved the password ("" for nobody), may change the bindings of aor.
	MayBind(user string, aor sip.URI) bool
}

// Registrar answers REGISTER and keeps bindings. Fill the exported fields, call Open, and leave the fields alone from then on. Without Open it works
// too, in memory only, and bindings that have expired are forgotten when somebody asks for them. Safe for use by many goroutines.
type Registrar struct {
	Accounts    Accounts
	MinExpires  time.Duration // shorter is refused with 423; 0: DefaultMinExpires
	MaxExpires  time.Duration // longer is cut; 0: DefaultMaxExpires
	Expires     time.Duration // granted to who asks for none; 0: DefaultExpires
	MaxContacts int           // bindings of one address-of-record; 0: DefaultMaxContacts
	FlowTimer   time.Duration // how often a device that registers a flow here proves it alive; 0: DefaultFlowTimer

	ServiceRoute []string // values of Service-Route in the 200: by which way requests of the device go (RFC 3608)
	Push         []string // the providers by which devices can be woken; others get 555 (RFC 8599). None: nobody looks at it
	GRUUKey      []byte   // for temporary GRUUs; nodes that share it read each other's. nil: a random one

	// Journal is the folder in which bindings outlive the process; "" keeps them in memory only.
	Journal string
	// Batched says that [Registrar.Barrier] is called before answers leave, so that one write serves many requests. Otherwise each request
	// is written before it is answered.
	Batched bool
	// Changed is told of every change after it was made, from many goroutines. It must not block.
	Changed func(Change)
	Events  Events       // tells those who watch registrations; nil: nobody is told
	Log     *slog.Logger // nil: nothing is logged

	once    sync.Once
	table   table
	flows   flowIndex
	journal *journal // nil: none
	pages   slab.Pages
	mint    mint
	watches watches
	works   sync.Pool     // of *work
	wake    atomic.Int64  // the Unix second at which the expiry looks next
	earlier chan struct{} // tells it to look again
	stop    context.CancelFunc
	running sync.WaitGroup
	refused atomic.Uint64
	full    atomic.Uint64
}

// limits are the effective bounds of an expiry.
type limits struct{ min, max, usual time.Duration }

func (r *Registrar) limits() limits {
	l := limits{min: or(r.MinExpires, DefaultMinExpires), max: or(r.MaxExpires, DefaultMaxExpires)}
	l.usual = min(or(r.Expires, DefaultExpires), l.max)
	return l
}

func or[T int | time.Duration](value, otherwise T) T {
	if value > 0 {
		return value
	}
	return otherwise
}

func (r *Registrar) start() {
	r.once.Do(func() {
		r.table.start()
		r.mint = newMint(r.GRUUKey)
		if r.Log == nil {
			r.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
		}
	})
}

// Open reads the journal and starts to expire bindings. An error means that the folder cannot be used; nothing runs then.
func (r *Registrar) Open() error {
	r.start()
	if r.Journal != "" {
		r.table.use(&r.pages)
		r.flows.pairs.Pages = &r.pages
		j, err := openJournal(r.Journal, r.Log, r.restore)
		if err != nil {
			r.pages.Free()
			return err
		}
		r.journal = j
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop, r.earlier = stop, make(chan struct{}, 1)
	r.running.Go(func() { r.expireLoop(ctx) })
	if r.journal != nil {
		r.running.Go(func() { r.journal.syncLoop(ctx, r.table.snapshots()) })
		names, bindings := r.table.counts()
		r.Log.Info("bindings restored", "aors", names, "bindings", bindings)
	}
	return nil
}

// restore puts a record of the journal into the table: the last one of a name counts.
func (r *Registrar) restore(rec []byte) error {
	name, bindings, err := splitRecord(rec)
	if err != nil {
		return err
	}
	w := r.work()
	defer r.works.Put(w)
	if w.state.bindings, err = w.decode(bindings); err != nil {
		return err
	}
	now, n := time.Now(), len(w.state.bindings)
	w.state.bindings = slices.DeleteFunc(w.state.bindings, func(b Binding) bool { return b.expired(now) })
	if w.record = append(w.record[:0], bindings...); len(w.state.bindings) < n {
		w.record = appendBindings(w.record[:0], w.state.bindings)
	}
	s := r.table.lock(name)
	defer s.mu.Unlock()
	var before decoder
	old, _ := before.decode(s.getLocked())
	r.storeLocked(w, &s, old)
	return nil
}

// Close stops and writes what is to be written. Call it once, after the last request.
func (r *Registrar) Close() error {
	if r.stop == nil {
		return nil
	}
	r.stop()
	r.running.Wait()
	if r.journal == nil {
		return nil
	}
	err := r.journal.close()
	r.table.clear()
	r.flows.clear()
	r.pages.Free()
	return err
}

// Barrier returns when every change made so far is written: it survives the end of the process, and within a second the
// end of the machine. It is for the transport layer, which calls it before it sends a batch of answers, and sends none of them after an error: who asks again gets 503
// until the disk takes what is to be written.
func (r *Registrar) Barrier() error {
	if r.journal == nil {
		return nil
	}
	err := r.journal.barrier()
	if err != nil {
		r.Log.Error("bindings cannot be written", "err", err)
	}
	return err
}

// Counts says how much the registrar holds and has refused.
type Counts struct {
	AORs     int
	Bindings int
	Refused  uint64 // requests answered with 4xx or 5xx
	Unstored uint64 // of these, 503 because the journal could not be written
}

// Counts returns the present figures.
func (r *Registrar) Counts() Counts {
	r.start()
	names, bindings := r.table.counts()
	return Counts{AORs: names, Bindings: bindings, Refused: r.refused.Load(), Unstored: r.full.Load()}
}
