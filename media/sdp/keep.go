package sdp

// A description that is narrowed to some codecs before it is sent. RFC 3264 §5.1.

import (
	"slices"
	"strings"
)

// Keep leaves of each RTP stream the codecs called names, in that order, and what accompanies them (DTMF, comfort noise). A sound stream that would be left without any stays as it is,
// so that a call fails for what the other side wants and not for this; any other is rejected. It is for an offer before it is sent. RFC 3264 §5.1.
func (d *Description) Keep(names []string) {
	for i := range d.Media {
		m := &d.Media[i]
		if m.Rejected() || !m.IsRTP() {
			continue
		}
		if kept := m.among(names); len(kept) > 0 {
			m.keep(kept)
		} else if m.Type != "audio" {
			m.Reject()
		}
	}
}

// among returns the payload types of the codecs called names, in that order, and of their companions; none if there is no such codec.
func (m *Media) among(names []string) (kept []string) {
	codecs := m.Codecs()
	add := func(wanted func(Codec) bool) {
		for _, c := range codecs {
			if f := m.format(c); wanted(c) && f != "" && !slices.Contains(kept, f) {
				kept = append(kept, f)
			}
		}
	}
	for _, name := range names {
		add(func(c Codec) bool { return strings.EqualFold(c.Name, name) && c.IsSpeech() })
	}
	if len(kept) > 0 {
		add(func(c Codec) bool { return !c.IsSpeech() })
	}
	return kept
}

// format is how the payload type of a codec is written in the m= line.
func (m *Media) format(c Codec) string {
	for _, f := range m.Formats {
		if pt, ok := parsePayloadType(f); ok && pt == c.PayloadType {
			return f
		}
	}
	return ""
}

// keep makes formats those of the stream, and drops the attributes of the others.
func (m *Media) keep(formats []string) {
	m.Formats = formats
	m.Lines = slices.DeleteFunc(m.Lines, func(l Line) bool {
		name, rest, _ := strings.Cut(l.Value, ":")
		if l.Type != 'a' || name != "rtpmap" && name != "fmtp" && name != "rtcp-fb" {
			return false
		}
		format, _, _ := strings.Cut(rest, " ")
		return format != "*" && !slices.Contains(formats, format)
	})
}

// Drop takes the codecs called name out of an RTP stream, with what is said of them.
func (m *Media) Drop(name string) {
	kept := slices.Clone(m.Formats)
	for _, c := range m.Codecs() {
		if strings.EqualFold(c.Name, name) {
			f := m.format(c)
			kept = slices.DeleteFunc(kept, func(other string) bool { return other == f })
		}
	}
	if len(kept) < len(m.Formats) {
		m.keep(kept)
	}
}
