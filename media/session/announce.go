package session

// An announcement to both sides of a call, in the place of what they say to each other.

import "github.com/sipwerk/sipwerk/media/relay"

// Announce plays m to the peers of two legs that are bridged, in codecs of theirs, instead of what they say to each other meanwhile. It returns what waits until both have heard it, and tells
// then who has heard all of it, the peer of a first: nobody whom [Hearing] did not name, and nobody who was called away by [Settle] before the end. One who has no sound in a codec of ours
// counts as one who has heard it. After that, or at any time before, [Rejoin] lets them talk again.
func Announce(a, b *Leg, m Music) (wait func() (heard [2]bool)) {
	var playing [2][]*waiting
	heard := [2]bool{true, true}
	for i := range min(len(a.lines), len(b.lines)) {
		pair := [2]*line{&a.lines[i], &b.lines[i]}
		if !sounding(pair) {
			continue
		}
		free := pair[0].waiting == nil && pair[1].waiting == nil
		if free {
			pair[0].passOn()
			pair[1].passOn()
			relay.Part(pair[0].stream)
		}
		for side, n := range pair {
			switch _, _, ok := n.told.speech(a.site.formats()); {
			case !ok:
			case free && n.hears() && n.wait(a.site, pair[1-side], m):
				n.waiting.once = true
				playing[side] = append(playing[side], n.waiting)
			default:
				heard[side] = false
			}
		}
	}
	return func() [2]bool {
		for side := range playing {
			for _, w := range playing[side] {
				w.stopped.Wait()
				heard[side] = heard[side] && !w.cut
			}
		}
		return heard
	}
}

// Hearing tells to which peers of two legs [Announce] would play something now, the peer of a first: not to one who has put the other on hold, nor to one who waits with music, and to nobody
// before both have agreed on their session.
func Hearing(a, b *Leg) (hears [2]bool) {
	for i := range min(len(a.lines), len(b.lines)) {
		pair := [2]*line{&a.lines[i], &b.lines[i]}
		if !sounding(pair) || pair[0].waiting != nil || pair[1].waiting != nil {
			continue
		}
		for side, n := range pair {
			_, _, ok := n.told.speech(a.site.formats())
			hears[side] = hears[side] || ok && n.hears()
		}
	}
	return hears
}

// sounding tells whether two lines carry sound.
func sounding(pair [2]*line) bool {
	return pair[0].stream != nil && pair[1].stream != nil && pair[0].told.sound && pair[1].told.sound
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
