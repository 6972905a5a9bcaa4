package srtp

// One stream's protection, both ways. RFC 3711 §3.3, RFC 3711 §3.4.

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
)

// Overhead is how many bytes a packet grows at most when it is sealed.
const Overhead = gcmTag + 4

// packet is what protecting needs to know of a packet.
type packet struct {
	control bool
	header  int // length of what stays readable
	ssrc    uint32
	index   uint64
}

// encrypted is the bit of the word behind RTCP that says so. RFC 3711 §3.4.
const encrypted = 1 << 31

// word is what stands behind an RTCP packet.
func (p packet) word() uint32 { return encrypted | uint32(p.index) }

// mode is how a suite protects packets. Both work in place and allocate nothing.
type mode interface {
	seal(b []byte, p packet) []byte
	// open gets b without MKI and, for RTCP, without the word of its index.
	open(b []byte, p packet) ([]byte, bool)
	overhead() int
}

// A Cipher protects one stream: what we send with our key, what we hear with the peer's. Each direction is for one
// goroutine at a time; the two may run at once.
type Cipher struct {
	send, receive *direction
}

// direction is one key and what it was used for.
type direction struct {
	key      Key
	media    mode
	control  mode
	sources  map[uint32]*Source
	last     *Source // the one used last, most often used next; never nil
	spare    Source  // of a sender that is not known yet
	packets  uint64  // protected so far
	reports  uint64
	lifetime uint64
}

// New returns a cipher. The error wraps [ErrKey].
func New(send, receive Key) (*Cipher, error) {
	return Restore(State{Send: Direction{Key: send}, Receive: Direction{Key: receive}})
}

func newDirection(k Key) (*direction, error) {
	d := &direction{key: k, sources: make(map[uint32]*Source), lifetime: k.Lifetime}
	d.last = &d.spare
	if err := k.check(); err != nil {
		return d, err
	}
	if d.lifetime == 0 || d.lifetime > maxPackets {
		d.lifetime = maxPackets
	}
	var err error
	if d.media, err = k.mode(0); err == nil {
		d.control, err = k.mode(labelControl)
	}
	if err != nil {
		return d, fmt.Errorf("srtp: %w", err)
	}
	return d, nil
}

// mode returns the protection with the session keys whose labels begin at first.
func (k Key) mode(first byte) (mode, error) {
	s := k.Suite.shape()
	key, salt := k.derive(first+labelCipher, s.key), k.derive(first+labelSalt, s.salt)
	if s.gcm {
		return newGCM(key, salt)
	}
	tag := s.tag
	if first == labelControl {
		tag = controlTag
	}
	return newCounterMode(key, k.derive(first+labelAuth, sha1.Size), salt, tag)
}

// Seal protects b in place and returns the packet to send, which is b and up to [Overhead] bytes of its capacity. False: b is no
// RTP or RTCP packet, lacks that capacity, was sent before, the key is used up, or there are too many sources.
//
// A packet of an index that was sealed before is refused because a second text under the same nonce would give both away:
// RFC 7714 §10.
func (c *Cipher) Seal(b []byte, control bool) ([]byte, bool) {
	d := c.send
	p, ok := d.parse(b, control)
	if !ok || cap(b)-len(b) < Overhead {
		return nil, false
	}
	s, known := d.source(p.ssrc)
	if !known && len(d.sources) >= maxSources {
		return nil, false
	}
	if control {
		p.index, ok = s.Reports.next()
	} else if p.index, ok = s.Packets.index(binary.BigEndian.Uint16(b[2:])); ok {
		ok = s.Packets.fresh(p.index)
	}
	if !ok || !d.spend(control) {
		return nil, false
	}
	d.note(s, p)
	if control {
		return d.control.seal(b, p), true
	}
	return d.media.seal(b, p), true
}

// next is the index of the report to send. RFC 3711 §3.4.
func (w *Window) next() (uint64, bool) {
	if !w.started() {
		return 0, true
	}
	return w.Highest + 1, w.Highest+1 < maxReports
}

