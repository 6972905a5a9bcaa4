package sdp

// A session description and its media, and how they are printed. RFC 8866 §5.

import (
	"slices"
	"strconv"
	"strings"
)

// A Description is one session description. Whoever holds it may change it; [Description.Clone] gives an independent
// copy. The zero value is an empty description without even a v= line.
type Description struct {
	// Lines are the session-level lines in their order, v= first.
	Lines Lines
	// Media are the media descriptions. Their number and order is the contract of offer and answer: RFC 3264 §8 never
	// lets one disappear.
	Media []Media
}

// A Media is one m= line and the lines that follow it.
type Media struct {
	// Type is the medium: "audio", "video", "image", "application", "message" or something new.
	Type string
	// Port is the transport port; 0 rejects the stream, see [Media.Rejected].
	Port uint16
	// PortCount is the number of ports after the slash, 0 if there was none.
	PortCount uint16
	// Proto is the transport: "RTP/AVP", "UDP/TLS/RTP/SAVPF", "udptl".
	Proto string
	// Formats are the formats as written; for RTP they are payload types.
	Formats []string
	// Lines are the lines below the m= line in their order.
	Lines Lines
}

// Clone returns a copy that shares nothing that can be changed with d.
func (d *Description) Clone() *Description {
	c := &Description{Lines: slices.Clone(d.Lines), Media: slices.Clone(d.Media)}
	for i := range c.Media {
		m := &c.Media[i]
		m.Formats, m.Lines = slices.Clone(m.Formats), slices.Clone(m.Lines)
	}
	return c
}

// Complete adds the lines that RFC 8866 §5 asks for and some phones leave out (v=, s=, t=), so that a strict receiver
// accepts what a tolerant one has read. It does not make an o= line: see [Originator.Stamp].
func (d *Description) Complete() {
	for _, l := range [...]Line{{'v', "0"}, {'s', "-"}, {'t', "0 0"}} {
		if _, ok := d.Lines.Value(l.Type); !ok {
			d.Lines.Insert(l)
		}
	}
}

// AppendTo appends the description as it goes over the wire.
func (d *Description) AppendTo(b []byte) []byte {
	b = d.Lines.appendTo(slices.Grow(b, d.size()))
	for i := range d.Media {
		b = d.Media[i].appendTo(b)
	}
	return b
}

// String returns the description as it goes over the wire.
func (d *Description) String() string { return string(d.AppendTo(nil)) }

// size is at least how many bytes AppendTo appends.
func (d *Description) size() int {
	n := d.Lines.size()
	for i := range d.Media {
		m := &d.Media[i]
		n += m.Lines.size() + len(m.Type) + len(m.Proto) + len("m= 65535/65535 \r\n")
		for _, f := range m.Formats {
			n += 1 + len(f)
		}
	}
	return n
}

func (m *Media) appendTo(b []byte) []byte {
	b = append(append(b, "m="...), m.Type...)
	b = strconv.AppendUint(append(b, ' '), uint64(m.Port), 10)
	if m.PortCount != 0 {
		b = strconv.AppendUint(append(b, '/'), uint64(m.PortCount), 10)
	}
	b = append(append(b, ' '), m.Proto...)
	for _, f := range m.Formats {
		b = append(append(b, ' '), f...)
	}
	return m.Lines.appendTo(append(b, "\r\n"...))
}

// Rejected tells that the stream is refused or was ended: port 0 without a=bundle-only. RFC 3264 §6, RFC 9143 §6.
func (m *Media) Rejected() bool {
	if m.Port != 0 {
		return false
	}
	_, bundled := m.Lines.Attribute("bundle-only")
	return !bundled
}

// Reject refuses or ends the stream. The m= line stays: RFC 3264 §8.2.
func (m *Media) Reject() {
	m.Port, m.PortCount = 0, 0
	m.Lines.RemoveAttribute("bundle-only")
}

// IsRTP tells whether the formats are RTP payload types.
func (m *Media) IsRTP() bool { return strings.Contains(m.Proto, "RTP/") }
