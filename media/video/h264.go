package video

// Where a whole picture of H.264 begins. RFC 6184 §5.

import "encoding/binary"

// Types of NAL units. RFC 6184 §5.2; ITU-T H.264 table 7-1.
const (
	nalWhole      = 5  // a slice of a picture that needs none before it (IDR)
	nalParameters = 7  // of the sequence, without which nothing can be decoded
	nalAggregate  = 24 // STAP-A: several units, each with its size. RFC 6184 §5.7.1
	nalFragment   = 28 // FU-A: a part of one. RFC 6184 §5.8
)

// opensH264 is [Format.Opens]. Senders put the parameters in front of each whole picture, in packets of their own or in one with it.
func opensH264(b []byte) (opens, whole bool) {
	if len(b) == 0 {
		return false, false
	}
	switch typ := b[0] & 0x1f; typ {
	case nalAggregate:
		for b = b[1:]; len(b) > 2; {
			n := int(binary.BigEndian.Uint16(b))
			if b = b[2:]; n == 0 || n > len(b) {
				break
			}
			o, w := begins(b[0] & 0x1f)
			opens, whole = opens || o, whole || w
			b = b[n:]
		}
		return opens, whole
	case nalFragment:
		if len(b) < 2 || b[1]&0x80 == 0 { // not its first part
			return false, false
		}
		return begins(b[1] & 0x1f)
	default:
		return begins(typ)
	}
}

func begins(typ byte) (opens, whole bool) {
	return typ == nalWhole || typ == nalParameters, typ == nalWhole
}
