// Package lockout keeps who has guessed too often from guessing on for a while.
package lockout

import (
	"sync"
	"time"
)

// Limits of a [Lockout].
const (
	Guesses     = 6                // wrong ones …
	Window      = 15 * time.Minute // … within this time lock out for as long
	maxSuspects = 10_000
)

// Suspect is somebody who guesses at something.
type Suspect struct{ Where, Who string }

// Lockout counts wrong guesses. Safe for use by many goroutines; the zero value is ready.
type Lockout struct {
	mu       sync.Mutex // guards suspects
	suspects map[Suspect]record
}

type record struct {
	wrong int
	since time.Time // of the first of them, or of the lock
}

// Locked reports whether somebody is locked out.
func (l *Lockout) Locked(s Suspect) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.suspects[s]
	return ok && r.wrong >= Guesses && time.Since(r.since) < Window
}

// Wrong counts a wrong guess and reports whether it was the last one.
func (l *Lockout) Wrong(s Suspect) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	r, ok := l.suspects[s]
	if !ok && len(l.suspects) >= maxSuspects {
		l.sweepLocked(now)
	}
	if !ok || now.Sub(r.since) >= Window {
		r = record{since: now}
	}
	if r.wrong++; r.wrong == Guesses {
		r.since = now
	}
	if l.suspects == nil {
		l.suspects = make(map[Suspect]record)
	}
	l.suspects[s] = r
	return r.wrong >= Guesses
}

// Right forgets the wrong guesses of somebody.
func (l *Lockout) Right(s Suspect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.suspects, s)
}

// sweepLocked forgets what is over. If nothing is, it makes room all the same: whoever fills the table gains one more guess for it, and no memory.
func (l *Lockout) sweepLocked(now time.Time) {
	for s, r := range l.suspects {
		if now.Sub(r.since) >= Window {
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
