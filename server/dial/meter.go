// What accounts have used of their limits on calls to the outside: how many run, and how long they have talked today. A call that uses up the minutes of its payer is ended.

package dial

import (
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/internal/journal"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/service/dialplan"
)

// Meter counts the calls of accounts to the outside. Its entries are accounts of ours, and one without a call today is forgotten. The exported fields are not changed after the first call. Safe
// for use by many goroutines.
type Meter struct {
	Refusals *Refusals     // is told of calls that are refused or ended
	Warning  session.Music // both sides hear it when less than [WarningTime] is left; nil: nothing

	mu      sync.Mutex // guards what follows, and everything in the ledgers
	ledgers map[string]*ledger
	keeper  *time.Timer // notes from time to time what calls under way have used; nil: there are none

	renewing sync.Mutex // held by who writes the file anew; taken before writing

	writing   sync.Mutex              // held by who writes; guards what follows, and is taken before mu
	journal   *journal.Journal[entry] // nil: nothing is kept
	file      string
	lost      bool    // something is not in the journal: it is to be written anew
	copies    bool    // it is being written anew
	meanwhile []entry // was written while it is
	news      news
}

// NewMeter makes a meter on which nobody has called yet.
func NewMeter(r *Refusals) *Meter {
	return &Meter{Refusals: r, ledgers: make(map[string]*ledger)}
}

// ledger are the accounts of a domain. It implements [dialplan.Ledger].
type ledger struct {
	meter  *Meter
	domain string
	zone   *time.Location
	begin  time.Time // of the day
	end    time.Time
	usage  map[string]*usage // by account
}

// usage is what one account has used.
type usage struct {
	ledger  *ledger
	account string
	talked  time.Duration      // today, in calls that are over
	running map[*toll]struct{} // calls under way
	minutes time.Duration      // that it may talk a day; 0: any
	next    *time.Timer        // when something is to be done about the calls under way; nil: never
	noted   bool               // it is among the news
}

// Ledger gives the ledger of a domain.
func (m *Meter) Ledger(domain string) dialplan.Ledger {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ledgerLocked(domain)
}

func (m *Meter) ledgerLocked(domain string) *ledger {
	l := m.ledgers[domain]
	if l == nil {
		l = &ledger{meter: m, domain: domain, zone: time.Local, usage: make(map[string]*usage)}
		m.ledgers[domain] = l
	}
	return l
}

// Zone says where a domain is at home: its day begins at midnight there. Without a word it is the machine's.
func (m *Meter) Zone(domain string, zone *time.Location) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.ledgerLocked(domain)
	if l.zone.String() == zone.String() {
		return
	}
	l.zone = zone
	if !l.begin.IsZero() {
		l.dayLocked(time.Now()) // what was talked on the day so far stays talked
	}
}

// dayLocked finds the day that it is.
func (l *ledger) dayLocked(now time.Time) {
	y, m, d := now.In(l.zone).Date()
	l.begin, l.end = time.Date(y, m, d, 0, 0, 0, 0, l.zone), time.Date(y, m, d+1, 0, 0, 0, 0, l.zone)
}

// turnLocked begins a new day if it is one. What calls under way have used before is forgotten with the rest.
func (l *ledger) turnLocked(now time.Time) {
	if now.Before(l.end) {
		return
	}
	l.dayLocked(now)
	for account, u := range l.usage {
		if u.talked = 0; len(u.running) == 0 {
			delete(l.usage, account)
		}
		for t := range u.running {
			if !t.since.IsZero() && t.since.Before(l.begin) {
				t.since = l.begin
			}
			t.warned = false
		}
	}
}

// usageLocked is that of an account, made if there is none.
func (l *ledger) usageLocked(account string) *usage {
	u := l.usage[account]
	if u == nil {
		u = &usage{ledger: l, account: account, running: make(map[*toll]struct{})}
		l.usage[account] = u
	}
	return u
}

// Used implements [dialplan.Ledger]. A call under way counts from its answer.
func (l *ledger) Used(account string) dialplan.Use {
	now := time.Now()
	l.meter.mu.Lock()
	defer l.meter.mu.Unlock()
	l.turnLocked(now)
	u := l.usage[account]
	if u == nil {
		return dialplan.Use{}
	}
	talked, _ := u.usedLocked(now)
	return dialplan.Use{Calls: len(u.running), Talked: talked}
}

// usedLocked is how long an account has talked today, and how many of its calls are talking now.
func (u *usage) usedLocked(now time.Time) (talked time.Duration, talking int) {
	talked = u.talked
	for t := range u.running {
		if !t.since.IsZero() {
			talking++
			talked += now.Sub(t.since)
		}
	}
	return talked, talking
}
