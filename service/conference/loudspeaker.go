// Loudspeakers of a page: multicast groups on which telephones listen for RTP that nobody has announced to them, as those of Snom, Yealink, Grandstream and Polycom do. They are sent PCMU of payload
// type 0 in packets of 20 ms, which all of them take. RFC 3551 §4.5.14, §6; RFC 5373 §4 for those that are called.

package conference

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/netip"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/rtp"
)

// loudspeakers is the sound of a page on its way to multicast groups. It belongs to the beat of the room, but for close, which comes after that.
type loudspeakers struct {
	groups  []io.WriteCloser
	encode  codec.Encoder
	narrow  *audio.Resampler // nil: the room has the rate of the codec
	header  rtp.Header
	pcm     []int16
	payload []byte
	packet  []byte
}

// newLoudspeakers opens the ways to all groups that there are ways to; the error says to which there is none.
func newLoudspeakers(open func(netip.AddrPort) (io.WriteCloser, error), groups []netip.AddrPort, rate int) (*loudspeakers, error) {
	format := codec.PCMU()
	encode, err := format.NewEncoder()
	if err != nil {
		return nil, err
	}
	l := &loudspeakers{encode: encode, header: rtp.Header{Marker: true, PayloadType: format.PayloadType, Sequence: uint16(rand.Uint32()), Timestamp: rand.Uint32(), SSRC: rand.Uint32()}}
	if rate != format.Rate {
		if l.narrow, err = audio.NewResampler(rate, format.Rate); err != nil {
			return nil, err
		}
	}
	var failed []error
	for _, g := range groups {
		way, err := open(g)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		l.groups = append(l.groups, way)
	}
	return l, errors.Join(failed...)
}

// take sends 20 ms of the mix. A group that does not take it hears the next.
func (l *loudspeakers) take(pcm []int16) {
	if l.narrow != nil {
		l.pcm = l.narrow.Resample(l.pcm[:0], pcm)
		pcm = l.pcm
	}
	var err error
	if l.payload, err = l.encode.Encode(l.payload[:0], pcm); err != nil || len(l.payload) == 0 {
		return
	}
	packet := rtp.Packet{Header: l.header, Payload: l.payload}
	l.packet = packet.AppendTo(l.packet[:0])
	for _, g := range l.groups {
		_, _ = g.Write(l.packet)
	}
	l.header.Marker = false
	l.header.Sequence++
	l.header.Timestamp += uint32(len(pcm))
}

// close gives the ways up. Nil loudspeakers are none.
func (l *loudspeakers) close() {
	if l == nil {
		return
	}
	for _, g := range l.groups {
		_ = g.Close()
	}
}

// air begins to send what is said in a page to its loudspeakers, when the one who pages is in it.
func (r *room) air() {
	page := r.set.Page
	if page == nil || len(page.Loudspeakers) == 0 || r.c.Multicast == nil {
		return
	}
	way := func(group netip.AddrPort) (io.WriteCloser, error) { return r.c.Multicast(page.Source, group) }
	l, err := newLoudspeakers(way, page.Loudspeakers, r.c.rate())
	if err != nil {
		r.c.observe(RoomEvent{Room: r.name, What: "silent", Err: err})
	}
	if l == nil {
		return
	}
	r.mu.Lock()
	r.speakers = l
	r.mu.Unlock()
}
