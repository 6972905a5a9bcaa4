// What accounts have used of today, on disk: a restart gives nobody new minutes. What has ended is there before the last message of its call leaves; of a call under way it is at most
// keepInterval too little.

package dial

import (
	"fmt"
	"slices"
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
	var err error
	if m.journal, err = journal.Rewrite(file, m.everybody); err != nil {
		return fmt.Errorf("minutes: write: %w", err)
	}
	return nil
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

// changed yields what those have used for whom that is news; the writing lock is held.
func (m *Meter) changed(yield func(entry) bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.news.any.Store(false)
	users := m.news.users
	m.news.users = nil
	for _, u := range users {
		u.noted = false
	}
	note := func(e entry) bool {
		if m.copies {
			m.meanwhile = append(m.meanwhile, e)
		}
		return yield(e)
	}
	for _, u := range users {
		if !u.entryLocked(time.Now(), note) {
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
	m.journal.Add(m.changed)
	err := m.journal.Err()
	if err == nil {
		return
	}
	if !m.lost {
		m.Refusals.Log.Error("the minutes that accounts have used cannot be written; after a restart they have more", "err", err)
	}
	m.lost = true
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keepLocked() // writes them again
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
	m.renew()
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

// renew writes the file anew if it has grown long, or lacks something. Calls go on meanwhile: only who writes the file anew waits for the disk.
func (m *Meter) renew() {
	m.renewing.Lock()
	defer m.renewing.Unlock()
	if !m.begin() {
		return
	}
	fresh, err := journal.Prepare(m.file, m.everybody)
	if err := m.replace(fresh, err); err != nil {
		m.Refusals.Log.Error("the minutes that accounts have used cannot be written anew", "err", err)
	}
}

// begin keeps a copy of what is written from now on, if the file is to be written anew.
func (m *Meter) begin() bool {
	m.writing.Lock()
	defer m.writing.Unlock()
	m.copies = m.journal != nil && (m.lost || m.journal.Size() >= maxUsageFile)
	return m.copies
}

// replace puts a new file in the place of the old one, with what was written meanwhile, unless err says that there is none.
func (m *Meter) replace(fresh *journal.Journal[entry], err error) error {
	old, err := m.swap(fresh, err)
	if err != nil {
		return err
	}
	_ = old.Close() // what it lacks is in the new one
	return nil
}

// swap is what of it nobody may write beside: it does not wait for the disk.
func (m *Meter) swap(fresh *journal.Journal[entry], err error) (old *journal.Journal[entry], _ error) {
	m.writing.Lock()
	defer m.writing.Unlock()
	meanwhile := m.meanwhile
	m.copies, m.meanwhile = false, nil
	if err == nil {
		fresh.Add(slices.Values(meanwhile))
		err = fresh.Place()
	}
	if err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.keepLocked() // tries again
		return nil, err
	}
	old, m.journal, m.lost = m.journal, fresh, false
	return old, nil
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
	m.renew() // the last time to write what is lost
	m.renewing.Lock()
	defer m.renewing.Unlock()
	m.writing.Lock()
	defer m.writing.Unlock()
	j := m.journal
	m.journal = nil
	return j.Close()
}
