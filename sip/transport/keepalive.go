// Keep-alives: CRLF on streams and datagrams (RFC 5626 §3.5.1), STUN binding requests on the datagram port (RFC 5626 §3.5.2, RFC 8489).

package transport

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"

	"github.com/sipwerk/sipwerk/sip"
)

// trimLineEnds drops line ends, and the zero bytes some phones send to keep a NAT open, from the front. RFC 3261 §7.5.
func trimLineEnds(b []byte) []byte {
	for len(b) > 0 && (b[0] == '\r' || b[0] == '\n') {
		b = b[1:]
	}
	return b
}

// KeepAlive sends a ping over f, so that a NAT on the way keeps its binding: a double CRLF, RFC 5626 §3.5.1, whose pong is swallowed here. A WebSocket pings by itself
// (RFC 7118 §6), and gets none. Errors are those of [Layer.Send].
//
// Deviates: RFC 5626 §3.5.2 wants STUN over UDP; a double CRLF keeps a NAT open as well, and passes servers that know no STUN. A pong that does not come ends
// nothing, for a server without RFC 5626 sends none.
func (l *Layer) KeepAlive(f sip.Flow) error {
	l.begin()
	if isWebSocket(f.Transport) {
		return nil
	}
	if s := l.flows.get(f.ID); s != nil {
		s.pinged.Store(true)
	}
	return l.Send(nil, f, []byte("\r\n\r\n"))
}

// pingLength is a double CRLF.
const pingLength = 4

// answerPing answers a double CRLF. RFC 5626 §3.5.1.
func (l *Layer) answerPing(out *Outbox, f sip.Flow) {
	l.Stats.KeepAlives.Add(1)
	_ = l.collect(out, f, []byte("\r\n"))
}

// STUN, as far as a binding answer needs it. RFC 8489 §5, §14.
const (
	stunHeader     = 20
	stunCookie     = 0x2112A442
	stunRequest    = 0x0001
	stunSuccess    = 0x0101
	stunError      = 0x0111
	stunXORMapped  = 0x0020
	stunErrorCode  = 0x0009
	stunUnknown    = 0x000A
	stunPrint      = 0x8028
	stunPrintXOR   = 0x5354554E
	stunPrintBytes = 8
)

// isSTUN reports whether b is a STUN message: RFC 8489 §5, first two bits zero, the cookie, a length that fits.
func isSTUN(b []byte) bool {
	return len(b) >= stunHeader && b[0]&0xC0 == 0 && binary.BigEndian.Uint32(b[4:]) == stunCookie &&
		int(binary.BigEndian.Uint16(b[2:]))+stunHeader == len(b) && len(b)%4 == 0
}

func (l *Layer) answerSTUN(out *Outbox, f sip.Flow, b []byte) {
	var room [128]byte
	answer := appendSTUN(room[:0], b, f.Remote)
	if len(answer) == 0 {
		l.Stats.Junk.Add(1)
		return
	}
	l.Stats.KeepAlives.Add(1)
	_ = l.collect(out, f, answer)
}

// appendSTUN appends the answer to the STUN message request that came from source: the address as we see it, or error 420. Nothing is
// appended for what wants no answer.
func appendSTUN(b, request []byte, source netip.AddrPort) []byte {
	unknown, printed, ok := stunAttributes(request)
	if !ok || binary.BigEndian.Uint16(request) != stunRequest {
		return b
	}
	start := len(b)
	b = binary.BigEndian.AppendUint16(b, stunSuccess)
	b = append(b, 0, 0)
	b = append(b, request[4:stunHeader]...)
	if len(unknown) > 0 {
		binary.BigEndian.PutUint16(b[start:], stunError)
		b = appendUnknown(b, unknown)
	} else {
		b = appendMapped(b, request[4:stunHeader], source)
	}
	length := len(b) - start - stunHeader
	if printed {
		length += stunPrintBytes
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16(length))
	if printed {
		sum := crc32.ChecksumIEEE(b[start:]) ^ stunPrintXOR
		b = binary.BigEndian.AppendUint32(b, stunPrint<<16|4)
		b = binary.BigEndian.AppendUint32(b, sum)
	}
	return b
}

// stunAttributes walks the attributes: those we would have to understand and do not (RFC 8489 §14, at most four are named), and
// whether there is a right FINGERPRINT. It is not ok if the walk does not end at the end, or the fingerprint is wrong.
func stunAttributes(b []byte) (unknown []uint16, printed, ok bool) {
	for at := stunHeader; at < len(b); {
		if len(b)-at < 4 {
			return nil, false, false
		}
		kind, size := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		end := at + 4 + (size+3)&^3
		if end > len(b) {
			return nil, false, false
		}
		switch {
		case kind == stunPrint:
			sum := crc32.ChecksumIEEE(b[:at]) ^ stunPrintXOR
			if size != 4 || end != len(b) || binary.BigEndian.Uint32(b[at+4:]) != sum {
				return nil, false, false
			}
			printed = true
		case kind < 0x8000 && !stunKnown(kind) && len(unknown) < 4:
			unknown = append(unknown, kind)
		}
		at = end
	}
	return unknown, printed, true
}

// stunKnown names the attributes with which a binding request may come; credentials are ignored, as RFC 5626 §8 asks for none.
func stunKnown(kind uint16) bool {
	switch kind {
	case 0x0001, 0x0006, 0x0008, 0x0009, 0x000A, 0x0014, 0x0015, 0x001C, 0x001D, 0x001E, stunXORMapped:
		return true
	}
	return false
}

func appendUnknown(b []byte, unknown []uint16) []byte {
	b = binary.BigEndian.AppendUint32(b, stunErrorCode<<16|4)
	b = append(b, 0, 0, 4, 20) // 420 Unknown Attribute, without a phrase
	b = binary.BigEndian.AppendUint16(b, stunUnknown)
	b = binary.BigEndian.AppendUint16(b, uint16(2*len(unknown)))
	for _, kind := range unknown {
		b = binary.BigEndian.AppendUint16(b, kind)
	}
	if len(unknown)%2 == 1 {
		b = append(b, 0, 0)
	}
	return b
}

// appendMapped appends XOR-MAPPED-ADDRESS; mask is cookie and transaction id. RFC 8489 §14.2.
func appendMapped(b, mask []byte, source netip.AddrPort) []byte {
	family, addr := byte(1), source.Addr().AsSlice()
	if source.Addr().Is6() {
		family = 2
	}
	b = binary.BigEndian.AppendUint32(b, stunXORMapped<<16|uint32(4+len(addr)))
	b = append(b, 0, family)
	b = binary.BigEndian.AppendUint16(b, source.Port()^uint16(stunCookie>>16))
	for i, c := range addr {
		b = append(b, c^mask[i])
	}
	return b
}
