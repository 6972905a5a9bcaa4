package dtls

// What of a datagram is let through to the handshake. RFC 6347 §4.1.

import "encoding/binary"

// Content types of records. RFC 5246 §6.2.1.
const (
	changeCipherSpec = 20
	handshake        = 22
	applicationData  = 23
)

const recordHeader = 13

// records is of what kind the records of a datagram are.
type records struct {
	plain  bool // at least one is not encrypted
	sealed bool // at least one is
}

// inspect cuts a datagram into records. False: it is malformed, or holds an unencrypted record that nobody honest needs: an alert or
// data without protection can be sent by anybody who forges an address, and would end the handshake. RFC 6347 §4.1.2.7.
func inspect(b []byte) (records, bool) {
	var r records
	for len(b) > 0 {
		if len(b) < recordHeader {
			return r, false
		}
		content, epoch, length := b[0], binary.BigEndian.Uint16(b[3:]), int(binary.BigEndian.Uint16(b[11:]))
		if len(b) < recordHeader+length || content < changeCipherSpec || content > applicationData {
			return r, false
		}
		switch {
		case content == changeCipherSpec: // never protected, for we do not negotiate anew
			if epoch != 0 || length != 1 || b[recordHeader] != 1 {
				return r, false
			}
		case epoch == 0 && content != handshake:
			return r, false
		}
		r.plain, r.sealed = r.plain || epoch == 0, r.sealed || epoch > 0
		b = b[recordHeader+length:]
	}
	return r, r.plain || r.sealed
}
