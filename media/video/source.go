package video

// Somebody's pictures, and all tiles that show them. RFC 7667 §3.7; RFC 8853 for the same in several qualities.

import (
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

const (
	maxLayers = 4         // streams of a source; those beyond are not heard
	mostSent  = 2_500_000 // bit/s that a source is asked for at most
	leastSent = 150_000   // the same while nobody looks
)

// A Source is the pictures of somebody. Set the exported fields before the first packet. Its methods may be called from anywhere; the functions are called without a lock.
type Source struct {
	// Refresh asks for a whole picture of a stream.
	Refresh func(ssrc uint32)
	// Again asks for packets of a stream that never came; it must not keep lost. May be nil.
	Again func(ssrc uint32, lost []uint16)

	mu      sync.Mutex // guards what follows
	formats [128]Format
	format  Format // of the last packet
	packets uint64
	layers  []layer
	tiles   []*Tile // those that show it or wait to; never changed in place
}

// Agree says what the source sends: the format of each payload type, and the names of its streams, the best first, none for a single one.
func (s *Source) Agree(formats map[uint8]Format, rids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.formats[:])
	for payload, f := range formats {
		s.formats[payload&0x7f] = f
	}
	old := s.layers
	s.layers = nil
	for _, rid := range rids[:min(len(rids), maxLayers)] {
		l := layer{rid: rid}
		if i := slices.IndexFunc(old, func(l layer) bool { return l.rid == rid }); i >= 0 {
			l = old[i]
		}
		s.layers = append(s.layers, l)
	}
	if len(rids) == 0 && len(old) == 1 {
		s.layers = old
	}
}

// Format returns what the source sends, 0 before its first packet.
func (s *Source) Format() Format {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.format
}

// Packets returns how many have come that were of use.
func (s *Source) Packets() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.packets
}

// Hear takes an RTP packet of the source; rid names its stream, "" for a single one. Nothing of b is kept. It must be called by one goroutine at a time.
func (s *Source) Hear(b []byte, rid string, now time.Time) {
	p, err := rtp.Parse(b)
	if err != nil || len(p.Payload) == 0 {
		return
	}
	s.mu.Lock()
	format := s.formats[p.PayloadType]
	k := s.layerLocked(rid)
	if format == 0 || k < 0 {
		s.mu.Unlock()
		return
	}
	s.format = format
	s.packets++
	a := arrival{source: s, layer: k, format: format, now: now}
	a.opens, a.whole = format.Opens(p.Payload)
	l := &s.layers[k]
	l.take(&p, len(b), now)
	if a.whole {
		l.demands = 0
	}
	tiles := s.tiles
	if len(tiles) > 0 {
		l.past.keep(p.Sequence, b, now)
	}
	s.mu.Unlock()
	for _, t := range tiles {
		t.take(a, p)
	}
}

// layerLocked returns the index of a stream, a new one where there is room; -1 if there is none.
func (s *Source) layerLocked(rid string) int {
	i := slices.IndexFunc(s.layers, func(l layer) bool { return l.rid == rid })
	if i < 0 && len(s.layers) < maxLayers {
		s.layers = append(s.layers, layer{rid: rid})
		i = len(s.layers) - 1
	}
	return i
}

// rates are what each stream takes, in bit/s, 0 for one that is not sent.
func (s *Source) rates(now time.Time) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	rates := make([]int, len(s.layers))
	for i := range s.layers {
		if l := &s.layers[i]; l.there(now) {
			rates[i] = max(l.rate, 1)
		}
	}
	return rates
}

// Tick asks for whole pictures where a tile waits for one, and returns how much the source should send at most, in bit/s. It is called every 100 ms or so.
func (s *Source) Tick(now time.Time) (limit int) {
	s.mu.Lock()
	tiles, layers := s.tiles, len(s.layers)
	s.mu.Unlock()
	limit = leastSent
	for _, t := range tiles {
		k, grant, waits := t.waits(s)
		if waits {
			s.demand(k, now)
		}
		limit = max(limit, grant)
	}
	if layers > 1 && len(tiles) > 0 {
		return mostSent // whoever has not so much room is shown another stream
	}
	return min(limit, mostSent)
}

// demand asks for a whole picture of a stream, unless that was done just now.
func (s *Source) demand(k int, now time.Time) {
	s.mu.Lock()
	ask := k >= 0 && k < len(s.layers) && s.layers[k].due(now)
	var ssrc uint32
	if ask {
		ssrc = s.layers[k].ssrc
	}
	s.mu.Unlock()
	if ask && s.Refresh != nil {
		s.Refresh(ssrc)
	}
}

// again returns packets of a stream that were forwarded, for a tile whose receiver has not got them, and asks the source for what never came.
func (s *Source) again(ssrc uint32, lost []uint16, now time.Time) (found [][]byte) {
	s.mu.Lock()
	i := slices.IndexFunc(s.layers, func(l layer) bool { return l.ssrc == ssrc })
	if i < 0 {
		s.mu.Unlock()
		return nil
	}
	r := &s.layers[i].past
	var missing []uint16
	for _, sequence := range lost[:min(len(lost), pastLength)] {
		switch b, fresh := r.find(ssrc, sequence, now); {
		case fresh:
			found = append(found, slices.Clone(b))
		case b == nil && r.wants(sequence, now):
			missing = append(missing, sequence)
		}
	}
	s.mu.Unlock()
	if len(missing) > 0 && s.Again != nil {
		s.Again(ssrc, missing)
	}
	return found
}

// ssrcOf returns the SSRC of a stream; false if it has not come yet.
func (s *Source) ssrcOf(k int) (uint32, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k < 0 || k >= len(s.layers) || s.layers[k].heard.IsZero() {
		return 0, false
	}
	return s.layers[k].ssrc, true
}

// watch has a tile get the packets of the source, or no longer.
func (s *Source) watch(t *Tile, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tiles := slices.DeleteFunc(slices.Clone(s.tiles), func(o *Tile) bool { return o == t })
	if on {
		tiles = append(tiles, t)
	}
	s.tiles = tiles
}
