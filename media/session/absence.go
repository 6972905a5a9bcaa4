package session

// Whether the peer is still there: one that has lost its network says goodbye to nobody, and its dialog may last for hours. RFC 3550 §6.3.5; RFC 8445 §11.

import (
	"errors"
	"time"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// ErrAbsent is what [Voice.Failed] is told, once, when nothing has come from the peer for [Voice.Silence].
var ErrAbsent = errors.New("session: nothing comes from the peer any more")

const (
	// absencePace is how often it is looked whether the peer is there.
	absencePace = 5 * time.Second
	// checkless is after how long without a check a peer is gone that makes one every few seconds, whatever the directions of its streams. RFC 7675 §5.1.
	checkless = time.Minute
)

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
	a.due = now.Add(absencePace)
	last, limit := e.heardLocked(now), e.voice.Silence
	shown, steady := e.way.Heard()
	if shown.After(a.since) {
		a.since = shown
	}
	switch {
	case steady:
		limit = min(limit, checkless)
	case a.since.IsZero() || e.agreed.direction != sdp.SendRecv: // a call on hold may be as silent as it likes
		a.since = now
	}
	if a.since.After(last) {
		last = a.since
	}
	a.told = now.Sub(last) >= limit
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
		if c := s.Counters(); c.LastIn >= 0 && now.Add(-c.LastIn).After(last) {
			last = now.Add(-c.LastIn)
		}
	}
	return last
}
