package rtp

// Feedback in RTCP: what a receiver asks of a sender. RFC 4585 §6.2.1 (NACK), RFC 4585 §6.3.1 (PLI), RFC 5104 §4.3.1 (FIR).

import "encoding/binary"

// Packet types and their formats, which stand where other packets count. RFC 4585 §6.1, RFC 5104 §4.3.
const (
	typeTransportFeedback = 205
	typePayloadFeedback   = 206

	formatNack        = 1
	formatPictureLoss = 1
	formatFullIntra   = 4
)

// A Nack asks for packets again. RFC 4585 §6.2.1.
type Nack struct {
	SSRC  uint32   // of who asks
	Media uint32   // of the stream
	Lost  []uint16 // sequence numbers, in the order of the stream; written in as few entries as they need
}

// A PictureLoss says that pictures cannot be shown until a whole one comes. RFC 4585 §6.3.1.
type PictureLoss struct {
	SSRC  uint32 // of who asks
	Media uint32 // of the stream
}

// A FullIntra demands a whole picture of each stream it names: somebody new looks. RFC 5104 §4.3.1.
type FullIntra struct {
	SSRC     uint32 // of who asks
	Requests []IntraRequest
}

// An IntraRequest is one stream of a [FullIntra].
type IntraRequest struct {
	SSRC     uint32 // of the stream
	Sequence uint8  // rises with each demand; the same again is a repetition
}

func newFeedback(raw RawControl) ControlPacket {
	typ, format := raw.Type, raw.Count
	switch {
	case typ == typeTransportFeedback && format == formatNack:
		return new(Nack)
	case typ == typePayloadFeedback && format == formatPictureLoss:
		return new(PictureLoss)
	case typ == typePayloadFeedback && format == formatFullIntra:
		return new(FullIntra)
	case typ == typePayloadFeedback && format == formatApplication && isEstimate(raw.Body):
		return new(Estimate)
	}
	return nil
}

func (p *Nack) parse(_ int, b []byte) bool {
	if len(b) < 12 {
		return false
	}
	p.SSRC, p.Media = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	for b = b[8:]; len(b) >= 4; b = b[4:] {
		first, following := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
		p.Lost = append(p.Lost, first)
		for i := range uint16(16) {
			if following>>i&1 == 1 {
				p.Lost = append(p.Lost, first+1+i)
			}
		}
	}
	return true
}

func (p *PictureLoss) parse(_ int, b []byte) bool {
	if len(b) < 8 {
		return false
	}
	p.SSRC, p.Media = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	return true
}

func (p *FullIntra) parse(_ int, b []byte) bool {
	if len(b) < 16 {
		return false
	}
	p.SSRC = binary.BigEndian.Uint32(b) // what follows it is not used: RFC 5104 §4.3.1.1
	for b = b[8:]; len(b) >= 8; b = b[8:] {
		p.Requests = append(p.Requests, IntraRequest{SSRC: binary.BigEndian.Uint32(b), Sequence: b[4]})
	}
	return true
}

// AppendTo implements [ControlPacket].
func (p *Nack) AppendTo(b []byte) []byte {
	start := len(b)
	b = appendFeedback(b, typeTransportFeedback, formatNack, p.SSRC, p.Media)
	lost := p.Lost
	for len(lost) > 0 {
		first, following, rest := lost[0], uint16(0), lost[1:]
		for at := uint16(0); len(rest) > 0 && rest[0]-first > at && rest[0]-first <= 16; rest = rest[1:] {
			at = rest[0] - first
			following |= 1 << (at - 1)
		}
		b = binary.BigEndian.AppendUint16(b, first)
		b = binary.BigEndian.AppendUint16(b, following)
		lost = rest
	}
	return closePacket(b, start)
}

// AppendTo implements [ControlPacket].
func (p *PictureLoss) AppendTo(b []byte) []byte {
	start := len(b)
	return closePacket(appendFeedback(b, typePayloadFeedback, formatPictureLoss, p.SSRC, p.Media), start)
}

// AppendTo implements [ControlPacket].
func (p *FullIntra) AppendTo(b []byte) []byte {
	start := len(b)
	b = appendFeedback(b, typePayloadFeedback, formatFullIntra, p.SSRC, 0)
	for _, r := range p.Requests {
		b = binary.BigEndian.AppendUint32(b, r.SSRC)
		b = append(b, r.Sequence, 0, 0, 0)
	}
	return closePacket(b, start)
}

func appendFeedback(b []byte, typ byte, format int, ssrc, media uint32) []byte {
	b = appendHead(b, typ, format)
	b = binary.BigEndian.AppendUint32(b, ssrc)
	return binary.BigEndian.AppendUint32(b, media)
}
