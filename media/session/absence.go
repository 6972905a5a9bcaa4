package session

// Whether the peer is still there: one that has lost its network says goodbye to nobody, and its dialog may last for hours. RFC 3550 §6.3.5; RFC 8445 §11.

import (
	"errors"
	"time"

	"github.com/sipwerk/sipwerk/media/carriage"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// ErrAbsent is what [Voice.Failed] is told, once, when nothing has come from the peer for [Voice.Silence].
var ErrAbsent = errors.New("session: nothing comes from the peer any more")

// absencePace is how often it is looked whether the peer is there, at least.
const absencePace = 5 * time.Second

// absence is what is known of it, guarded by the mutex of the endpoint.
type absence struct {
	due   time.Time // of the next look
	since time.Time // from when on the peer ought to be heard: it was on hold, or ICE has shown that it was there
	told  bool
}

// absent reports, once, that the peer is gone. It is cheap as long as no look is due.
func (e *Endpoint) absent(now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	a := &e.absence
	if e.voice.Silence == 0 || a.told || now.Before(a.due) {
		return false
	}
	last, limit := e.heardLocked(now), e.voice.Silence
	shown, consents := e.way.Heard()
	if shown.After(a.since) {
		a.since = shown
	}
	if consents {
		limit = min(limit, carriage.ConsentEnd) // whatever the directions of its streams
	}
	if a.since.IsZero() || !consents && e.agreed.direction != sdp.SendRecv { // a call on hold may be as silent as it likes
		a.since = now
	}
	if a.since.After(last) {
		last = a.since
	}
	a.told, a.due = now.Sub(last) >= limit, now.Add(min(absencePace, last.Add(limit).Sub(now)))
	return a.told
}

// heardLocked returns when a packet of the peer came last; the zero time if none did.
func (e *Endpoint) heardLocked(now time.Time) (last time.Time) {
	streams := []*relay.Stream{e.stream}
	for _, p := range e.pictures {
		p.mu.Lock()
		streams = append(streams, p.stream)
		p.mu.Unlock()
	}
	for _, s := range streams {
		if s == nil {
			continue
		}
		c := s.Counters()
		if at := lastOf(&c, now); at.After(last) {
			last = at
		}
	}
	return last
}
