package rtp

// RTCP: sender and receiver reports, source descriptions (CNAME), BYE. RFC 3550 §6.4 to RFC 3550 §6.6.

import (
	"encoding/binary"
	"time"
)

// Packet types. RFC 3550 §12.1.
const (
	typeSenderReport      = 200
	typeReceiverReport    = 201
	typeSourceDescription = 202
	typeGoodbye           = 203
)

const (
	reportSize = 24
	itemCNAME  = 1
	maxCount   = 31 // of reports, chunks or sources in a packet
)

// Reasons to refuse an RTCP packet.
const (
	errRTCPLength  ParseError = "RTCP packet longer than the datagram"
	errRTCPPadding ParseError = "RTCP padding longer than the packet"
	errRTCPBody    ParseError = "RTCP packet shorter than what it counts"
	errRTCPEmpty   ParseError = "RTCP datagram is empty"
)

// A ControlPacket is one of *[SenderReport], *[ReceiverReport], *[SourceDescription], *[Goodbye], *[Nack], *[PictureLoss], *[FullIntra] and *[Estimate]. A datagram holds
// several, a report first: RFC 3550 §6.1.
type ControlPacket interface {
	// AppendTo appends the packet.
	AppendTo(b []byte) []byte
	parse(count int, body []byte) bool
}

// A ReceptionReport tells a sender how its stream arrives.
type ReceptionReport struct {
	SSRC         uint32 // of the stream reported on
	FractionLost uint8  // since the last report, in 1/256
	Lost         int32  // since the first packet, 24 bits; negative if duplicates outnumber losses
	LastSequence uint32 // with roll-overs
	Jitter       uint32 // in ticks of the stream's clock
	LastReport   uint32 // middle of the NTP time of the last sender report, 0 if there was none
	Delay        uint32 // since then, in 1/65536 s
}

// A SenderReport tells where a stream stands and how others arrive.
type SenderReport struct {
	SSRC      uint32
	NTP       uint64 // see [NTP]
	Timestamp uint32 // of the stream at that time
	Packets   uint32
	Octets    uint32
	Reports   []ReceptionReport // at most 31
}

// A ReceiverReport tells how streams arrive.
type ReceiverReport struct {
	SSRC    uint32
	Reports []ReceptionReport // at most 31
}

// A SourceDescription names sources.
type SourceDescription struct {
	Sources []Source // at most 31
}

// A Source is a source and its canonical name.
type Source struct {
	SSRC  uint32
	CNAME string // at most 255 bytes
}

// A Goodbye ends sources.
type Goodbye struct {
	SSRCs  []uint32 // at most 31
	Reason string   // at most 255 bytes
}

// ParseRTCP reads a datagram of RTCP packets; those of other types are checked for length and left out. Nothing of b is
// kept. The error is a [ParseError].
func ParseRTCP(b []byte) ([]ControlPacket, error) {
	if len(b) == 0 {
		return nil, errRTCPEmpty
	}
	var packets []ControlPacket
	for len(b) > 0 {
		raw, rest, err := SplitRTCP(b)
		if err != nil {
			return nil, err
		}
		if p := newControlPacket(raw); p != nil {
			if !p.parse(raw.Count, raw.Body) {
				return nil, errRTCPBody
			}
			packets = append(packets, p)
		}
		b = rest
	}
	return packets, nil
}

// unpad returns the body of a packet.
func unpad(b []byte) ([]byte, error) {
	body := b[4:]
	if b[0]&0x20 == 0 {
		return body, nil
	}
	n := int(b[len(b)-1])
	if n == 0 || n > len(body) {
		return nil, errRTCPPadding
	}
	return body[:len(body)-n], nil
}

func newControlPacket(raw RawControl) ControlPacket {
	switch raw.Type {
	case typeSenderReport:
		return new(SenderReport)
	case typeReceiverReport:
		return new(ReceiverReport)
	case typeSourceDescription:
		return new(SourceDescription)
	case typeGoodbye:
		return new(Goodbye)
	}
	return newFeedback(raw)
}

func (p *SenderReport) parse(count int, b []byte) bool {
	if len(b) < 24+count*reportSize {
		return false
	}
	p.SSRC = binary.BigEndian.Uint32(b)
	p.NTP = binary.BigEndian.Uint64(b[4:])
	p.Timestamp = binary.BigEndian.Uint32(b[12:])
	p.Packets = binary.BigEndian.Uint32(b[16:])
	p.Octets = binary.BigEndian.Uint32(b[20:])
	p.Reports = parseReports(count, b[24:])
	return true
}

func (p *ReceiverReport) parse(count int, b []byte) bool {
	if len(b) < 4+count*reportSize {
		return false
	}
	p.SSRC = binary.BigEndian.Uint32(b)
	p.Reports = parseReports(count, b[4:])
	return true
}

func parseReports(count int, b []byte) []ReceptionReport {
	reports := make([]ReceptionReport, count)
	for i := range reports {
		reports[i] = readReport(b[i*reportSize:])
	}
	return reports
}

func readReport(b []byte) ReceptionReport {
	lost := binary.BigEndian.Uint32(b[4:])
	return ReceptionReport{
		SSRC:         binary.BigEndian.Uint32(b),
		FractionLost: uint8(lost >> 24),
		Lost:         int32(lost<<8) >> 8,
		LastSequence: binary.BigEndian.Uint32(b[8:]),
		Jitter:       binary.BigEndian.Uint32(b[12:]),
		LastReport:   binary.BigEndian.Uint32(b[16:]),
		Delay:        binary.BigEndian.Uint32(b[20:]),
	}
}

