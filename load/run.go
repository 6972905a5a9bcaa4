// A run from its first connection to its result.

package load

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Phase is how far a run is.
type Phase int32

// The phases of a run.
const (
	Connecting  Phase = iota
	Registering       // the users to be called
	Warming
	Measuring
	Settling // held calls stand, memory is measured
	Draining // answers are waited for
	Done
)

// Progress is a run seen from outside while it goes on.
type Progress struct {
	Phase     Phase
	Elapsed   time.Duration // of warm-up and window
	Length    time.Duration // of both together
	Rate      float64       // answered a second, in the last stretch of the series
	Busy      int           // operations under way
	Started   int64         // since the start of the warm-up, as all that follow
	Completed int64
	Failed    int64
	P99       time.Duration // of the last stretch
}

// Run carries out a plan, once.
type Run struct {
	Plan Plan

	phase   atomic.Int32
	mu      sync.Mutex // guards all below
	workers []*worker
	tally   *tally
	start   time.Duration // of the schedule, from the epoch
	epoch   time.Time
}

// lead is how long before its first operation a schedule is made.
const lead = 10 * time.Millisecond

// Do carries out the plan. When ctx ends no more operations begin, and the result is that of what has begun. An error means that nothing was measured.
func (r *Run) Do(ctx context.Context) (*Result, error) {
	plan, err := r.Plan.withDefaults()
	if err != nil {
		return nil, err
	}
	meters, err := newMeters(plan.Process)
	if err != nil {
		return nil, err
	}
	defer r.phase.Store(int32(Done))
	result := &Result{Version: Version, Label: plan.Label, Scenario: plan.Scenario, Transport: strings.ToLower(plan.Transport.String()), Target: plan.Target.String(),
		Start: time.Now().UTC().Format(time.RFC3339), Users: plan.Users.len(), Workers: plan.Workers, Rate: plan.Rate, Warmup: plan.Warmup.Seconds(), Window: plan.Window.Seconds(), Hold: plan.Hold.Seconds()}
	if plan.Hold == HoldToEnd {
		result.Hold = -1
	}
	meters.start()
	if err := r.open(ctx, &plan); err != nil {
		return nil, errors.Join(err, r.close())
	}
	stop := r.pace()
	err = r.register(ctx, &plan)
	if err == nil {
		err = r.measure(ctx, &plan, meters, result)
	}
	stop()
	return result, errors.Join(err, r.close())
}

