package session

// An announcement to both sides of a call, in the place of what they say to each other.

import "github.com/sipwerk/sipwerk/media/relay"

// Announce plays m to the peers of two legs that are bridged, in codecs of theirs, instead of what they say to each other meanwhile. It returns what waits until both have heard it; after that,
// or at any time before, [Rejoin] lets them talk again. Who is on hold hears nothing of it.
func Announce(a, b *Leg, m Music) (wait func()) {
	var playing []*waiting
	for i := range min(len(a.lines), len(b.lines)) {
		x, y := &a.lines[i], &b.lines[i]
		if x.stream == nil || y.stream == nil || !x.told.sound || x.waiting != nil || y.waiting != nil {
			continue
		}
		x.passOn()
		y.passOn()
		relay.Part(x.stream)
		for _, side := range [...][2]*line{{x, y}, {y, x}} {
			if n := side[0]; n.hears() && n.wait(a.site, side[1], m) {
				n.waiting.once = true
				playing = append(playing, n.waiting)
			}
		}
	}
	return func() {
		for _, w := range playing {
			w.stopped.Wait()
		}
	}
}

// Rejoin lets the peers of two legs talk again after an announcement.
func Rejoin(a, b *Leg) {
	for i := range min(len(a.lines), len(b.lines)) {
		if x, y := &a.lines[i], &b.lines[i]; x.announced() || y.announced() {
			x.resume()
			y.resume()
			join(a.site, x, y)
		}
	}
}

// announced tells whether the peer of n hears an announcement, or heard one last.
func (n *line) announced() bool { return n.stream != nil && n.waiting != nil && n.waiting.once }
