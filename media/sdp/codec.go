package sdp

// Codecs of an RTP stream: rtpmap, fmtp, ptime and the static payload types. RFC 8866 §6.4 to
// RFC 8866 §6.15, RFC 3551 §6.

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// TelephoneEvent is the encoding name of DTMF digits. RFC 4733 §7.1.1.
const TelephoneEvent = "telephone-event"

// A Codec is one RTP payload type and what it stands for.
type Codec struct {
	PayloadType uint8  // 0 to 127
	Name        string // encoding name as written; compare with [Codec.Matches]
	Clock       int    // of the RTP timestamp, in Hz; 8000 for G.722
	Channels    int    // 1 or more
	FMTP        string // format parameters, empty if there are none
}

// Matches tells whether both are the same encoding at the same clock with as many channels, whatever their payload
// types and parameters.
func (c Codec) Matches(o Codec) bool {
	return c.Clock == o.Clock && max(c.Channels, 1) == max(o.Channels, 1) && strings.EqualFold(c.Name, o.Name)
}

// IsSpeech tells whether the codec carries the medium itself, rather than accompany one that does (DTMF, comfort noise).
func (c Codec) IsSpeech() bool {
	return !strings.EqualFold(c.Name, TelephoneEvent) && !strings.EqualFold(c.Name, "CN")
}

// Codecs lists the codecs of an RTP stream in the order of its formats. Payload types that nothing explains are left
// out, and so is the second mention of one. It is nil if m is not RTP.
func (m *Media) Codecs() []Codec {
	if !m.IsRTP() {
		return nil
	}
	var listed [128]uint8 // by payload type: 1 and the place of its codec
	codecs := make([]Codec, 0, min(len(m.Formats), len(listed)))
	for _, f := range m.Formats {
		if pt, ok := parsePayloadType(f); ok && listed[pt] == 0 {
			codecs = append(codecs, staticCodec(pt))
			listed[pt] = uint8(len(codecs))
		}
	}
	for i := range m.Lines {
		name, v, _ := m.Lines[i].attribute()
		switch name {
		case "rtpmap":
			if c, ok := parseRTPMap(v); ok && listed[c.PayloadType] > 0 {
				known := &codecs[listed[c.PayloadType]-1]
				c.FMTP = known.FMTP
				*known = c
			}
		case "fmtp":
			format, parameters, _ := strings.Cut(v, " ")
			if pt, ok := parsePayloadType(format); ok && listed[pt] > 0 {
				codecs[listed[pt]-1].FMTP = strings.TrimSpace(parameters)
			}
		}
	}
	return slices.DeleteFunc(codecs, func(c Codec) bool { return c.Name == "" })
}

// parseRTPMap reads "96 opus/48000/2".
func parseRTPMap(v string) (Codec, bool) {
	format, encoding, _ := strings.Cut(v, " ")
	pt, ok := parsePayloadType(format)
	name, rate, _ := strings.Cut(strings.TrimSpace(encoding), "/")
	rate, channels, _ := strings.Cut(rate, "/")
	clock, err := strconv.ParseUint(rate, 10, 31)
	if !ok || name == "" || err != nil || clock == 0 {
		return Codec{}, false
	}
	c := Codec{PayloadType: pt, Name: name, Clock: int(clock), Channels: 1}
	if channels == "" {
		return c, true
	}
	if n, err := strconv.ParseUint(channels, 10, 8); err == nil && n > 0 {
		c.Channels = int(n)
	}
	return c, true
}

func parsePayloadType(s string) (uint8, bool) {
	n := 0
	for i := range len(s) {
		if n = 10*n + int(s[i]-'0'); s[i] < '0' || s[i] > '9' || n > 127 {
			return 0, false
		}
	}
	return uint8(n), s != ""
}

// PacketTime returns a=ptime, 0 if it is not said or nonsense. RFC 8866 §6.4.
func (m *Media) PacketTime() time.Duration { return m.milliseconds("ptime") }

// MaxPacketTime returns a=maxptime, 0 if it is not said or nonsense. RFC 8866 §6.5.
func (m *Media) MaxPacketTime() time.Duration { return m.milliseconds("maxptime") }

func (m *Media) milliseconds(name string) time.Duration {
	v, _ := m.Lines.Attribute(name)
	n, err := strconv.ParseUint(v, 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Millisecond
}

// SetCodecs gives an RTP stream other codecs, in this order; what was said of the old ones is gone.
func (m *Media) SetCodecs(codecs []Codec) {
	m.Formats = nil
	m.Lines.RemoveAttribute("rtpmap", "fmtp", "rtcp-fb", "maxptime")
	for _, c := range codecs {
		m.AddCodec(c)
	}
}

// AddCodec appends a codec with its attributes. Its payload type is not yet one of the stream.
func (m *Media) AddCodec(c Codec) {
	pt := strconv.Itoa(int(c.PayloadType))
	m.Formats = append(m.Formats, pt)
	v := pt + " " + c.Name + "/" + strconv.Itoa(c.Clock)
	if c.Channels > 1 {
		v += "/" + strconv.Itoa(c.Channels)
	}
	m.Lines.AddAttribute("rtpmap", v)
	if c.FMTP != "" {
		m.Lines.AddAttribute("fmtp", pt+" "+c.FMTP)
	}
}

// staticCodec returns the codec that RFC 3551 §6 tables 4 and 5 assign to a payload type; its name is empty if none.
func staticCodec(pt uint8) Codec {
	c := Codec{PayloadType: pt, Clock: 8000, Channels: 1}
	switch pt {
	case 0:
		c.Name = "PCMU"
	case 3:
		c.Name = "GSM"
	case 4:
		c.Name = "G723"
	case 5:
		c.Name = "DVI4"
	case 6:
		c.Name, c.Clock = "DVI4", 16000
	case 7:
		c.Name = "LPC"
	case 8:
		c.Name = "PCMA"
	case 9:
		c.Name = "G722"
	case 10:
		c.Name, c.Clock, c.Channels = "L16", 44100, 2
	case 11:
		c.Name, c.Clock = "L16", 44100
	case 12:
		c.Name = "QCELP"
	case 13:
		c.Name = "CN"
	case 14:
		c.Name, c.Clock = "MPA", 90000
	case 15:
		c.Name = "G728"
	case 16:
		c.Name, c.Clock = "DVI4", 11025
	case 17:
		c.Name, c.Clock = "DVI4", 22050
	case 18:
		c.Name = "G729"
	case 25, 26, 28, 31, 32, 33, 34:
		c.Name, c.Clock = staticVideo(pt), 90000
	}
	return c
}

func staticVideo(pt uint8) string {
	switch pt {
	case 25:
		return "CelB"
	case 26:
		return "JPEG"
	case 28:
		return "nv"
	case 31:
		return "H261"
	case 32:
		return "MPV"
	case 33:
		return "MP2T"
	}
	return "H263"
}
