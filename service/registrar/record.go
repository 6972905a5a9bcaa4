// The bindings of one address-of-record as bytes: the form in which table and journal keep them.

package registrar

import (
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"time"
	"unsafe"

	"github.com/sipwerk/sipwerk/internal/slab"
	"github.com/sipwerk/sipwerk/sip"
)

// maxRecord is the longest record: what one address-of-record may cost, its name included.
const maxRecord = slab.MaxSize - wheelSize - maxName

// maxName is the longest address-of-record.
const maxName = 1024

// maxTransport is the largest number of a transport: appendFlow writes one byte, number reads it.
const maxTransport = 0x7f

// errRecord: bytes that are no record.
var errRecord = errors.New("registrar: malformed record")

// text gives the bytes as a string without copying them: whoever pools or changes b must know that nobody keeps the string.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// seconds gives a time as the wheel counts it.
func seconds(t time.Time) uint32 { return uint32(min(max(t.Unix(), 0), math.MaxUint32)) }

// appendBindings appends how many bindings there are, and the bindings.
func appendBindings(b []byte, bindings []Binding) []byte {
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

// splitRecord takes a record of the journal apart: a name, and its bindings as appendBindings writes them. Both share its bytes.
func splitRecord(rec []byte) (name, bindings []byte, err error) {
	n, w := binary.Uvarint(rec)
	if w <= 0 || n >= uint64(len(rec)-w) || n > maxName || len(rec) > maxRecord {
		return nil, nil, errRecord
	}
	return rec[w : w+int(n)], rec[w+int(n):], nil
}

// decoder is memory for bindings in the making: decode uses it again and again.
type decoder struct {
	bindings []Binding
	paths    []string
}

// decode decodes the bindings in rec. They share the bytes of rec, and are valid until the next decode.
func (d *decoder) decode(rec []byte) ([]Binding, error) {
	d.bindings, d.paths = d.bindings[:0], d.paths[:0]
	if len(rec) == 0 {
		return nil, nil
	}
	r := recordReader{rest: text(rec), decoder: d}
	n := r.number()
	if n > uint64(len(r.rest)) {
		return nil, errRecord
	}
	for range n {
		d.bindings = append(d.bindings, Binding{})
		r.binding(&d.bindings[len(d.bindings)-1])
	}
	if r.bad || r.rest != "" {
		return nil, errRecord
	}
	return d.bindings, nil
}

// recordReader takes a record apart; after an error everything reads as zero.
type recordReader struct {
	rest string
	bad  bool
	*decoder
}

func (r *recordReader) binding(v *Binding) {
	v.Expires = time.Unix(int64(r.number()), 0)
	v.Received = time.Unix(int64(r.number()), 0)
	v.Contact = r.text()
	v.CallID = r.text()
	v.CSeq = uint32(r.atMost(math.MaxUint32))
	v.Q = uint16(r.atMost(math.MaxUint16))
	v.UserAgent = r.text()
	v.Instance = r.text()
	v.RegID = uint32(r.atMost(math.MaxUint32))
	from := len(r.paths)
	for n := r.number(); n > 0 && !r.bad; n-- {
		r.paths = append(r.paths, r.text())
	}
	if to := len(r.paths); to > from {
		v.Path = r.paths[from:to:to]
	}
	v.Flow = r.flow()
	v.Bound = r.number() == 1
}

func (r *recordReader) flow() sip.Flow {
	return sip.Flow{Transport: sip.Transport(r.atMost(maxTransport)), ID: r.number(), Local: r.addrPort(), Remote: r.addrPort()}
}

// addrPort reads what appendAddrPort writes: the address, which has a zone if it is longer than 16 bytes, and the port in two bytes, the lower first.
func (r *recordReader) addrPort() netip.AddrPort {
	s := r.text()
	port := func(s string) uint16 { return uint16(s[0]) | uint16(s[1])<<8 }
	switch {
	case len(s) == 6:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{s[0], s[1], s[2], s[3]}), port(s[4:]))
	case len(s) == 2:
		return netip.AddrPortFrom(netip.Addr{}, port(s))
	case len(s) >= 18:
		a := netip.AddrFrom16([16]byte([]byte(s[:16])))
		if zone := s[16 : len(s)-2]; zone != "" {
			a = a.WithZone(zone)
		}
		return netip.AddrPortFrom(a, port(s[len(s)-2:]))
	}
	r.fail()
	return netip.AddrPort{}
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
