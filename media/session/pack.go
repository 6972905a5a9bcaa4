package session

// Packet time: packets of one length made into those of another, where a side asks for others than come. The payloads are cut and joined as they are: nothing is decoded.
// RFC 3551 §4.2; RFC 8866 §6.4, RFC 8866 §6.5.

import (
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

const (
	// usualTime is the packet time of who says nothing. RFC 3551 §4.2.
	usualTime = 20 * time.Millisecond
	// longestTime is the longest that is made: more would not fit into a datagram.
	longestTime = 120 * time.Millisecond
)

// packetTimes is what a description says of the packets that its side wants; 0: nothing.
type packetTimes struct{ wanted, most time.Duration }

func packetTimesOf(m *sdp.Media) packetTimes {
	return packetTimes{wanted: min(m.PacketTime(), longestTime), most: min(m.MaxPacketTime(), longestTime)}
}

// length returns how long packets to that side are to be, and whether shorter ones are joined; 0: as they come.
func (p packetTimes) length() (length time.Duration, joined bool) {
	switch {
	case p.most > 0 && (p.wanted == 0 || p.wanted > p.most):
		return p.most, p.wanted > 0
	default:
		return p.wanted, p.wanted > 0
	}
}

// differs tells whether packets that last so long are not what that side wants.
func (p packetTimes) differs(from time.Duration) bool {
	length, joined := p.length()
	return length > 0 && (from > length || joined && from < length)
}

// sends is how long the packets of that side are presumed to be: a telephone sends what it asks for.
func (p packetTimes) sends() time.Duration {
	if p.wanted > 0 {
		return p.wanted
	}
	return usualTime
}

// grain is the smallest part of a payload that stands by itself.
type grain struct {
	bytes int
	ticks uint32
}

// grainOf returns that of a codec; false if its payloads cannot be cut without understanding them.
func grainOf(c sdp.Codec) (grain, bool) {
	channels := max(c.Channels, 1)
	switch strings.ToUpper(c.Name) {
	case "PCMU", "PCMA":
		return grain{channels, 1}, true
	case "G722":
		return grain{channels, 1}, true // 16000 samples a second, and a clock of 8000: RFC 3551 §4.5.2
	case "L16":
		return grain{2 * channels, 1}, true
	case "G729":
		return grain{10, 80}, true
	case "GSM":
		return grain{33, 160}, true
	}
	return grain{}, false
}

// cut is how packets of one payload type are to be.
type cut struct {
	grain
	payload uint8
	length  int // bytes
}

// packer makes the packets to one side as long as it wants them. One goroutine at a time.
type packer struct {
	cuts    []cut
	joined  bool // shorter packets are joined
	numbers row
	head    rtp.Header // of what is held
	held    []byte     // payload that waits for more
	memory  []byte
}

// newPacker returns one for a side and the codecs that it names; nil if packets that last so long are what it wants, or none of them could be changed.
func newPacker(p packetTimes, from time.Duration, codecs []sdp.Codec) *packer {
	if !p.differs(from) {
		return nil
	}
	k := new(packer)
	var length time.Duration
	length, k.joined = p.length()
	for _, c := range codecs {
		g, ok := grainOf(c)
		ticks := uint32(int64(c.Clock) * int64(length) / int64(time.Second))
		if n := ticks / max(g.ticks, 1); ok && n > 0 {
			k.cuts = append(k.cuts, cut{grain: g, payload: c.PayloadType, length: int(n) * g.bytes})
		}
	}
	if k.cuts == nil {
		return nil
	}
	return k
}

// pack takes a packet to the side. It returns it if it goes as it is, with another number; nil: it is held, or send got what has become of it. A nil packer changes nothing.
func (k *packer) pack(b []byte, send func([]byte)) []byte {
	if k == nil {
		return b
	}
	p, err := rtp.Parse(b)
	if err != nil {
		return b
	}
	c := k.cut(&p)
	if c == nil || len(k.held) == 0 && (len(p.Payload) == c.length || !k.joined && len(p.Payload) < c.length) {
		k.flush(send)
		if !k.numbers.pass(&p.Header) {
			return nil
		}
		p.Header.Put(b)
		return b
	}
	if !k.numbers.strange(&p.Header) && k.numbers.ahead(&p.Header) <= 0 {
		return nil // what it belonged to has gone
	}
	k.take(c, &p, send)
	return nil
}

// cut returns how the packet is to be cut; nil: not at all.
func (k *packer) cut(p *rtp.Packet) *cut {
	for i := range k.cuts {
		if c := &k.cuts[i]; c.payload == p.PayloadType && len(p.Payload) > 0 && len(p.Payload)%c.bytes == 0 {
			return c
		}
	}
	return nil
}

// take adds a packet to what is held, and sends what is long enough.
func (k *packer) take(c *cut, p *rtp.Packet, send func([]byte)) {
	if h := &k.head; len(k.held) > 0 && (p.Marker || p.PayloadType != h.PayloadType || p.SSRC != h.SSRC || p.Timestamp != h.Timestamp+c.time(len(k.held))) {
		k.flush(send) // something lies between
	}
	k.numbers.swallow(&p.Header)
	if len(k.held) == 0 {
		k.head = p.Header
	}
	k.held = append(k.held, p.Payload...)
	rest := k.held
	for len(rest) >= c.length || !k.joined && len(rest) > 0 {
		n := min(c.length, len(rest))
		k.send(rest[:n], send)
		k.head.Marker = false
		k.head.Timestamp += c.time(n)
		rest = rest[n:]
	}
	k.held = k.held[:copy(k.held, rest)]
}

// time is how long so many bytes last, in ticks.
func (c *cut) time(bytes int) uint32 { return uint32(bytes/c.bytes) * c.ticks }

// flush sends what is held.
func (k *packer) flush(send func([]byte)) {
	if len(k.held) > 0 {
		k.send(k.held, send)
		k.held = k.held[:0]
	}
}

func (k *packer) send(payload []byte, send func([]byte)) {
	p := rtp.Packet{Header: k.head, Payload: payload}
	k.numbers.own(&p.Header)
	k.memory = p.AppendTo(k.memory[:0])
	send(k.memory)
}

// like tells whether o does the same.
func (k *packer) like(o *packer) bool {
	if k == nil || o == nil {
		return k == o
	}
	return k.joined == o.joined && slices.Equal(k.cuts, o.cuts)
}

// PacketTime returns how long the packets to the peer of l are made, because it asks for others than the far side sends; 0: they go as they come.
func (l *Leg) PacketTime() time.Duration {
	n := l.sounding()
	if n == nil {
		return 0
	}
	length, _ := n.told.times.length()
	if n.toPeer != nil && n.toPeer.packer != nil || n.conversion != nil && n.conversion.end(n).packer.Load() != nil {
		return length
	}
	return 0
}