// Open removes the protection of b in place and returns the plain packet, a part of b. False: it is forged, damaged, replayed or
// too old, no RTP or RTCP, of one source too many, or the key is used up; b is then of no use.
func (c *Cipher) Open(b []byte, control bool) ([]byte, bool) {
	d := c.receive
	b, word, ok := d.strip(b, control)
	if !ok {
		return nil, false
	}
	p, ok := d.parse(b, control)
	if !ok || len(b) < p.header+d.mode(control).overhead() {
		return nil, false
	}
	s, known := d.source(p.ssrc)
	if !known && len(d.sources) >= maxSources {
		return nil, false
	}
	seen := &s.Reports
	if p.index = uint64(word &^ encrypted); !control {
		seen = &s.Packets
		p.index, ok = seen.index(binary.BigEndian.Uint16(b[2:]))
	}
	if !ok || !seen.fresh(p.index) {
		return nil, false
	}
	if b, ok = d.mode(control).open(b, p); !ok || !d.spend(control) {
		return nil, false
	}
	d.note(s, p)
	return b, true
}

func (d *direction) mode(control bool) mode {
	if control {
		return d.control
	}
	return d.media
}

// parse reads what stays readable.
func (d *direction) parse(b []byte, control bool) (packet, bool) {
	p := packet{control: control, header: 12}
	if control {
		p.header = 8
	}
	if len(b) < p.header || b[0]>>6 != 2 {
		return p, false
	}
	if control {
		p.ssrc = binary.BigEndian.Uint32(b[4:])
		return p, true
	}
	p.ssrc = binary.BigEndian.Uint32(b[8:])
	p.header += 4 * int(b[0]&0x0f)
	if b[0]&0x10 != 0 { // header extension, RFC 3550 §5.3.1
		if len(b) < p.header+4 {
			return p, false
		}
		p.header += 4 + 4*int(binary.BigEndian.Uint16(b[p.header+2:]))
	}
	return p, len(b) >= p.header
}

// strip takes MKI and word out of a packet: RFC 3711 §3.1, RFC 3711 §3.4, RFC 7714 §8.2, RFC 7714 §9.2.
func (d *direction) strip(b []byte, control bool) (rest []byte, word uint32, ok bool) {
	behind := 0 // bytes of the tag behind the MKI
	if !d.key.Suite.shape().gcm {
		behind = d.mode(control).overhead()
	}
	end := len(b) - behind
	at := end - len(d.key.MKI)
	if at < 4 || !bytes.Equal(b[at:end], d.key.MKI) {
		return nil, 0, false
	}
	if control {
		at -= 4
		word = binary.BigEndian.Uint32(b[at:])
	}
	copy(b[at:], b[end:])
	return b[:at+behind], word, !control || word&encrypted != 0
}

// source returns what is known of a sender; a new one is kept only when one of its packets was good.
func (d *direction) source(ssrc uint32) (s *Source, known bool) {
	if d.last.SSRC == ssrc && d.last != &d.spare {
		return d.last, true
	}
	if s, known = d.sources[ssrc]; known {
		return s, true
	}
	d.spare = Source{SSRC: ssrc}
	return &d.spare, false
}

// note remembers a packet that was sealed or opened.
func (d *direction) note(s *Source, p packet) {
	if s == &d.spare {
		s = &Source{SSRC: p.ssrc}
		d.sources[p.ssrc] = s
	}
	d.last = s
	if p.control {
		s.Reports.use(p.index)
	} else {
		s.Packets.use(p.index)
	}
}

// spend counts a packet; false: the key may protect no further one.
func (d *direction) spend(control bool) bool {
	count, limit := &d.packets, d.lifetime
	if control {
		count, limit = &d.reports, min(d.lifetime, maxReports)
	}
	if *count >= limit {
		return false
	}
	*count++
	return true
}
