package sdp

// The answer is chosen from an offer. RFC 3264 §6, RFC 6337 §5.1.

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrNothingCommon is returned with an answer in which every stream is rejected: reply 488 instead of sending it
// (RFC 6337 §2.3).
var ErrNothingCommon = errors.New("sdp: answer: no stream in common")

// Capabilities are what we can do in one session. They are only read.
type Capabilities struct {
	// Name is the s= line of offers, "-" if empty.
	Name string
	// Media are the streams we can have, each at most once in a session, in the order of our offer.
	Media []Capability
}

// A Capability is one stream that we can have.
type Capability struct {
	// Type is the medium: "audio", "video".
	Type string
	// Line is the m= line that it is for, counted from 1; 0: the first that it suits.
	Line int
	// Protos are the transports, the first one is offered; RTP/AVP if empty.
	Protos []string
	// Codecs in the order of our preference, with the payload types of our offers. Telephone-event is used together
	// with a codec of the same clock only.
	Codecs []Codec
	// OwnOrder lets our preference win in answers. Otherwise the order of the offer is kept, as RFC 3264 §6.1 recommends.
	OwnOrder bool
	// Direction is what we want.
	Direction Direction
	// Place is where we receive.
	Place Place
	// RTCPMux tells that we can take RTCP on the media port.
	RTCPMux bool
	// PacketTime is a=ptime, left out if 0.
	PacketTime time.Duration
}

// Answer returns the answer to an offer, without o= line: see [Originator.Stamp]. Every stream of the offer has its
// slot in it; those we cannot have, or have already, are rejected. The answer uses the payload types of the offer. If
// nothing is left the error is [ErrNothingCommon].
func (c *Capabilities) Answer(offer *Description) (*Description, error) {
	a := &Description{Lines: Lines{{'v', "0"}, {'s', "-"}, {'t', "0 0"}}, Media: make([]Media, len(offer.Media))}
	if t, ok := offer.Lines.Value('t'); ok {
		a.Lines.Set(Line{'t', t}) // RFC 3264 §6: equal to that of the offer
	}
	places := make([]Place, len(offer.Media))
	used := make([]bool, len(c.Media))
	err := ErrNothingCommon
	for i := range offer.Media {
		m := &offer.Media[i]
		n, codecs := c.choose(m, i+1, used)
		if n < 0 {
			a.Media[i] = Media{Type: m.Type, Proto: m.Proto, Formats: slices.Clone(m.Formats)}
			continue
		}
		used[n], err = true, nil
		places[i] = c.Media[n].Place
		a.Media[i] = c.Media[n].answer(offer, m, codecs)
	}
	a.setConnections(places)
	return a, err
}

// choose finds the first unused capability that suits m, which is that line of the offer.
func (c *Capabilities) choose(m *Media, line int, used []bool) (int, []Codec) {
	if m.Rejected() {
		return -1, nil
	}
	for i := range c.Media {
		own := &c.Media[i]
		if used[i] || own.Type != m.Type || own.Line != 0 && own.Line != line || !own.hasProto(m.Proto) {
			continue
		}
		if codecs := own.common(m.Codecs()); len(codecs) > 0 {
			return i, codecs
		}
	}
	return -1, nil
}

func (c *Capability) hasProto(proto string) bool {
	if len(c.Protos) == 0 {
		return proto == "RTP/AVP"
	}
	return slices.Contains(c.Protos, proto)
}

// common returns the codecs both sides have, with the payload types of the offer and our parameters, nil if no speech
// codec is among them.
func (c *Capability) common(offered []Codec) []Codec {
	var both []Codec
	if c.OwnOrder {
		for _, own := range c.Codecs {
			if i := slices.IndexFunc(offered, own.Suits); i >= 0 {
				both = append(both, own.as(offered[i]))
			}
		}
	} else {
		for _, o := range offered {
			if i := slices.IndexFunc(c.Codecs, o.Suits); i >= 0 {
				both = append(both, c.Codecs[i].as(o))
			}
		}
	}
	return withCompanions(both)
}

// as returns c under the payload type and spelling of o.
func (c Codec) as(o Codec) Codec {
	if strings.EqualFold(c.Name, "H264") {
		ours, theirs := readH264(c.FMTP), readH264(o.FMTP)
		c.FMTP = ours.answer(&theirs)
	}
	o.FMTP, o.Channels = c.FMTP, max(c.Channels, 1)
	return o
}

// withCompanions drops telephone-event and comfort noise whose clock no speech codec has: the timestamps of one stream
// count in one unit. RFC 4733 §2.1.
func withCompanions(codecs []Codec) []Codec {
	return slices.DeleteFunc(codecs, func(c Codec) bool {
		return !c.IsSpeech() && !slices.ContainsFunc(codecs, func(s Codec) bool { return s.IsSpeech() && s.Clock == c.Clock })
	})
}

func (c *Capability) answer(offer *Description, m *Media, codecs []Codec) Media {
	a := Media{Type: m.Type, Port: c.Place.RTP.Port(), Proto: m.Proto}
	for _, codec := range codecs {
		a.AddCodec(codec)
	}
	if mid, ok := m.Lines.Attribute("mid"); ok {
		a.Lines.AddAttribute("mid", mid)
	}
	_, mux := m.Lines.Attribute("rtcp-mux")
	c.finish(&a, offer.Direction(m).Answer(c.Direction), mux && c.RTCPMux)
	a.setPacketTime(c.PacketTime, m.MaxPacketTime())
	return a
}

// finish adds what offers and answers have in common.
func (c *Capability) finish(m *Media, dir Direction, mux bool) {
	if mux {
		m.Lines.AddAttribute("rtcp-mux", "")
	} else {
		m.setRTCP(c.Place)
	}
	m.Lines.AddAttribute(dir.String(), "")
}

func (m *Media) setPacketTime(own, limit time.Duration) {
	if limit > 0 {
		own = min(own, limit)
	}
	if own > 0 {
		m.Lines.AddAttribute("ptime", strconv.FormatInt(own.Milliseconds(), 10))
	}
}
