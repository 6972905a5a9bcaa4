package video

// Somebody who looks, with all tiles: what comes back from the receiver, and what it has room for.

import (
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// A Viewer is somebody who looks. The zero Viewer has no tiles. Its methods may be called from anywhere.
type Viewer struct {
	mu     sync.Mutex // guards what follows; taken before that of a tile
	tiles  []*Tile    // the most important first
	budget Budget
	rate   int // bit/s sent to it lately
	since  time.Time
	octets int
}

// Arrange says which tiles there are, the most important first.
func (v *Viewer) Arrange(tiles []*Tile) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.tiles = append([]*Tile(nil), tiles...)
}

// Feedback takes RTCP of the receiver.
func (v *Viewer) Feedback(c rtp.ControlPacket, now time.Time) {
	switch c := c.(type) {
	case *rtp.PictureLoss:
		v.refresh(c.Media, now)
	case *rtp.FullIntra:
		for _, r := range c.Requests {
			v.refresh(r.SSRC, now)
		}
	case *rtp.Nack:
		if t := v.find(c.Media); t != nil {
			t.Again(c.Lost, now)
		}
	case *rtp.ReceiverReport:
		v.reported(c.Reports, now)
	case *rtp.SenderReport:
		v.reported(c.Reports, now)
	}
}

// Estimate takes what the receiver says that it can take, in bit/s.
func (v *Viewer) Estimate(rate uint64, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.budget.Estimate(rate, v.rate, now)
}

func (v *Viewer) find(ssrc uint32) *Tile {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, t := range v.tiles {
		if t.ssrc == ssrc {
			return t
		}
	}
	return nil
}

func (v *Viewer) refresh(ssrc uint32, now time.Time) {
	if t := v.find(ssrc); t != nil {
		t.Refresh(now)
	}
}

// reported takes what the receiver lost of all tiles together.
func (v *Viewer) reported(reports []rtp.ReceptionReport, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	worst, ours := 0.0, false
	for _, r := range reports {
		for _, t := range v.tiles {
			if t.ssrc == r.SSRC {
				worst, ours = max(worst, float64(r.FractionLost)/256), true
			}
		}
	}
	if ours {
		v.budget.Lost(worst, v.rate, now)
	}
}

// Tick divides what there is room for. It is called every 100 ms or so.
func (v *Viewer) Tick(now time.Time) {
	v.mu.Lock()
	v.measureLocked(now)
	var tiles []*Tile
	var wants []Want
	for _, t := range v.tiles {
		s, shown := t.showing()
		if s == nil {
			continue
		}
		if w := (Want{Rates: s.rates(now), Shown: shown}); w.least() != Nothing {
			tiles, wants = append(tiles, t), append(wants, w)
		}
	}
	if len(tiles) > 0 {
		v.budget.Grow(now)
	}
	rate := v.budget.Rate()
	v.mu.Unlock() // a tile asks its source, and that another receiver
	for i, k := range Share(rate, wants) {
		tiles[i].grantTo(rate / len(tiles))
		tiles[i].choose(k, now)
	}
}

// measureLocked measures what is sent.
func (v *Viewer) measureLocked(now time.Time) {
	for _, t := range v.tiles {
		v.octets += t.drain()
	}
	if d := now.Sub(v.since); d >= meterTime {
		v.rate = int(int64(v.octets) * 8 * int64(time.Second) / int64(d))
		v.since, v.octets = now, 0
	}
}

// showing returns what the tile is to show, and which stream of it.
func (t *Tile) showing() (*Source, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next, t.want
}

func (t *Tile) grantTo(rate int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.grant = rate
}

// drain returns the octets sent since it was called last.
func (t *Tile) drain() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.octets
	t.octets = 0
	return n
}
