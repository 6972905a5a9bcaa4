package session

// The pictures of an endpoint: one m=video line each, beside its sound. What is in the packets is nobody's business here: whoever listens passes them on. RFC 3264; RFC 4585; RFC 5104.

import (
	"context"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/carriage"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

const (
	// maxPictures is how many lines of pictures an endpoint has.
	maxPictures = 32
	// pictureClock is that of the timestamps of pictures in Hz.
	pictureClock = 90000
)

// PictureCodecs are what most can show: VP8, and H.264 of the baseline profile in both of its ways of packets.
func PictureCodecs() []sdp.Codec {
	const level = "level-asymmetry-allowed=1;profile-level-id=42e01f;packetization-mode="
	return []sdp.Codec{
		{PayloadType: 96, Name: "VP8", Clock: pictureClock, Channels: 1},
		{PayloadType: 97, Name: "H264", Clock: pictureClock, Channels: 1, FMTP: level + "1"},
		{PayloadType: 98, Name: "H264", Clock: pictureClock, Channels: 1, FMTP: level + "0"},
	}
}

// A Picture is one m=video line of an [Endpoint]: RTP as it comes from the peer, and RTP of the caller's making to it. Its methods may be called from anywhere, but not those of the
// endpoint from the functions that it calls. It ends with the line, or with the endpoint: then nothing is heard any more, and nothing is sent.
type Picture struct {
	endpoint *Endpoint

	// Guarded by the mutex of the endpoint.
	line     int // in the descriptions; -1: in none yet
	want     sdp.Direction
	id       string          // of who is shown
	repaired map[uint8]uint8 // payload types of our offers: of repairs, by what they repair
	codecs   []sdp.Codec
	way      *carriage.Transport // that of the sound, if the peer bundles them

	mu        sync.Mutex // guards what follows
	agreed    pictured
	stream    *relay.Stream
	hear      func(b []byte, rid string)
	feedback  func(rtp.ControlPacket)
	reports   pictureReports
	repairing repairing
	demands   uint8 // for a whole picture, by FIR
}

// pictured is what both sides have said of a picture.
type pictured struct {
	on        bool // they have said something, and the line is up
	direction sdp.Direction
	codecs    []sdp.Codec // in the peer's numbers
	takes     [2]uint64   // our payload types, a bit each
	mid       string
	refreshes refreshes
	estimates bool // the peer listens to estimates of what we can take
	prompt    bool // RTCP may come often: a profile with feedback
	layers    []string
	layerTag  uint8 // identifier of their names in header extensions
	repairs   repairs
}

// AddPicture adds a line of pictures to the next offer, with what we want of it. id says who is shown; a page groups by it what belongs together (a=msid, RFC 8830); it may be empty. Nothing is agreed on before the answer has
// come. It is nil if there are too many already, or no port is left.
func (e *Endpoint) AddPicture(d sdp.Direction, id string) *Picture {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.addPictureLocked(-1)
	if p == nil {
		return nil
	}
	p.want, p.id = d, id
	if err := p.openLocked(e.bundlesLocked()); err != nil {
		e.dropLocked(p)
		return nil
	}
	return p
}

// Pictures returns the lines of pictures that are agreed on, in their order.
func (e *Endpoint) Pictures() []*Picture {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := slices.DeleteFunc(slices.Clone(e.pictures), func(p *Picture) bool { return !p.is().on })
	slices.SortFunc(all, func(a, b *Picture) int { return a.line - b.line })
	return all
}

// Prefer makes the codecs of these names the first in our next offers and answers, in that order.
func (e *Endpoint) Prefer(names ...string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	rank := func(c sdp.Codec) int {
		i := slices.IndexFunc(names, func(name string) bool { return c.Matches(sdp.Codec{Name: name, Clock: c.Clock, Channels: c.Channels}) })
		if i < 0 {
			return len(names)
		}
		return i
	}
	e.voice.Pictures = slices.Clone(e.voice.Pictures)
	for _, codecs := range append([][]sdp.Codec{e.voice.Pictures}, e.codecsLocked()...) {
		slices.SortStableFunc(codecs, func(a, b sdp.Codec) int { return rank(a) - rank(b) })
	}
}

// codecsLocked are those of our descriptions of pictures.
func (e *Endpoint) codecsLocked() (all [][]sdp.Codec) {
	for _, p := range e.pictures {
		all = append(all, p.codecs)
	}
	return all
}

// addPictureLocked makes a picture for a line of a description; nil if there are too many.
func (e *Endpoint) addPictureLocked(line int) *Picture {
	if e.closed || len(e.pictures) >= maxPictures || len(e.voice.Pictures) == 0 {
		return nil
	}
	p := &Picture{endpoint: e, line: line, codecs: slices.Clone(e.voice.Pictures), repaired: map[uint8]uint8{}, way: new(carriage.Transport)}
	for _, like := range e.pictures { // on one transport a number means one thing: RFC 9143 §10.1.2
		if like.is().on {
			p.codecs, p.repaired = slices.Clone(like.codecs), maps.Clone(like.repaired)
			break
		}
	}
	p.repairing = repairing{ssrc: uint32(e.voice.Random.Uint64()), sequence: uint16(e.voice.Random.Uint64()) >> 1}
	p.reports = pictureReports{ssrc: uint32(e.voice.Random.Uint64()), random: rand.New(rand.NewPCG(e.voice.Random.Uint64(), 0))}
	e.pictures = append(e.pictures, p)
	return p
}

// openLocked opens the sockets, unless the picture rides on those of the sound.
func (p *Picture) openLocked(rides bool) error {
	e := p.endpoint
	if rides {
		p.way = &e.way
		p.run(e.stream.Ride())
		return nil
	}
	local, err := e.site.bind(e.peer, e.peer.Remote)
	if err != nil {
		return err
	}
	stream, err := e.site.open(context.Background(), local, e.peer.Kind.terms().ICE)
	if err != nil {
		return err
	}
	p.way.Attach(e.site.transport(stream, e.placeOf(stream).RTP, e.fail))
	p.run(stream)
	return nil
}

// run begins to hear.
func (p *Picture) run(s *relay.Stream) {
	p.mu.Lock()
	p.stream = s
	p.mu.Unlock()
	s.Tap(p.take)
}

// dropLocked ends a picture.
func (e *Endpoint) dropLocked(p *Picture) {
	e.pictures = slices.DeleteFunc(e.pictures, func(o *Picture) bool { return o == p })
	p.mu.Lock()
	stream, farewell := p.stream, p.goodbyeLocked()
	p.stream, p.agreed, p.hear, p.feedback = nil, pictured{}, nil, nil
	p.mu.Unlock()
	if stream != nil {
		if farewell != nil {
			stream.SendControl(farewell)
		}
		stream.Tap(nil)
		if !p.rides() {
			p.way.Close()
		}
		stream.Close()
	}
}

// is returns what is agreed on.
func (p *Picture) is() pictured {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.agreed
}

// Codecs are those agreed on, the preferred first, with the payload types that the peer wants to get; nil before the agreement.
func (p *Picture) Codecs() []sdp.Codec { return p.is().codecs }

// Direction is what is agreed on, seen from us; inactive before.
func (p *Picture) Direction() sdp.Direction {
	if a := p.is(); a.on {
		return a.direction
	}
	return sdp.Inactive
}

// MID is the tag of the line, empty if it has none. RFC 5888 §4.
func (p *Picture) MID() string { return p.is().mid }

// Layers are the names (rid) of the encodings of the picture that the peer sends, in its order; nil if it sends one. RFC 8853.
func (p *Picture) Layers() []string { return p.is().layers }

// SSRC is that under which we send, and report.
func (p *Picture) SSRC() uint32 { return p.reports.ssrc }

// SetDirection says what we want of the line from the next offer or answer on. What [Endpoint.SetDirection] says holds for it too.
func (p *Picture) SetDirection(d sdp.Direction) {
	p.endpoint.mu.Lock()
	defer p.endpoint.mu.Unlock()
	p.want = d
}

// SetID says who is shown from the next offer on: see [Endpoint.AddPicture].
func (p *Picture) SetID(id string) {
	p.endpoint.mu.Lock()
	defer p.endpoint.mu.Unlock()
	p.id = id
}

// Hear gives every RTP packet of the peer to f, without protection, one at a time, on the goroutine that read it. f must neither block nor keep b, nor call the endpoint; nil ends it. rid is which of
// [Picture.Layers] it is of, empty if there are none; what does not say is not given.
func (p *Picture) Hear(f func(b []byte, rid string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hear = f
}

// Feedback gives to f what the peer tells by RTCP: [rtp.PictureLoss], [rtp.FullIntra], [rtp.Nack], [rtp.Estimate], and reports. What holds for the function of [Picture.Hear] holds for it.
func (p *Picture) Feedback(f func(rtp.ControlPacket)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.feedback = f
}

// take brings a packet from the sockets to who listens.
func (p *Picture) take(b []byte, now time.Time, control bool) {
	if rtp.IsRTCP(b) {
		p.takeReport(b, now)
		return
	}
	packet, err := rtp.Parse(b)
	if err != nil || control {
		return
	}
	p.mu.Lock()
	source, b := p.sourceLocked(&packet, b, now)
	if source == nil || !source.layered(&packet, &p.agreed) {
		p.mu.Unlock()
		return
	}
	rid := source.rid
	f, stream, report := p.hear, p.stream, p.dueLocked(now)
	p.mu.Unlock()
	if f != nil {
		f(b, rid)
	}
	if report != nil {
		stream.SendControl(report)
	}
}

// sourceLocked returns the source of b, which is packet, and what who listens gets: b, or what it repeats; nil: it is of no use.
func (p *Picture) sourceLocked(packet *rtp.Packet, b []byte, now time.Time) (*heardSource, []byte) {
	a := &p.agreed
	repaired, repairs := a.repairs.takes[packet.PayloadType]
	switch {
	case !a.on || !a.direction.Receives():
		return nil, nil
	case repairs:
		return p.restoreLocked(packet, repaired, now)
	case a.takes[packet.PayloadType>>6]>>(packet.PayloadType&63)&1 == 0:
		return nil, nil
	}
	return p.reports.receive(packet, now), b
}

// Send sends an RTP packet of the caller's making: its payload type is one of [Picture.Codecs], its SSRC [Picture.SSRC]. b is neither kept nor changed. It is dropped where nothing may be sent.
func (p *Picture) Send(b []byte) {
	if len(b) < rtp.HeaderSize {
		return
	}
	now := time.Now()
	p.mu.Lock()
	if !p.agreed.on || !p.agreed.direction.Sends() {
		p.mu.Unlock()
		return
	}
	p.reports.own.note(len(b), binary.BigEndian.Uint32(b[4:]), now)
	stream, report := p.stream, p.dueLocked(now)
	p.mu.Unlock()
	stream.Send(b)
	if report != nil {
		stream.SendControl(report)
	}
}

// Refresh asks the peer for a whole picture of the stream with this SSRC, 0 for the one heard last: by RTCP, or by [Voice.Refresh] if it cannot be asked so.
func (p *Picture) Refresh(ssrc uint32) {
	p.mu.Lock()
	a := p.agreed
	if ssrc == 0 {
		ssrc = p.reports.last
	}
	p.demands++
	demands := p.demands
	p.mu.Unlock()
	switch {
	case !a.on:
	case a.refreshes.pli && ssrc != 0:
		p.Ask(&rtp.PictureLoss{SSRC: p.SSRC(), Media: ssrc})
	case a.refreshes.fir && ssrc != 0:
		p.Ask(&rtp.FullIntra{SSRC: p.SSRC(), Requests: []rtp.IntraRequest{{SSRC: ssrc, Sequence: demands}}})
	case p.endpoint.voice.Refresh != nil && !a.refreshes.any():
		p.endpoint.voice.Refresh()
	}
}

// Refreshed says that the peer has asked for whole pictures by INFO (RFC 5168): whoever has called [Picture.Feedback] is told of it as if it had come by RTCP.
func (e *Endpoint) Refreshed() {
	for _, p := range e.Pictures() {
		p.tell(&rtp.PictureLoss{Media: p.SSRC()})
	}
}
