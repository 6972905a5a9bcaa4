// Who has guessed too often is not let in for a while.

package conference

import (
	"sync"
	"time"
)

const (
	lockoutGuesses = 6                // wrong PINs of somebody for a room …
	lockoutWindow  = 15 * time.Minute // … within this time lock them out for as long
	maxSuspects    = 10_000
)

// lockout counts wrong PINs. Safe for use by many goroutines; the zero value is ready.
type lockout struct {
	mu       sync.Mutex // guards suspects
	suspects map[suspect]record
}

// suspect is somebody at a room.
type suspect struct{ room, who string }

type record struct {
	wrong int
	since time.Time // of the first of them, or of the lock
}

// locked reports whether somebody is locked out of a room.
func (l *lockout) locked(s suspect) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.suspects[s]
	return ok && r.wrong >= lockoutGuesses && time.Since(r.since) < lockoutWindow
}

// wrong counts a wrong PIN and reports whether it was the last one.
func (l *lockout) wrong(s suspect) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	r, ok := l.suspects[s]
	if !ok && len(l.suspects) >= maxSuspects {
		l.sweepLocked(now)
	}
	if !ok || now.Sub(r.since) >= lockoutWindow {
		r = record{since: now}
	}
	if r.wrong++; r.wrong == lockoutGuesses {
		r.since = now
	}
	if l.suspects == nil {
		l.suspects = make(map[suspect]record)
	}
	l.suspects[s] = r
	return r.wrong >= lockoutGuesses
}

// right forgets the wrong PINs of somebody.
func (l *lockout) right(s suspect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.suspects, s)
}

// sweepLocked forgets what is over. If nothing is, it makes room all the same: whoever fills the table gains one more guess for it, and no memory.
func (l *lockout) sweepLocked(now time.Time) {
	for s, r := range l.suspects {
		if now.Sub(r.since) >= lockoutWindow {
			delete(l.suspects, s)
		}
	}
	for s := range l.suspects {
		if len(l.suspects) < maxSuspects {
			return
		}
		delete(l.suspects, s)
	}
}
