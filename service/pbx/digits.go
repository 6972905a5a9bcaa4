// What is dialled during a call: telephone events, tones and INFO in one row. RFC 4733 §2.5.

package pbx

import (
	"context"
	"strings"
	"time"
)

// digitQueue is how many digits of INFO wait to be read; further ones are dropped.
const digitQueue = 64

// Digits say which digits are waited for.
type Digits struct {
	Max   int           // so many and no more; 0: one
	First time.Duration // how long the first is waited for; 0: 5 s
	Next  time.Duration // how long each further is waited for; 0: 3 s. Then what was dialled counts
	End   string        // digits that end the row and are not part of it
}

const (
	defaultFirst = 5 * time.Second
	defaultNext  = 3 * time.Second
)

// ReadDigits returns what is dialled, what was dialled before included. The error is [ErrSilent] if nothing comes, not even one of End; [ErrHungUp], or that of ctx.
func (l *Line) ReadDigits(ctx context.Context, want Digits) (string, error) {
	var digits []byte
	wait := or(want.First, defaultFirst)
	for len(digits) < max(want.Max, 1) {
		d, err := l.Key(ctx, wait)
		switch {
		case err == ErrSilent && len(digits) > 0:
			return string(digits), nil
		case err != nil:
			return "", err
		case strings.IndexByte(want.End, d) >= 0:
			return string(digits), nil
		}
		digits = append(digits, d)
		wait = or(want.Next, defaultNext)
	}
	return string(digits), nil
}

// Key returns the next digit, or [ErrSilent] if none comes in time.
func (l *Line) Key(ctx context.Context, wait time.Duration) (byte, error) {
	if l.dialled() {
		return l.next(), nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case d := <-l.endpoint.Digits():
		return d, nil
	case d := <-l.told:
		return d, nil
	case <-timer.C:
		return 0, ErrSilent
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

// Forget drops what was dialled and not read: after a mistake nobody means what they dialled ahead.
func (l *Line) Forget() {
	for l.dialled() {
		l.next()
	}
}

// dialled reports whether a digit waits to be read.
func (l *Line) dialled() bool {
	select {
	case d := <-l.endpoint.Digits():
		l.ahead = append(l.ahead, d)
	case d := <-l.told:
		l.ahead = append(l.ahead, d)
	default:
	}
	return len(l.ahead) > 0
}

// next takes the digit that waits.
func (l *Line) next() byte {
	d := l.ahead[0]
	l.ahead = l.ahead[1:]
	return d
}

// tell takes a digit that came in an INFO; one too many is dropped.
func (l *Line) tell(d byte) {
	select {
	case l.told <- d:
	default:
	}
}

// or returns v, or the default if v is zero.
func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
