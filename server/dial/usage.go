// What accounts have used of today, on disk: a restart gives nobody new minutes. What has ended is there before the last message of its call leaves; of a call under way it is at most
// keepInterval too little.

package dial

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/internal/journal"
)

const (
	keepInterval = 15 * time.Second
	maxUsageFile = 4 << 20 // bytes; a longer one is written anew
)

// entry is a line of the journal: what an account has used of a day so far. Of several the longest time holds.
type entry struct {
	Domain  string  `json:"domain"`
	Account string  `json:"account"`
	Day     string  `json:"day"`    // as it is called where the domain is at home
	Seconds float64 `json:"talked"` // in seconds
}

// news is who has used something since it was written last.
type news struct {
	any   atomic.Bool // there is somebody
	users []*usage    // guarded by the mutex of the meter; each once
}

// addLocked notes somebody.
func (n *news) addLocked(u *usage) {
	if !u.noted {
		u.noted = true
		n.users = append(n.users, u)
	}
	n.any.Store(true)
}

// Open reads what was used before a restart, and keeps it in the file from now on. The zones of the domains must be known.
func (m *Meter) Open(file string) error {
	m.writing.Lock()
	defer m.writing.Unlock()
	m.file = file
	if err := journal.Read(file, m.recall); err != nil {
		return fmt.Errorf("minutes: read: %w", err)
	}
	return m.rewriteLocked()
}

// recall takes a line of the journal.
func (m *Meter) recall(e entry) {
	if e.Account == "" || e.Seconds <= 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.ledgerLocked(e.Domain)
	if l.turnLocked(time.Now()); e.Day == l.day() {
		u := l.usageLocked(e.Account)
		u.talked = max(u.talked, time.Duration(e.Seconds*float64(time.Second)))
	}
}

// day is the name of the day.
func (l *ledger) day() string { return l.begin.Format(time.DateOnly) }

// rewriteLocked begins a new file; the writing lock is held.
func (m *Meter) rewriteLocked() error {
	fresh, err := journal.Rewrite(m.file, m.everybody)
	if err != nil {
		return fmt.Errorf("minutes: write: %w", err)
	}
	old := m.journal
	m.journal = fresh
	return old.Close()
}

// everybody yields what accounts have used.
func (m *Meter) everybody(yield func(entry) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.ledgers {
		for _, u := range l.usage {
			if !u.entryLocked(time.Now(), yield) {
				return
			}
		}
	}
}

// changed yields what those have used for whom that is news.
func (m *Meter) changed(yield func(entry) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.news.any.Store(false)
	users := m.news.users
	m.news.users = nil
	for _, u := range users {
		u.noted = false
	}
	for _, u := range users {
		if !u.entryLocked(time.Now(), yield) {
			return
		}
	}
}

// entryLocked yields what an account has used of the day, if that is something.
func (u *usage) entryLocked(now time.Time, yield func(entry) bool) (more bool) {
	l := u.ledger
	l.turnLocked(now)
	talked, _ := u.usedLocked(now)
	return talked == 0 || yield(entry{l.domain, u.account, l.day(), talked.Seconds()})
}

// Write returns when what accounts have used by the calls that have ended survives the process. It is cheap when none has.
func (m *Meter) Write() {
	if !m.news.any.Load() {
		return
	}
	m.writing.Lock()
	defer m.writing.Unlock()
	if m.journal == nil {
		return
	}
	before := m.journal.Err()
	m.journal.Add(m.changed)
	if err := m.journal.Err(); err != nil && before == nil {
		m.Refusals.Log.Error("the minutes that accounts have used cannot be written; after a restart they have more", "err", err)
	}
}

// keepLocked notes what calls under way have used, from time to time while there are any.
func (m *Meter) keepLocked() {
	if m.keeper == nil {
		m.keeper = time.AfterFunc(keepInterval, m.keep)
	}
}

func (m *Meter) keep() {
	m.mu.Lock()
	m.keeper = nil
	if m.noteTalkingLocked() {
		m.keepLocked()
	}
	m.mu.Unlock()
	m.Write()
	m.shorten()
}

// noteTalkingLocked notes everybody who talks now, and reports whether there is somebody.
func (m *Meter) noteTalkingLocked() (some bool) {
	now := time.Now()
	for _, l := range m.ledgers {
		for _, u := range l.usage {
			if _, talking := u.usedLocked(now); talking > 0 {
				m.news.addLocked(u)
				some = true
			}
		}
	}
	return some
}

// shorten writes the file anew if it has grown long.
func (m *Meter) shorten() {
	m.writing.Lock()
	defer m.writing.Unlock()
	if m.journal.Size() < maxUsageFile {
		return
	}
	if err := m.rewriteLocked(); err != nil {
		m.Refusals.Log.Error("the minutes that accounts have used cannot be written anew", "err", err)
	}
}

// Close keeps what calls under way have used and ends the journal. Nobody is warned or cut any more.
func (m *Meter) Close() error {
	m.mu.Lock()
	m.noteTalkingLocked()
	for _, l := range m.ledgers {
		for _, u := range l.usage {
			if u.next != nil {
				u.next.Stop()
			}
		}
	}
	if m.keeper != nil {
		m.keeper.Stop()
	}
	m.mu.Unlock()
	m.Write()
	m.writing.Lock()
	defer m.writing.Unlock()
	j := m.journal
	m.journal = nil
	return j.Close()
}
