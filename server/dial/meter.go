// What accounts have used of their limits on calls to the outside: how many run, and how long they have talked today.

package dial

import (
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/dialplan"
	"github.com/sipwerk/sipwerk/sip"
)

// Meter counts the calls of accounts to the outside. Its entries are accounts of ours, and one without a call today is forgotten. Safe for use by many goroutines.
type Meter struct {
	mu    sync.Mutex // guards what follows
	day   int        // on which talked was counted, as the day of the year of the machine
	usage map[payer]*usage
}

// payer is an account of a domain.
type payer struct{ domain, account string }

// usage is what one account has used.
type usage struct {
	talked  time.Duration
	running map[*toll]time.Time // calls under way, with their begin
}

// NewMeter makes a meter on which nobody has called yet.
func NewMeter() *Meter { return &Meter{usage: make(map[payer]*usage)} }

// Ledger gives the ledger of a domain.
func (m *Meter) Ledger(domain string) dialplan.Ledger { return ledger{m, domain} }

// ledger implements [dialplan.Ledger].
type ledger struct {
	meter  *Meter
	domain string
}

// Used implements [dialplan.Ledger]. A call under way counts from its begin.
func (l ledger) Used(account string) dialplan.Use {
	now := time.Now()
	l.meter.mu.Lock()
	defer l.meter.mu.Unlock()
	l.meter.turnLocked(now)
	u := l.meter.usage[payer{l.domain, account}]
	if u == nil {
		return dialplan.Use{}
	}
	use := dialplan.Use{Calls: len(u.running), Talked: u.talked}
	for _, begin := range u.running {
		use.Talked += now.Sub(begin)
	}
	return use
}

// turnLocked begins a new day.
func (m *Meter) turnLocked(now time.Time) {
	if day := now.Year()*1000 + now.YearDay(); day != m.day {
		m.day = day
		for who, u := range m.usage {
			if u.talked = 0; len(u.running) == 0 {
				delete(m.usage, who)
			}
		}
	}
}

// toll is what one call to the outside costs its payer. It implements [b2bua.Gate].
type toll struct {
	meter *Meter
	payer payer
	limit int // of calls at once; 0: any number
}

// Toll makes the gate of a call; nil if nobody's limits count.
func (m *Meter) Toll(domain string, o *dialplan.Out) b2bua.Gate {
	if o.Payer == "" || o.Emergency {
		return nil
	}
	return &toll{meter: m, payer: payer{domain, o.Payer}, limit: o.MaxCalls}
}

// Begin enters the call; a status other than 0 says that too many run already. A call that is tried by several trunks is one.
func (t *toll) Begin() sip.Status {
	now := time.Now()
	t.meter.mu.Lock()
	defer t.meter.mu.Unlock()
	t.meter.turnLocked(now)
	u := t.meter.usage[t.payer]
	if u == nil {
		u = &usage{running: make(map[*toll]time.Time)}
		t.meter.usage[t.payer] = u
	}
	if _, again := u.running[t]; !again && t.limit > 0 && len(u.running) >= t.limit {
		return sip.StatusBusyHere
	}
	u.running[t] = now
	return 0
}

// End takes the call out. talked is how long it was connected.
func (t *toll) End(_ sip.Status, talked time.Duration) {
	t.meter.mu.Lock()
	defer t.meter.mu.Unlock()
	u := t.meter.usage[t.payer]
	if u == nil {
		return
	}
	delete(u.running, t)
	if u.talked += talked; u.talked == 0 && len(u.running) == 0 {
		delete(t.meter.usage, t.payer)
	}
}
