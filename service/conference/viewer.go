// One member on the stage: what it sends, and the lines on which it sees others.

package conference

import (
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/media/video"
)

// viewer is a member on the stage, whose mutex guards it.
type viewer struct {
	member *member
	seat   *session.Seat
	name   string // by which lines and roster name what it sends
	in     bool   // in the room, and that is open
	muted  bool   // is not heard
	hidden bool   // is not to be seen
	many   bool   // takes more lines than it has offered
	asks   bool   // has offered pictures
	most   int    // tiles at most
	told   pictureState

	camera *session.Picture // whence source comes
	source *video.Source    // nil: it sends no pictures
	sends  video.Format     // by what came so far
	asked  video.Format     // that it was asked for by our last offer

	view   video.Viewer
	tiles  []*tile
	wanted []*viewer                   // who is to be seen, who matters most first
	blind  bool                        // there is somebody to see, and no codec for any
	added  map[*session.Picture]string // lines that we have offered, and who was to be in them
	takes  [video.Formats]bool         // formats that it can show
	counts PictureCounts               // of what is not there any more
}

// tile is one line on which somebody is seen.
type tile struct {
	*video.Tile
	picture *session.Picture
	own     bool    // a line that the peer has offered, which stays
	shows   *viewer // nil: nobody
	named   string  // who is in it, as the peer was told last
}

// seen tells whether others may see the viewer.
func (v *viewer) seen() bool { return v.in && !v.hidden && v.source != nil }

// agree takes the lines that both sides have agreed on.
func (v *viewer) agree(pictures []*session.Picture, now time.Time) {
	var camera *session.Picture
	var tiles []*tile
	for _, p := range pictures {
		if camera == nil && p.Direction().Receives() {
			camera = p
		}
		k := slices.IndexFunc(v.tiles, func(t *tile) bool { return t.picture == p })
		name, added := v.added[p]
		t := &tile{picture: p, own: !added, named: name}
		if k >= 0 {
			t = v.tiles[k]
		} else {
			t.Tile = video.NewTile(p.SSRC(), p.Send)
			t.Resend = p.Resend
			p.Feedback(v.hear)
		}
		t.Agree(payloadsOf(p.Codecs()))
		tiles = append(tiles, t)
	}
	for _, t := range v.tiles {
		if !slices.Contains(tiles, t) {
			t.Show(nil, now)
			v.count(t)
		}
	}
	v.tiles, v.takes = tiles, [video.Formats]bool{}
	for _, t := range tiles {
		for f := range payloadsOf(t.picture.Codecs()) {
			v.takes[f] = true
		}
	}
	v.film(camera)
}

// film makes a line the one on which the viewer sends; nil: it sends none.
func (v *viewer) film(camera *session.Picture) {
	if v.camera != camera {
		if v.camera != nil {
			v.camera.Hear(nil)
			v.counts.Received += v.source.Packets()
		}
		v.camera, v.source, v.sends = camera, nil, 0
	}
	if camera == nil {
		return
	}
	if v.source == nil {
		s := &video.Source{
			Refresh: camera.Refresh,
			Again: func(ssrc uint32, lost []uint16) {
				camera.Ask(&rtp.Nack{SSRC: camera.SSRC(), Media: ssrc, Lost: lost})
			},
		}
		v.source = s
		camera.Hear(func(b []byte, rid string) { s.Hear(b, rid, time.Now()) })
	}
	formats := make(map[uint8]video.Format)
	for _, c := range camera.Codecs() {
		if f := video.FormatOf(c.Name); f != 0 {
			formats[c.PayloadType] = f
		}
	}
	v.source.Agree(formats, camera.Layers())
}

// hear takes RTCP of the peer, from any goroutine.
func (v *viewer) hear(c rtp.ControlPacket) {
	if e, ok := c.(*rtp.Estimate); ok {
		v.view.Estimate(e.Bitrate, time.Now())
		return
	}
	v.view.Feedback(c, time.Now())
}

// payloadsOf returns the payload types under which a peer takes formats. Of the two ways to pack H.264 the one with fragments comes first: nothing else fits into packets. RFC 6184 §6.3.
func payloadsOf(codecs []sdp.Codec) map[video.Format]uint8 {
	payloads := make(map[video.Format]uint8)
	for _, fragments := range [...]bool{true, false} {
		for _, c := range codecs {
			f := video.FormatOf(c.Name)
			if _, has := payloads[f]; f != 0 && !has && (f != video.H264 || !fragments || strings.Contains(c.FMTP, "packetization-mode=1")) {
				payloads[f] = c.PayloadType
			}
		}
	}
	return payloads
}

