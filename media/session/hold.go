package session

// Hold, and the music of those who wait. RFC 3264 §8.4, RFC 6337 §5.3.

import (
	"io"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// Music opens the music for one who waits, at a rate in Hz: a source that need not end. It is called on a goroutine of its own.
type Music func(rate int) (audio.Source, error)

// Tune is the [Music] that needs no file.
func Tune(rate int) (audio.Source, error) { return &audio.Music{Rate: rate}, nil }

// waiting is somebody on hold who hears music from us.
type waiting struct {
	format  codec.Format
	payload uint8
	packer  *packer
	stop    chan struct{}
	stopped sync.WaitGroup
	once    bool // it is an announcement: what comes to an end
	cut     bool // it was stopped before that; written before stopped is done
}

// held tells whether the peer of n does not want to hear the other side.
func (n *line) held() bool { return !n.told.direction.Receives() }

// hears tells whether it is willing to hear something.
func (n *line) hears() bool { return n.told.direction.Receives() }

// direction is how d, what the far side has said of a stream of ours, is said to our peer: with music, a side that neither sends nor receives leaves
// its place as a sender to us. An answer never allows what the offer of the peer did not. RFC 3264 §6.1.
func (l *Leg) direction(n *line, d sdp.Direction, sound, answers bool) sdp.Direction {
	if sound && l.music() != nil && d == sdp.Inactive {
		d = sdp.SendOnly
	}
	if answers {
		d = d.And(n.news.direction.Reverse())
	}
	return d
}

// music is what the peer hears on hold; nil: nothing of ours.
func (l *Leg) music() Music {
	if l.peer.Music != nil {
		return *l.peer.Music
	}
	return l.site.Music
}

// join makes two streams one path, or lets the one wait that is put on hold by the other.
func join(site *Site, a, b *line) {
	waits := false
	for _, pair := range [...][2]*line{{a, b}, {b, a}} {
		holder, other := pair[0], pair[1]
		if music := other.leg.music(); music != nil && holder.held() && other.hears() && other.wait(site, holder, music) {
			waits = true
		} else {
			other.resume()
		}
	}
	switch {
	case waits:
		a.passOn()
		b.passOn()
		relay.Part(a.stream)
	case !convertBetween(site, a, b):
		relay.Join(a.stream, b.stream)
		lead(a, b)
		lead(b, a)
	}
}

// wait plays music to the peer of n in the place of holder, and reports whether that can be: it needs a codec that we have.
func (n *line) wait(site *Site, holder *line, music Music) bool {
	format, payload, ok := n.told.speech(site.formats())
	if !ok {
		n.resume()
		return false
	}
	if w := n.waiting; w != nil && !w.once && w.payload == payload && w.format.Name == format.Name {
		return true
	}
	n.resume()
	w := &waiting{format: format, payload: payload, packer: newPacker(n.told.times, frameTime, n.told.codecs), stop: make(chan struct{})}
	n.waiting = w
	random := newRandom()
	h := rtp.Header{PayloadType: payload, Marker: true, SSRC: uint32(random.Uint64()), Sequence: uint16(random.Uint64()), Timestamp: uint32(random.Uint64())}
	if t, ok := holder.stream.Timestamp(); ok && holder.told.Clock == format.Clock {
		n.numbers.begin(&h)
		h.Timestamp = t // a receiver that knows the holder's timestamps sees no jump, neither now nor when its sound comes back
	}
	s := n.stream
	w.stopped.Go(func() { w.play(s, h, music) })
	return true
}

// resume ends the music.
func (n *line) resume() {
	if n.waiting != nil {
		close(n.waiting.stop)
		n.waiting.stopped.Wait()
		n.waiting = nil
		n.numbers.end()
	}
}

// speech returns the first codec of the peer that is among formats.
func (s *said) speech(formats []codec.Format) (codec.Format, uint8, bool) {
	if !s.sound {
		return codec.Format{}, 0, false
	}
	for _, c := range s.codecs {
		if f, ok := formatOf(formats, c); ok {
			return f, c.PayloadType, true
		}
	}
	return codec.Format{}, 0, false
}

// play sends a frame of music at each beat until it is stopped, or the music ends or fails: then there is silence.
func (w *waiting) play(s *relay.Stream, h rtp.Header, music Music) {
	encoder, err := w.format.NewEncoder()
	if err != nil {
		return
	}
	source, err := music(w.format.Rate)
	if err != nil {
		return
	}
	if c, ok := source.(io.Closer); ok {
		defer c.Close()
	}
	pcm := make([]int16, w.format.Samples(frameTime))
	payload, packet := make([]byte, 0, 2*len(pcm)), make([]byte, 0, 1500)
	beat := time.NewTicker(frameTime)
	defer beat.Stop()
	for ; ; h.Marker = false {
		select {
		case <-w.stop:
			w.cut = true
			return
		case <-beat.C:
		}
		if !fill(source, pcm) {
			return
		}
		if payload, err = encoder.Encode(payload[:0], pcm); err != nil {
			return
		}
		p := rtp.Packet{Header: h, Payload: payload}
		packet = p.AppendTo(packet[:0])
		if whole := w.packer.pack(packet, s.Send); whole != nil {
			s.Send(whole)
		}
		h.Sequence++
		h.Timestamp += w.format.Ticks(frameTime)
	}
}

// fill reads pcm full; false: there is no more.
func fill(s audio.Source, pcm []int16) bool {
	for n := 0; n < len(pcm); {
		got, err := s.ReadSamples(pcm[n:])
		if n += got; err != nil && n < len(pcm) {
			return false
		}
	}
	return true
}
