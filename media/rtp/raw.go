package rtp

// RTCP packets where they lie: what a relay looks at in passing. RFC 3550 §6.4.

import "encoding/binary"

// RawControl is one RTCP packet, not decoded.
type RawControl struct {
	Type  byte
	Count int    // of reports, chunks or sources; the format of feedback
	Body  []byte // a part of the datagram, without padding
}

// SplitRTCP takes the first packet off a datagram. It allocates nothing; the error is a [ParseError].
func SplitRTCP(b []byte) (first RawControl, rest []byte, err error) {
	if len(b) < 4 {
		return first, nil, errRTCPLength
	}
	if b[0]>>6 != version {
		return first, nil, errVersion
	}
	size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
	if size > len(b) {
		return first, nil, errRTCPLength
	}
	body, err := unpad(b[:size])
	return RawControl{Type: b[1], Count: int(b[0] & 0x1f), Body: body}, b[size:], err
}

// SenderTime returns when a sender report was made: the middle of its NTP time, by which reception reports name it.
func (c RawControl) SenderTime() (uint32, bool) {
	if c.Type != typeSenderReport || len(c.Body) < 24 {
		return 0, false
	}
	return binary.BigEndian.Uint32(c.Body[6:]), true
}

// Report returns the reception report number i of a sender or receiver report.
func (c RawControl) Report(i int) (ReceptionReport, bool) {
	at := i * reportSize
	switch c.Type {
	case typeSenderReport:
		at += 24
	case typeReceiverReport:
		at += 4
	default:
		return ReceptionReport{}, false
	}
	if i < 0 || i >= c.Count || at+reportSize > len(c.Body) {
		return ReceptionReport{}, false
	}
	return readReport(c.Body[at:]), true
}

// About returns the SSRC number i among those that a packet reports on, or asks something of: streams of who gets it. RFC 3550 §6.4, RFC 4585 §6.1.
func (c RawControl) About(i int) (uint32, bool) {
	if r, ok := c.Report(i); ok {
		return r.SSRC, true
	}
	if c.Type != typeTransportFeedback && c.Type != typePayloadFeedback || i < 0 {
		return 0, false
	}
	at, size := 4, 0 // the stream that it is about; some name more behind it
	switch {
	case i == 0:
	case c.Type == typePayloadFeedback && c.Count == formatFullIntra:
		at, size = 8, 8
	case c.Type == typePayloadFeedback && c.Count == formatApplication && isEstimate(c.Body):
		at, size = 16, 4
	default:
		return 0, false
	}
	if at += (i - 1) * size; i == 0 {
		at = 4
	}
	if at+4 > len(c.Body) {
		return 0, false
	}
	return binary.BigEndian.Uint32(c.Body[at:]), true
}
