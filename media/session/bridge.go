package session

// Two legs made one path.

import (
	"errors"
	"slices"
)

// Settle makes the offer and the answer that a and b have learned and presented their session, and joins their streams, each
// with the one in the same slot. It is called when the answer has come; a leg that was bridged with another leaves that one. An error means that keys that were
// agreed on cannot be used, and that the call is of no use.
func Settle(a, b *Leg) error {
	for i := range min(len(a.lines), len(b.lines)) {
		agreeClock(a.lines[i].learning(), b.lines[i].learning())
	}
	if err := errors.Join(a.settle(), b.settle()); err != nil {
		return err
	}
	for i := range min(len(a.lines), len(b.lines)) {
		if x, y := &a.lines[i], &b.lines[i]; x.stream != nil && y.stream != nil {
			join(a.site, x, y)
			a.watchPictures(i, y)
			b.watchPictures(i, x)
		}
	}
	a.ear.follow(b)
	b.ear.follow(a)
	return nil
}

// agreeClock gives both sides the clock of the first codec that both have named. An answer names fewer than its offer, and the first of them is the one that is spoken.
func agreeClock(a, b *said) {
	if len(a.codecs) > len(b.codecs) {
		a, b = b, a
	}
	for _, c := range a.codecs {
		if c.IsSpeech() && slices.ContainsFunc(b.codecs, c.Matches) {
			a.Clock, b.Clock = c.Clock, c.Clock
			a.spoken, b.spoken = c.Name, c.Name
			return
		}
	}
}
