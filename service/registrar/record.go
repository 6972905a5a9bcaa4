// The bindings of one address-of-record as bytes: the form in which table and journal keep them.

package registrar

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// maxRecord is the longest record: what one address-of-record may cost.
const maxRecord = 16<<10 - slabPrefix

// maxTransport is the largest number of a transport: appendFlow writes one byte, number reads it.
const maxTransport = 0x7f

// errRecord: bytes that are no record.
var errRecord = errors.New("registrar: malformed record")

// appendRecord appends the record of aor: its name, how many bindings, the bindings.
func appendRecord(b []byte, aor string, bindings []Binding) []byte {
	b = appendString(b, aor)
	b = binary.AppendUvarint(b, uint64(len(bindings)))
	for i := range bindings {
		b = appendBinding(b, &bindings[i])
	}
	return b
}

func appendBinding(b []byte, v *Binding) []byte {
	b = binary.AppendUvarint(b, uint64(v.Expires.Unix()))
	b = binary.AppendUvarint(b, uint64(v.Received.Unix()))
	b = appendString(b, v.Contact)
	b = appendString(b, v.CallID)
	b = binary.AppendUvarint(b, uint64(v.CSeq))
	b = binary.AppendUvarint(b, uint64(v.Q))
	b = appendString(b, v.UserAgent)
	b = appendString(b, v.Instance)
	b = binary.AppendUvarint(b, uint64(v.RegID))
	b = binary.AppendUvarint(b, uint64(len(v.Path)))
	for _, p := range v.Path {
		b = appendString(b, p)
	}
	b = appendFlow(b, v.Flow)
	if v.Bound {
		return append(b, 1)
	}
	return append(b, 0)
}

func appendFlow(b []byte, f sip.Flow) []byte {
	b = append(b, byte(f.Transport))
	b = binary.AppendUvarint(b, f.ID)
	b = appendAddrPort(b, f.Local)
	return appendAddrPort(b, f.Remote)
}

// appendAddrPort writes the length in front; a zero AddrPort is two bytes long.
func appendAddrPort(b []byte, a netip.AddrPort) []byte {
	at := len(b)
	b, _ = a.AppendBinary(append(b, 0)) // it never fails
	b[at] = byte(len(b) - at - 1)
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// recordName returns the address-of-record of a record without decoding the rest; the bytes are the record's.
func recordName(rec []byte) []byte {
	n, w := binary.Uvarint(rec)
	if w <= 0 || n > uint64(len(rec)-w) {
		return nil
	}
	return rec[w : w+int(n)]
}

// parseRecord decodes a record. The result shares nothing with rec.
func parseRecord(rec []byte) (aor string, bindings []Binding, err error) {
	r := recordReader{rest: string(rec)}
	aor = r.text()
	n := r.number()
	if n > uint64(len(r.rest)) {
		return "", nil, errRecord
	}
	bindings = make([]Binding, 0, n)
	for range n {
		bindings = append(bindings, r.binding())
	}
	if r.bad || r.rest != "" {
		return "", nil, errRecord
	}
	return aor, bindings, nil
}

// recordReader takes a record apart; after an error everything reads as zero.
type recordReader struct {
	rest string
	bad  bool
}

func (r *recordReader) binding() Binding {
	v := Binding{
		Expires:   time.Unix(int64(r.number()), 0),
		Received:  time.Unix(int64(r.number()), 0),
		Contact:   r.text(),
		CallID:    r.text(),
		CSeq:      uint32(r.atMost(math.MaxUint32)),
		Q:         uint16(r.atMost(math.MaxUint16)),
		UserAgent: r.text(),
		Instance:  r.text(),
		RegID:     uint32(r.atMost(math.MaxUint32)),
	}
	for n := r.number(); n > 0 && !r.bad; n-- {
		v.Path = append(v.Path, r.text())
	}
	v.Flow = r.flow()
	v.Bound = r.number() == 1
	return v
}

func (r *recordReader) flow() sip.Flow {
	return sip.Flow{Transport: sip.Transport(r.atMost(maxTransport)), ID: r.number(), Local: r.addrPort(), Remote: r.addrPort()}
}

func (r *recordReader) addrPort() netip.AddrPort {
	var a netip.AddrPort
	if err := a.UnmarshalBinary([]byte(r.text())); err != nil {
		r.fail()
	}
	return a
}

func (r *recordReader) text() string {
	n := r.number()
	if n > uint64(len(r.rest)) {
		r.fail()
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// atMost reads a number of a field that holds no more than limit: cut to fit, it would not read the same again.
func (r *recordReader) atMost(limit uint64) uint64 {
	n := r.number()
	if n > limit {
		r.fail()
		return 0
	}
	return n
}

func (r *recordReader) number() uint64 {
	var n uint64
	for i := range min(len(r.rest), binary.MaxVarintLen64) {
		c := r.rest[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.fail()
	return 0
}

func (r *recordReader) fail() { r.rest, r.bad = "", true }
