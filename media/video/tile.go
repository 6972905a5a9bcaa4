package video

// One stream to somebody who looks. What it shows goes on until the next thing begins with a whole picture.

import (
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// A Tile is one stream to somebody who looks; [NewTile] makes one. Its methods may be called from anywhere.
type Tile struct {
	ssrc uint32
	send func(b []byte)
	// Resend, if set before the first packet, is send for packets that were sent before. Nil: they are sent as the first time.
	Resend func(b []byte)

	mu       sync.Mutex // guards what follows; held while a packet is sent, so that they go in order
	payloads [Formats]uint8
	track    Track
	shown    *Source // whose packets are forwarded; nil: nothing has begun
	layer    int     // which stream of it
	next     *Source // what is to be shown; nil: nothing
	want     int     // which stream of it
	whole    bool    // the picture with which shown began has come, not only its parameters
	grant    int     // bit/s that there is room for
	buffer   []byte
	octets   int // sent since the last call of rate
	packets  uint64
	switches uint64
}

// arrival is whence a packet comes.
type arrival struct {
	source *Source
	layer  int
	format Format
	opens  bool // see [Format.Opens]
	whole  bool
	now    time.Time
}

// NewTile returns a tile that sends under this SSRC; send gets each packet, must not call the tile, and does not keep b.
func NewTile(ssrc uint32, send func(b []byte)) *Tile {
	return &Tile{ssrc: ssrc, send: send, want: Nothing, grant: firstRate}
}

// Agree says under which payload type the receiver takes a format; what is missing it does not take.
func (t *Tile) Agree(payloads map[Format]uint8) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.payloads = [Formats]uint8{}
	for f, payload := range payloads {
		t.payloads[f%Formats] = payload
	}
}

// Takes tells whether the receiver takes what a source sends, as far as that is known.
func (t *Tile) Takes(s *Source) bool {
	f := s.Format()
	t.mu.Lock()
	defer t.mu.Unlock()
	return f == 0 || t.payloads[f] != 0
}

// Show shows a source, nil for nothing, as soon as a whole picture of it comes; until then what is shown goes on. The source must not be one that the receiver itself sends.
func (t *Tile) Show(s *Source, now time.Time) {
	t.mu.Lock()
	was, shown := t.next, t.shown
	if was == s {
		t.mu.Unlock()
		return
	}
	if t.next, t.want = s, Nothing; s == nil {
		t.shown = nil
		t.track.Close()
	}
	t.mu.Unlock()
	for _, old := range [...]*Source{was, shown} {
		if old != nil && (s == nil || old != shown) {
			old.watch(t, false)
		}
	}
	if s != nil {
		s.watch(t, true)
		t.choose(Share(firstRate, []Want{{Rates: s.rates(now), Shown: Nothing}})[0], now)
	}
}

// choose says which stream of the source is to be shown, [Nothing] to pause.
func (t *Tile) choose(k int, now time.Time) {
	t.mu.Lock()
	changed, s := t.want != k, t.next
	if t.want = k; k == Nothing && t.shown == s {
		t.track.Close()
	}
	t.mu.Unlock()
	if changed && s != nil && k != Nothing {
		s.demand(k, now)
	}
}

// take takes a packet of a source that the tile watches.
func (t *Tile) take(a arrival, p rtp.Packet) {
	t.mu.Lock()
	gone := t.turnLocked(a, &p)
	if t.shown == a.source {
		t.forwardLocked(&p, a.now, t.send)
	}
	t.mu.Unlock()
	if gone != nil {
		gone.watch(t, false)
	}
}

// turnLocked turns to what is to be shown if p begins it, and returns what is not shown any more.
func (t *Tile) turnLocked(a arrival, p *rtp.Packet) (gone *Source) {
	if a.source != t.next || a.layer != t.want || t.payloads[a.format] == 0 {
		return nil
	}
	ssrc, open := t.track.Source()
	if open && ssrc == p.SSRC && t.shown == a.source {
		t.whole = t.whole || a.whole
		return nil
	}
	if !a.opens {
		return nil
	}
	if t.shown != a.source {
		gone = t.shown
	}
	t.track.Open(p, a.format, a.now)
	t.shown, t.layer, t.whole = a.source, a.layer, a.whole
	t.switches++
	return gone
}

// forwardLocked gives a packet as one of ours to send.
func (t *Tile) forwardLocked(p *rtp.Packet, now time.Time, send func(b []byte)) {
	b := append(t.buffer[:0], 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = append(b, p.Payload...)
	t.buffer = b
	q := rtp.Packet{Header: p.Header, Payload: b[rtp.HeaderSize:]}
	if !t.track.Renumber(&q, now) {
		return
	}
	q.SSRC, q.PayloadType = t.ssrc, t.payloads[t.track.format]
	q.Put(b)
	t.octets += len(b)
	t.packets++
	send(b)
}

// waits tells whether the tile waits for a whole picture of a source, of which stream, and how much there is room for.
func (t *Tile) waits(s *Source) (layer, grant int, waits bool) {
	t.mu.Lock()
	next, want, whole := t.next, t.want, t.whole
	ssrc, open := t.track.Source()
	shown, grant := t.shown, t.grant
	t.mu.Unlock()
	if next != s || want == Nothing {
		return Nothing, 0, false
	}
	wanted, came := s.ssrcOf(want)
	return want, grant, came && (!open || shown != s || ssrc != wanted || !whole)
}

// Refresh asks the source for a whole picture: the receiver has lost something, or cannot decode it.
func (t *Tile) Refresh(now time.Time) {
	t.mu.Lock()
	s, k := t.shown, t.layer
	t.mu.Unlock()
	if s != nil {
		s.demand(k, now)
	}
}

// Again sends packets of ours once more, and asks the source for those that never came.
func (t *Tile) Again(lost []uint16, now time.Time) {
	t.mu.Lock()
	s := t.shown
	ssrc, open := t.track.Source()
	var origins []uint16
	for _, sequence := range lost {
		if o, ok := t.track.Origin(sequence); ok {
			origins = append(origins, o)
		}
	}
	t.mu.Unlock()
	if s == nil || !open || len(origins) == 0 {
		return
	}
	slices.Sort(origins)
	send := t.send
	if t.Resend != nil {
		send = t.Resend
	}
	for _, b := range s.again(ssrc, slices.Compact(origins), now) {
		if p, err := rtp.Parse(b); err == nil {
			t.mu.Lock()
			if t.shown == s {
				t.forwardLocked(&p, now, send)
			}
			t.mu.Unlock()
		}
	}
}

// Shown returns whose pictures are sent, nil if none are.
func (t *Tile) Shown() *Source {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, open := t.track.Source(); !open {
		return nil
	}
	return t.shown
}

// Counts returns how many packets were sent, and how often something else was shown.
func (t *Tile) Counts() (packets, switches uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.packets, t.switches
}
