// The alarm of a table: one timer that sleeps until the next deadline of any stripe. Whoever runs a lane sees to the timers of its stripe that are due, so under load it
// finds nothing to do.

package transaction

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// alarm wakes the stripes of a table.
type alarm struct {
	at    atomic.Int64              // what it is set to, on the clock of the table; never: not set
	due   [sip.Stripes]atomic.Int64 // the next deadline of each stripe
	mu    sync.Mutex                // guards timer
	timer *time.Timer
}

// setAlarm notes the next deadline of a stripe.
func (t *Table) setAlarm(n sip.Stripe, due time.Duration) {
	t.alarm.due[n].Store(int64(due))
	if int64(due) < t.alarm.at.Load() {
		t.arm(due)
	}
}

// arm sets the alarm to a deadline unless it is set to an earlier one.
func (t *Table) arm(due time.Duration) {
	a := &t.alarm
	a.mu.Lock()
	defer a.mu.Unlock()
	if int64(due) >= a.at.Load() || t.closed.Load() {
		return
	}
	a.at.Store(int64(due))
	if wait := due - t.clock(); a.timer == nil {
		a.timer = time.AfterFunc(wait, t.ring)
	} else {
		a.timer.Reset(wait)
	}
}

// disarm stops the alarm for good: the table is closed.
func (t *Table) disarm() {
	t.alarm.mu.Lock()
	defer t.alarm.mu.Unlock()
	if t.alarm.timer != nil {
		t.alarm.timer.Stop()
	}
}

// ring wakes the stripes that have something to do. One that is busy is told, and notes its next deadline when it is through.
func (t *Table) ring() {
	a, out := &t.alarm, t.getOutbox()
	a.at.Store(int64(never))
	now, next := t.clock(), never
	for i := range t.stripes {
		if time.Duration(a.due[i].Load()) <= now {
			t.stripes[i].enter(job{tick: true}, out)
		}
		if due := time.Duration(a.due[i].Load()); due > now {
			next = min(next, due)
		}
	}
	t.putOutbox(out)
	if next != never {
		t.arm(next)
	}
}

// alarm tells the table the next deadline, if that has changed.
func (s *stripe) alarm() {
	if s.timers.stale {
		s.timers.settle()
	}
	if s.alarmed != s.timers.wake {
		s.alarmed = s.timers.wake
		s.table.setAlarm(s.number, s.alarmed)
	}
}