// open makes the workers.
func (r *Run) open(ctx context.Context, p *Plan) error {
	name := strings.ToLower(rand.Text()[:7])
	r.mu.Lock()
	defer r.mu.Unlock()
	r.epoch = time.Now()
	for i := range p.Workers {
		w := newWorker(p, i, name, r.epoch)
		r.workers = append(r.workers, w)
		if err := w.open(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *Run) close() error {
	for _, w := range r.workers {
		w.close()
	}
	return nil
}

// pace starts the goroutines of the workers; the returned function ends them.
func (r *Run) pace() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, w := range r.workers {
		running.Go(func() {
			runtime.LockOSThread() // its timers' slack belongs to the thread
			defer runtime.UnlockOSThread()
			w.pace(ctx)
		})
	}
	return func() {
		cancel()
		running.Wait()
	}
}

// now is the time on the clock of the workers.
func (r *Run) now() time.Duration { return time.Since(r.epoch) }

// register registers the users to be called. Their old bindings are removed before: those of a run that was killed would be called too.
func (r *Run) register(ctx context.Context, p *Plan) error {
	if !p.Scenario.twoSided() {
		return nil
	}
	r.phase.Store(int32(Registering))
	return errors.Join(r.forEachCallee(ctx, p, kindRemove), r.forEachCallee(ctx, p, kindRegister))
}

// forEachCallee sends one request of a kind for each user that is called.
func (r *Run) forEachCallee(ctx context.Context, p *Plan, k kind) error {
	start, rate := r.now()+lead, min(float64(registerRate), max(p.Rate, 50))
	length := time.Duration(float64(p.Callees) / rate * float64(time.Second))
	t := newTally(0, 1<<62, time.Hour)
	for i, w := range r.workers {
		s := newSchedule(start, length+time.Second, rate, i, p.Workers)
		s.count = int64((p.Callees - i + p.Workers - 1) / p.Workers)
		w.begin(t, s, k, true)
	}
	if err := r.drain(ctx, length+2*lifetime); err != nil {
		return err
	}
	if n, first := t.failure(); n > 0 {
		return fmt.Errorf("%w: %d of %d failed, %s", ErrCallees, n, p.Callees, first)
	}
	return nil
}

// measure runs warm-up, window and what comes after.
func (r *Run) measure(ctx context.Context, p *Plan, m *meters, result *Result) error {
	first, _ := p.Scenario.kind()
	m.before()
	start := r.now() + lead
	open, shut := start+p.Warmup, start+p.length()
	t := newTally(open, shut, p.stretch())
	t.stretch.end = start + p.stretch()
	t.start = start
	r.mu.Lock()
	r.tally, r.start = t, start
	r.mu.Unlock()
	for i, w := range r.workers {
		w.begin(t, newSchedule(start, p.length(), p.Rate, i, p.Workers), first, false)
	}
	r.phase.Store(int32(Warming))
	r.until(ctx, open)
	m.open()
	r.phase.Store(int32(Measuring))
	r.until(ctx, shut)
	m.shut()
	for _, w := range r.workers {
		w.stop()
	}
	if result.Interrupted = ctx.Err() != nil; result.Interrupted {
		t.cut(r.now())
	}
	r.wind(ctx, p, m)
	t.finish(result, r.now())
	wait(ctx, p.Settle)
	m.after()
	r.leave(ctx, p)
	r.finish(p, t, m, result)
	return nil
}

// wind ends what is under way.
func (r *Run) wind(ctx context.Context, p *Plan, m *meters) {
	if p.Hold == HoldToEnd && p.Scenario == Call {
		r.phase.Store(int32(Settling))
		wait(ctx, p.Settle)
	}
	m.loaded()
	r.phase.Store(int32(Draining))
	longest := p.Grace
	if longest == 0 {
		longest = max(p.Hold, 0) + 2*lifetime + time.Second
	}
	if p.Hold == HoldToEnd {
		_, held := r.left()
		longest += time.Duration(float64(held) / p.Rate * float64(time.Second))
		for _, w := range r.workers {
			w.part()
		}
	}
	// What is left when the time is over has failed.
	_ = r.drain(context.WithoutCancel(ctx), longest)
	for _, w := range r.workers {
		w.abandon()
	}
}

// leave removes the bindings of the users that were called. What goes wrong here the next run mends.
func (r *Run) leave(ctx context.Context, p *Plan) {
	if p.Scenario.twoSided() && ctx.Err() == nil {
		_ = r.forEachCallee(ctx, p, kindRemove)
	}
}

// finish fills the result.
func (r *Run) finish(p *Plan, t *tally, m *meters, result *Result) {
	for _, w := range r.workers {
		result.Counts.Malformed += w.malformed()
	}
	ended := result.Counts.Completed
	if p.Scenario == Call && p.Hold != 0 {
		ended = t.answered
	}
	result.Window = m.window().Seconds()
	result.Achieved = float64(ended) / result.Window
	m.report(result, ended)
	result.strain(p)
}

// strain says whether the generator may be what was measured.
func (r *Result) strain(p *Plan) {
	most := 92 * float64(min(2*p.Workers, runtime.NumCPU())) // a worker begins and reads
	rooms := int64(0)
	for _, f := range r.Failures {
		if f.Fault == FaultRoom {
			rooms += f.Count
		}
	}
	switch {
	case r.Generator.Percent > most:
		r.Strained = "cpu"
	case r.Lateness.P99 > 5000:
		r.Strained = "late"
	case rooms > 0:
		r.Strained = "room"
	}
}

// left sums what is under way.
func (r *Run) left() (busy, held int) {
	for _, w := range r.workers {
		b, h := w.left()
		busy, held = busy+b, held+h
	}
	return busy, held
}

// due reports whether an operation has still to begin.
func (r *Run) due() bool {
	for _, w := range r.workers {
		if w.waits() {
			return true
		}
	}
	return false
}

// drain waits until nothing is under way and nothing has still to begin, at most for a while.
func (r *Run) drain(ctx context.Context, longest time.Duration) error {
	end := r.now() + longest
	for r.now() < end {
		if busy, _ := r.left(); busy == 0 && !r.due() {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		wait(ctx, 10*time.Millisecond)
	}
	return nil
}

// until waits for a time on the clock of the workers.
func (r *Run) until(ctx context.Context, at time.Duration) { wait(ctx, at-r.now()) }

// Progress may be called at any time, by any goroutine.
func (r *Run) Progress() Progress {
	g := Progress{Phase: Phase(r.phase.Load()), Length: r.Plan.length()}
	r.mu.Lock()
	t, start := r.tally, r.start
	if r.epoch.IsZero() || t == nil {
		r.mu.Unlock()
		return g
	}
	now := r.now()
	busy, _ := r.left()
	r.mu.Unlock()
	g.Elapsed, g.Busy = min(now-start, g.Length), busy
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advanceLocked(now)
	g.Started, g.Completed, g.Failed = t.all.Started, t.all.Completed, t.all.Failed
	if n := len(t.series); n > 0 {
		g.Rate, g.P99 = t.series[n-1].Rate, time.Duration(t.series[n-1].Latency.P99*1000)
	}
	return g
}

// meters measure the server and the generator at the seams of a run.
type meters struct {
	server     processes
	own        processes
	usage      Usage // memory of the server
	opened     time.Time
	length     time.Duration
	serverUsed time.Duration
	ownUsed    time.Duration
}

func newMeters(pid int) (m *meters, err error) {
	m = &meters{own: processes{os.Getpid()}}
	if pid > 0 {
		m.server, err = processTree(pid)
	}
	return m, err
}

func (m *meters) start()  { m.usage.Start = m.server.memory() }
func (m *meters) before() { m.usage.Before = m.server.memory() }
func (m *meters) loaded() { m.usage.Loaded = m.server.memory() }
func (m *meters) after()  { m.usage.After = m.server.memory() }

func (m *meters) open() {
	m.opened, m.serverUsed, m.ownUsed = time.Now(), m.server.used(), m.own.used()
}

func (m *meters) shut() {
	m.length, m.serverUsed, m.ownUsed = time.Since(m.opened), m.server.used()-m.serverUsed, m.own.used()-m.ownUsed
}

func (m *meters) window() time.Duration { return m.length }

// report writes what was measured into a result of so many operations.
func (m *meters) report(r *Result, operations int64) {
	r.Generator = m.share(m.ownUsed, operations)
	if m.server != nil {
		u := m.share(m.serverUsed, operations)
		u.Processes, u.Start, u.Before, u.Loaded, u.After = len(m.server), m.usage.Start, m.usage.Before, m.usage.Loaded, m.usage.After
		r.Server = &u
	}
}

func (m *meters) share(used time.Duration, operations int64) Usage {
	u := Usage{Percent: 100 * used.Seconds() / m.length.Seconds()}
	if operations > 0 {
		u.PerOp = micro(used) / float64(operations)
	}
	return u
}
