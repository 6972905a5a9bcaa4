package relay

// Streams that ride on one transport: same sockets, latch and cipher, each with its own partner, listeners and counters. RFC 9143 §9.

import (
	"github.com/sipwerk/sipwerk/media/rtp"
)

// MaxLanes is how many streams share a transport at most.
const MaxLanes = 64

// Ride returns a stream on the transport of s: what comes in is told apart by what [Stream.Sort] was told, and what it sends goes out as what s sends does. Cipher, target, [Stream.Mux] and [Stream.Aside]
// are those of the transport, whichever of its streams they are asked of. Whoever has it closes it; it is silent when s, or the stream that s rides on, is closed.
func (s *Stream) Ride() *Stream {
	t := s.base()
	t.mu.Lock()
	w := t.sweep
	t.shared = true
	t.mu.Unlock()
	t.halt()
	w.Dismiss(t)
	return &Stream{relay: s.relay, carrier: t}
}

// A Lane says what belongs to one of the streams of a transport. RFC 9143 §9.2.
type Lane struct {
	Stream   *Stream
	MID      string  // of its m= line; empty: none
	Payloads []uint8 // payload types that the peer sends on it
}

// Sort says which streams the transport of s has, and how what comes in is told apart: by the MID in the header extension with this identifier (0: there is none), by the SSRC that it was seen with, by the payload
// type if only one has it. What fits none is refused. Lanes beyond [MaxLanes] are left out; none at all give everything to the stream that has the sockets.
func (s *Stream) Sort(extension uint8, all ...Lane) {
	var sorted *lanes
	if len(all) > 0 {
		sorted = newLanes(extension, all[:min(len(all), MaxLanes)])
	}
	t := s.base()
	t.mu.Lock()
	defer t.mu.Unlock()
	if sorted != nil && t.lanes != nil {
		sorted.remember(t.lanes)
	}
	t.lanes = sorted
	t.halt()
}

// maxSources is how many SSRCs of each direction a transport knows; a further one takes the place of the oldest.
const maxSources = 64

// sources are SSRCs and the lanes that they belong to.
type sources struct {
	ssrc   [maxSources]uint32
	lane   [maxSources]uint8
	known  int
	oldest int
}

func (s *sources) find(ssrc uint32) (int, bool) {
	for i, known := range s.ssrc[:s.known] {
		if known == ssrc {
			return int(s.lane[i]), true
		}
	}
	return 0, false
}

func (s *sources) learn(ssrc uint32, lane int) {
	for i, known := range s.ssrc[:s.known] {
		if known == ssrc {
			s.lane[i] = uint8(lane)
			return
		}
	}
	i := s.known
	if s.known < maxSources {
		s.known++
	} else {
		i, s.oldest = s.oldest, (s.oldest+1)%maxSources
	}
	s.ssrc[i], s.lane[i] = ssrc, uint8(lane)
}

// lanes are the streams of one transport, guarded by its mutex. Nothing grows, and nothing is allocated for a packet.
type lanes struct {
	extension uint8
	all       []lane
	alone     [128]uint8 // by payload type: 1 + the only lane that has it; 0: none, or several
	heard     sources
	sent      sources
}

type lane struct {
	stream *Stream
	mid    string
	takes  [2]uint64 // payload types, a bit each
	last   uint32    // SSRC sent last
}

func (l *lane) has(payload uint8) bool { return l.takes[payload>>6]>>(payload&63)&1 == 1 }

func newLanes(extension uint8, all []Lane) *lanes {
	l := &lanes{extension: extension, all: make([]lane, len(all))}
	var times [128]int
	for i, a := range all {
		x := &l.all[i]
		x.stream, x.mid = a.Stream, a.MID
		for _, pt := range a.Payloads {
			if pt &= 127; !x.has(pt) {
				x.takes[pt>>6] |= 1 << (pt & 63)
				l.alone[pt] = uint8(i + 1)
				times[pt]++
			}
		}
	}
	for pt, n := range times {
		if n > 1 {
			l.alone[pt] = 0
		}
	}
	return l
}

// remember takes over what was learned of streams that are still there: a re-offer must not interrupt those whose packets bear no MID any more.
func (l *lanes) remember(old *lanes) {
	for _, pair := range [...][2]*sources{{&l.heard, &old.heard}, {&l.sent, &old.sent}} {
		for i, ssrc := range pair[1].ssrc[:pair[1].known] {
			if at := l.of(old.all[pair[1].lane[i]].stream); at >= 0 {
				pair[0].learn(ssrc, at)
			}
		}
	}
}

// of returns the lane of a stream; -1: none.
func (l *lanes) of(s *Stream) int {
	for i := range l.all {
		if l.all[i].stream == s {
			return i
		}
	}
	return -1
}

// find returns the stream that an RTP packet belongs to; nil: none. RFC 9143 §9.2.
func (l *lanes) find(h *rtp.Header, b []byte) *Stream {
	at := -1
	switch mid, lane := l.mid(b), 0; {
	case mid != nil:
		if at = l.named(mid); at < 0 {
			return nil
		}
	default:
		var known bool
		if lane, known = l.heard.find(h.SSRC); known {
			at = lane
		} else if at = int(l.alone[h.PayloadType]) - 1; at < 0 {
			return nil
		}
	}
	if !l.all[at].has(h.PayloadType) {
		return nil
	}
	if lane, known := l.heard.find(h.SSRC); !known || lane != at {
		l.heard.learn(h.SSRC, at)
	}
	return l.all[at].stream
}

// mid returns the tag that a packet bears; nil if it bears none.
func (l *lanes) mid(b []byte) []byte {
	if l.extension == 0 || b[0]&0x10 == 0 {
		return nil
	}
	p, err := rtp.Parse(b)
	if err != nil {
		return nil
	}
	tag, _ := p.ExtensionElement(l.extension)
	return tag
}

func (l *lanes) named(mid []byte) int {
	for i := range l.all {
		if l.all[i].mid == string(mid) {
			return i
		}
	}
	return -1
}

// sending takes note of an RTP packet that goes out.
func (l *lanes) sending(s *Stream, ssrc uint32) {
	if i := l.of(s); i >= 0 && l.all[i].last != ssrc {
		l.all[i].last = ssrc
		l.sent.learn(ssrc, i)
	}
}
