package session

// What both sides have said they do, and the coders for that. They are made when they are first needed: most of what could be said and heard never is.

import (
	"cmp"
	"slices"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// Comfort noise, what the peer says of the noise around it while it does not speak, in offers and answers. RFC 3389 §4.
const (
	comfortNoise     = "CN"
	noiseClock       = 8000
	noisePayloadType = 13
)

// agreement is what both sides have said they do.
type agreement struct {
	direction sdp.Direction // ours
	format    codec.Format  // of what we send
	payload   uint8         // its payload type at the peer
	wants     string        // what the peer says of it, as FMTP
	encoder   codec.Encoder // nil until something is said
	hearing   []hearing
	heard     [2]uint64 // our payload types, a bit each: looked at for each packet
	event     uint8     // payload type of digits at the peer
	events    bool      // the peer takes digits
	eventsIn  []uint8   // our payload types of digits
	noise     uint8     // our payload type of comfort noise, 0 if there is none
	level     uint8     // identifier of the audio level in header extensions, 0 if there is none
}

// hearing is a codec that we have said we take.
type hearing struct {
	payload uint8 // our payload type
	format  codec.Format
	decoder codec.Decoder // nil until something comes
}

// send takes the peer's first codec that we have: RFC 3264 §7 lets us use any of them, and the first is preferred.
func (a *agreement) send(formats []codec.Format, theirs []sdp.Codec) error {
	for _, c := range theirs {
		f, ok := formatOf(formats, c)
		if !ok {
			continue
		}
		if f.Tune != nil {
			f = f.Tune(c.FMTP)
		}
		a.format, a.payload, a.wants = f, c.PayloadType, c.FMTP
		a.event, a.events = eventOf(theirs, c.Clock)
		return nil
	}
	return sdp.ErrNothingCommon
}

// receive notes each codec that we have said we take.
func (a *agreement) receive(formats []codec.Format, ours []sdp.Codec) {
	for _, c := range ours {
		f, ok := formatOf(formats, c)
		known := true
		switch {
		case ok:
			a.hearing = append(a.hearing, hearing{payload: c.PayloadType, format: f})
		case c.Matches(sdp.Codec{Name: sdp.TelephoneEvent, Clock: c.Clock}):
			a.eventsIn = append(a.eventsIn, c.PayloadType)
		case c.Matches(sdp.Codec{Name: comfortNoise, Clock: c.Clock}):
			a.noise = c.PayloadType
		default:
			known = false
		}
		if pt := c.PayloadType & 127; known {
			a.heard[pt>>6] |= 1 << (pt & 63)
		}
	}
}

// hears tells whether packets of a payload type are what we have said we take.
func (a *agreement) hears(payload uint8) bool {
	return a.heard[payload>>6&1]>>(payload&63)&1 == 1
}

func (a *agreement) isEvent(payload uint8) bool { return slices.Contains(a.eventsIn, payload) }

func (a *agreement) isNoise(payload uint8) bool { return a.noise != 0 && a.noise == payload }

// decoder returns the decoder of a payload type, nil if it is none of sound.
func (a *agreement) decoder(payload uint8) codec.Decoder {
	for i := range a.hearing {
		h := &a.hearing[i]
		if h.payload != payload {
			continue
		}
		if h.decoder == nil {
			// One that cannot be made is as if nothing came.
			h.decoder, _ = h.format.NewDecoder()
		}
		return h.decoder
	}
	return nil
}

// succeed takes over the coders of the agreement before for what goes on as it was: those of both sides remember what was said.
func (a *agreement) succeed(before *agreement) {
	if a.encoder == nil && a.format.Name == before.format.Name && a.payload == before.payload && a.wants == before.wants {
		a.encoder = before.encoder
	}
	for i := range a.hearing {
		h := &a.hearing[i]
		at := slices.IndexFunc(before.hearing, func(o hearing) bool { return o.payload == h.payload && o.format.Name == h.format.Name })
		if at >= 0 {
			h.decoder = before.hearing[at].decoder
		}
	}
}

// encode appends the payload of pcm.
func (a *agreement) encode(dst []byte, pcm []int16) ([]byte, error) {
	if a.encoder == nil {
		var err error
		if a.encoder, err = a.format.NewEncoder(); err != nil {
			return dst, err
		}
	}
	return a.encoder.Encode(dst, pcm)
}

// described is a format as offer and answer know it.
func described(f codec.Format) sdp.Codec {
	return sdp.Codec{PayloadType: f.PayloadType, Name: f.Name, Clock: f.Clock, Channels: cmp.Or(f.Announced, f.Channels), FMTP: f.FMTP}
}

func formatOf(formats []codec.Format, c sdp.Codec) (codec.Format, bool) {
	for _, f := range formats {
		if c.Matches(described(f)) {
			return f, true
		}
	}
	return codec.Format{}, false
}

func eventOf(codecs []sdp.Codec, clock int) (uint8, bool) {
	for _, c := range codecs {
		if c.Matches(sdp.Codec{Name: sdp.TelephoneEvent, Clock: clock}) {
			return c.PayloadType, true
		}
	}
	return 0, false
}