// arrange puts those into the tiles who are to be seen. ranked are all members, who is to be looked at first.
func (v *viewer) arrange(ranked []*viewer, now time.Time) {
	if len(v.tiles) == 0 {
		return
	}
	usable := slices.DeleteFunc(slices.Clone(v.tiles), func(t *tile) bool { return !t.picture.Direction().Sends() })
	most := len(usable)
	if v.many {
		most = min(v.most, len(usable)+len(ranked))
	}
	v.wanted, v.blind = v.wanted[:0], false
	for _, u := range ranked {
		switch {
		case u == v || !v.in || !u.seen():
		case !v.tiles[0].Takes(u.source):
			v.blind = true
		case len(v.wanted) < most:
			v.wanted = append(v.wanted, u)
		}
	}
	v.blind = v.blind && len(v.wanted) == 0
	for _, t := range v.tiles {
		if t.shows != nil && (!slices.Contains(usable, t) || !slices.Contains(v.wanted, t.shows)) {
			t.shows = nil
		}
	}
	for _, u := range v.wanted {
		if v.tileOf(u) != nil {
			continue
		}
		if t := free(usable, u.name); t != nil {
			t.shows = u
		}
	}
	v.show(now)
}

// show has the tiles show what they are to, and says which matter most.
func (v *viewer) show(now time.Time) {
	for _, t := range v.tiles {
		var s *video.Source
		if t.shows != nil {
			s = t.shows.source
		}
		t.Show(s, now)
	}
	var tiles []*video.Tile
	for _, u := range v.wanted {
		if t := v.tileOf(u); t != nil {
			tiles = append(tiles, t.Tile)
		}
	}
	v.view.Arrange(tiles)
}

// tileOf returns the tile in which somebody is seen, nil if there is none.
func (v *viewer) tileOf(u *viewer) *tile {
	i := slices.IndexFunc(v.tiles, func(t *tile) bool { return t.shows == u })
	if i < 0 {
		return nil
	}
	return v.tiles[i]
}

// free returns an empty tile for somebody: one that has the name already, if there is one.
func free(tiles []*tile, name string) *tile {
	var empty *tile
	for _, t := range tiles {
		if t.shows == nil && (empty == nil || t.named == name) {
			empty = t
		}
	}
	return empty
}

// wants tells whether the lines are to be agreed on anew: there are too few, or too many, somebody else is in one, or another format is to be sent.
func (v *viewer) wants(format video.Format) bool {
	if !v.many || !v.in || len(v.tiles) == 0 {
		return false
	}
	for _, u := range v.wanted {
		if t := v.tileOf(u); t == nil || t.named != u.name {
			return true
		}
	}
	for _, t := range v.tiles {
		if !t.own && t.shows == nil && t.picture.Direction().Sends() {
			return true
		}
	}
	return v.switches(format)
}

// switches tells whether the viewer is to send in another format than it does.
func (v *viewer) switches(format video.Format) bool {
	if v.source == nil || v.asked == format || v.sends == 0 || v.sends == format {
		return false
	}
	_, has := payloadsOf(v.camera.Codecs())[format]
	return has
}

// pictureState is what the roster says of the pictures of a member.
type pictureState struct{ offered, sends, sees bool }

// state returns what the roster is to say.
func (v *viewer) state() pictureState {
	if !v.in {
		return pictureState{}
	}
	sees := slices.ContainsFunc(v.tiles, func(t *tile) bool { return t.picture.Direction().Sends() }) && !v.blind
	return pictureState{offered: v.asks, sends: v.seen(), sees: sees}
}

// close ends all that is sent to the viewer, and what it sends.
func (v *viewer) close(now time.Time) {
	for _, t := range v.tiles {
		t.shows = nil
		t.Show(nil, now)
		v.count(t)
	}
	v.tiles = nil
	v.film(nil)
}

// count adds what was sent over a line that ends.
func (v *viewer) count(t *tile) {
	sent, switches := t.Counts()
	v.counts.Sent += sent
	v.counts.Switches += switches
}
