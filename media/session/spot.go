package session

// Digits heard in the sound of packets as they pass, without a jitter buffer: what is lost or late is left out, for a digit lasts for several packets.

import (
	"slices"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// spotRate is the sample rate at which digits are looked for: more tells nothing more of them.
const spotRate = 8000

// spotter hears digits in packets. One goroutine at a time.
type spotter struct {
	agreed   agreement
	detector audio.Detector
	pcm      []int16
	digits   []byte
	heard    bool
	ssrc     uint32
	last     uint16
}

// newSpotter returns one for packets by the payload types of any of these lists, the first that names one; nil if none is a codec of ours.
func newSpotter(formats []codec.Format, named ...[]sdp.Codec) *spotter {
	at := make([]codec.Format, len(formats))
	for i, f := range formats {
		at[i] = atRate(f, spotRate)
	}
	s := &spotter{detector: audio.Detector{Rate: spotRate}}
	for _, codecs := range named {
		s.agreed.receive(at, slices.DeleteFunc(slices.Clone(codecs), func(c sdp.Codec) bool { return s.agreed.hears(c.PayloadType) }))
	}
	if len(s.agreed.hearing) == 0 {
		return nil
	}
	return s
}

// hear takes a packet and returns the digits that begin in it.
func (s *spotter) hear(p *rtp.Packet) []byte {
	if s.heard && p.SSRC == s.ssrc && !rtp.Before(s.last, p.Sequence) {
		return nil
	}
	decoder := s.agreed.decoder(p.PayloadType)
	if decoder == nil {
		return nil
	}
	s.heard, s.ssrc, s.last = true, p.SSRC, p.Sequence
	pcm, err := decoder.Decode(s.pcm[:0], p.Payload)
	if s.pcm = pcm; err != nil {
		return nil
	}
	s.digits = s.detector.Detect(s.digits[:0], pcm)
	return s.digits
}
