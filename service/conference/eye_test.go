// The camera and the screen of a telephone.

package conference

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/media/video"
)

// pictureTime is from one picture to the next.
const pictureTime = 40 * time.Millisecond

// eye is what a line sends of pictures and what it sees; the mutex of the line guards it.
type eye struct {
	offers  []*sdp.Description // of the room
	first   string             // the codec that the room wants
	screens []*screen
	camera  *session.Picture
	stop    chan struct{} // ends the camera
	asked   int           // for whole pictures
	due     bool          // a whole picture
	lose    int           // so many whole pictures are lost on the way
}

// screen is one line on which something is seen.
type screen struct {
	picture *session.Picture
	format  video.Format
	frames  []frame
}

// frame is one packet: here each holds a picture.
type frame struct {
	who      byte // the first letter of who sends it
	key      bool
	sequence uint16
	stamp    uint32
	at       time.Time
}

// look takes the lines that were agreed on. The line is locked.
func (l *line) look() {
	for i, p := range l.endpoint.Pictures() {
		if slices.ContainsFunc(l.eye.screens, func(s *screen) bool { return s.picture == p }) {
			continue
		}
		s := &screen{picture: p}
		l.eye.screens = append(l.eye.screens, s)
		p.Hear(func(b []byte, _ string) { l.see(s, b) })
		if i == 0 {
			l.eye.camera = p
			p.Feedback(l.asked)
		}
	}
	if l.eye.camera != nil && l.eye.stop == nil {
		stop := make(chan struct{})
		l.eye.stop = stop
		l.work.Go(func() { l.film(stop) })
	}
}

// heed notes what the room wants. The line is locked.
func (l *line) heed(d *sdp.Description) {
	for i := range d.Media {
		if m := &d.Media[i]; m.Type == "video" && !m.Rejected() {
			l.eye.first = m.Codecs()[0].Name
			return
		}
	}
}

// see takes a packet.
func (l *line) see(s *screen, b []byte) {
	p, err := rtp.Parse(b)
	if err != nil || len(p.Payload) < 3 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range s.picture.Codecs() {
		if c.PayloadType == p.PayloadType {
			s.format = video.FormatOf(c.Name)
		}
	}
	_, key := s.format.Opens(p.Payload)
	s.frames = append(s.frames, frame{who: p.Payload[2], key: key, sequence: p.Sequence, stamp: p.Timestamp, at: time.Now()})
}

// asked takes what the room asks of the camera.
func (l *line) asked(c rtp.ControlPacket) {
	switch c.(type) {
	case *rtp.PictureLoss, *rtp.FullIntra:
		l.mu.Lock()
		defer l.mu.Unlock()
		l.eye.asked++
		l.eye.due = true
	}
}

// film sends pictures until it is stopped: whole ones when asked only.
func (l *line) film(stop <-chan struct{}) {
	ticker := time.NewTicker(pictureTime)
	defer ticker.Stop()
	for sequence := uint16(time.Now().UnixNano() >> 20); ; sequence++ {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		l.mu.Lock()
		key, first := l.eye.due, l.eye.first
		l.eye.due = false
		lost := key && l.eye.lose > 0
		if lost {
			l.eye.lose--
		}
		l.mu.Unlock()
		codecs := l.eye.camera.Codecs()
		i := slices.IndexFunc(codecs, func(c sdp.Codec) bool { return c.Name == first })
		if lost || i < 0 {
			continue
		}
		codec := codecs[i]
		p := rtp.Packet{Payload: make([]byte, 500)}
		p.Header = rtp.Header{Marker: true, PayloadType: codec.PayloadType, SSRC: l.eye.camera.SSRC(), Sequence: sequence, Timestamp: uint32(sequence) * 3600}
		p.Payload[2] = l.phone.name[0]
		switch video.FormatOf(codec.Name) {
		case video.VP8:
			p.Payload[0], p.Payload[1] = 0x10, 0x51
			if key {
				p.Payload[1] = 0x50
			}
		case video.H264:
			if p.Payload[0] = 0x41; key {
				p.Payload[0] = 0x65
			}
		}
		l.eye.camera.Send(p.AppendTo(nil))
	}
}

// cover ends the camera.
func (l *line) cover() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.eye.stop != nil {
		close(l.eye.stop)
		l.eye.stop = nil
	}
}

// sees returns who was seen in the last half second on each line that is in use, by their first letters, in alphabetical order.
func (l *line) sees() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []string
	for _, s := range l.eye.screens {
		var on []byte
		for _, f := range s.frames {
			if time.Since(f.at) <= 500*time.Millisecond && !slices.Contains(on, f.who) {
				on = append(on, f.who)
			}
		}
		if len(on) > 0 {
			all = append(all, string(on))
		}
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// wantSeen fails the test unless a line sees these.
func wantSeen(t *testing.T, l *line, want string) {
	t.Helper()
	if got := l.sees(); got != want {
		t.Errorf("%s sees %q, want %q", l.phone.name, got, want)
	}
}

// wantOrder fails the test unless what came on each line of l is one stream in which everybody begins with a whole picture. lossy: packets may be missing.
func wantOrder(t *testing.T, l *line, lossy bool) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, s := range l.eye.screens {
		for i, f := range s.frames {
			where := fmt.Sprintf("%s, line %d, packet %d", l.phone.name, n, i)
			switch {
			case i == 0 && !f.key && !lossy && l.phone.kind == session.Plain: // a browser asks again for what came before its keys
				t.Errorf("%s: does not begin with a whole picture", where)
			case i == 0:
			case f.sequence != s.frames[i-1].sequence+1 && !lossy:
				t.Errorf("%s: number %d after %d", where, f.sequence, s.frames[i-1].sequence)
			case f.who != s.frames[i-1].who && !f.key && !lossy:
				t.Errorf("%s: %c begins without a whole picture", where, f.who)
			case int32(f.stamp-s.frames[i-1].stamp) <= 0 && !lossy:
				t.Errorf("%s: time %d after %d", where, f.stamp, s.frames[i-1].stamp)
			}
		}
	}
}