// parse reads chunks: a source, then items until a zero, then zeros up to the next multiple of four. RFC 3550 §6.5.
func (p *SourceDescription) parse(count int, b []byte) bool {
	for range count {
		c, rest, ok := SplitChunk(b)
		if !ok {
			return false
		}
		name, _ := c.Item(itemCNAME)
		p.Sources, b = append(p.Sources, Source{SSRC: c.SSRC, CNAME: string(name)}), rest
	}
	return true
}

func (p *Goodbye) parse(count int, b []byte) bool {
	if len(b) < 4*count {
		return false
	}
	for range count {
		p.SSRCs = append(p.SSRCs, binary.BigEndian.Uint32(b))
		b = b[4:]
	}
	if len(b) > 0 {
		n := int(b[0])
		if n >= len(b) {
			return false
		}
		p.Reason = string(b[1 : 1+n])
	}
	return true
}

// AppendTo implements [ControlPacket].
func (p *SenderReport) AppendTo(b []byte) []byte {
	start := len(b)
	reports := p.Reports[:min(len(p.Reports), maxCount)]
	b = appendHead(b, typeSenderReport, len(reports))
	b = binary.BigEndian.AppendUint32(b, p.SSRC)
	b = binary.BigEndian.AppendUint64(b, p.NTP)
	b = binary.BigEndian.AppendUint32(b, p.Timestamp)
	b = binary.BigEndian.AppendUint32(b, p.Packets)
	b = binary.BigEndian.AppendUint32(b, p.Octets)
	return closePacket(appendReports(b, reports), start)
}

// AppendTo implements [ControlPacket].
func (p *ReceiverReport) AppendTo(b []byte) []byte {
	start := len(b)
	reports := p.Reports[:min(len(p.Reports), maxCount)]
	b = appendHead(b, typeReceiverReport, len(reports))
	b = binary.BigEndian.AppendUint32(b, p.SSRC)
	return closePacket(appendReports(b, reports), start)
}

// AppendTo implements [ControlPacket].
func (p *SourceDescription) AppendTo(b []byte) []byte {
	start := len(b)
	sources := p.Sources[:min(len(p.Sources), maxCount)]
	b = appendHead(b, typeSourceDescription, len(sources))
	for _, s := range sources {
		name := s.CNAME[:min(len(s.CNAME), 255)]
		b = binary.BigEndian.AppendUint32(b, s.SSRC)
		b = append(append(b, itemCNAME, byte(len(name))), name...)
		b = append(b, 0)
		b = pad(b, start)
	}
	return closePacket(b, start)
}

// AppendTo implements [ControlPacket].
func (p *Goodbye) AppendTo(b []byte) []byte {
	start := len(b)
	ssrcs := p.SSRCs[:min(len(p.SSRCs), maxCount)]
	b = appendHead(b, typeGoodbye, len(ssrcs))
	for _, s := range ssrcs {
		b = binary.BigEndian.AppendUint32(b, s)
	}
	if p.Reason != "" {
		reason := p.Reason[:min(len(p.Reason), 255)]
		b = append(append(b, byte(len(reason))), reason...)
	}
	return closePacket(pad(b, start), start)
}

func appendHead(b []byte, typ byte, count int) []byte {
	return append(b, version<<6|byte(count), typ, 0, 0)
}

func appendReports(b []byte, reports []ReceptionReport) []byte {
	for _, r := range reports {
		b = binary.BigEndian.AppendUint32(b, r.SSRC)
		b = binary.BigEndian.AppendUint32(b, uint32(r.FractionLost)<<24|uint32(r.Lost)&0xffffff)
		b = binary.BigEndian.AppendUint32(b, r.LastSequence)
		b = binary.BigEndian.AppendUint32(b, r.Jitter)
		b = binary.BigEndian.AppendUint32(b, r.LastReport)
		b = binary.BigEndian.AppendUint32(b, r.Delay)
	}
	return b
}

// pad fills up to a multiple of four bytes since start.
func pad(b []byte, start int) []byte {
	for (len(b)-start)%4 != 0 {
		b = append(b, 0)
	}
	return b
}

// closePacket writes the length of the packet that begins at start.
func closePacket(b []byte, start int) []byte {
	binary.BigEndian.PutUint16(b[start+2:], uint16((len(b)-start)/4-1))
	return b
}

// NTP returns a time as sender reports carry it: seconds since 1900 with 32 bits of fraction. RFC 3550 §4.
func NTP(t time.Time) uint64 {
	const from1900to1970 = 2208988800
	seconds := uint64(t.Unix() + from1900to1970)
	return seconds<<32 | uint64(t.Nanosecond())<<32/uint64(time.Second)
}

// shortNTP returns a duration in 1/65536 s.
func shortNTP(d time.Duration) uint32 {
	d = max(d, 0)
	return uint32(d/time.Second)<<16 | uint32(d%time.Second<<16/time.Second)
}

// RoundTrip returns how long it took from our sender report to the peer and from its reception report back to us. It
// reports false if the peer had no report of ours yet, or the times make no sense. RFC 3550 §6.4.1.
func (r *ReceptionReport) RoundTrip(arrival time.Time) (time.Duration, bool) {
	d := int32(uint32(NTP(arrival)>>16) - r.LastReport - r.Delay)
	if r.LastReport == 0 || d < 0 {
		return 0, false
	}
	return time.Duration(d) * time.Second >> 16, true
}
