package relay

// The MID that a packet bears on a shared transport. RFC 9143 §15.2, RFC 8285 §4.

import (
	"encoding/binary"

	"github.com/sipwerk/sipwerk/media/rtp"
)

const (
	// stampRoom is how much longer a packet gets at most: the head of a header extension, the tag, and what fills it up to words.
	stampRoom = 4 + 2 + maxMID + 3 + 3
	// maxMID is the longest tag that is written: one byte tells the length of up to 16.
	maxMID = 16
	// maxExtension is the longest extension that a tag is put into.
	maxExtension = 256
)

// stamp is what to write into the packets of a stream.
type stamp struct {
	identifier uint8 // of the header extension
	bare       bool  // what else is in the extension means nothing to the peer, or something else
	mid        string
}

// Stamp makes every RTP packet that s sends bear mid in the header extension with this identifier, 1 to 14; 0, or a tag of none or more than 16 bytes, ends that. bare takes out what other extensions a packet has: they are
// of somebody with other identifiers.
func (s *Stream) Stamp(identifier uint8, mid string, bare bool) {
	var written *stamp
	if mid != "" && len(mid) <= maxMID && identifier > 0 && identifier <= 14 {
		written = &stamp{identifier: identifier, mid: mid, bare: bare}
	}
	s.base().mu.Lock()
	defer s.base().mu.Unlock()
	s.stamp = written
}

// Number gives every RTP packet that s sends to f, which may change its header and must not block; nil ends that.
func (s *Stream) Number(f func(b []byte)) {
	s.base().mu.Lock()
	defer s.base().mu.Unlock()
	s.number = f
}

// put writes the tag into b, an RTP packet whose memory goes on for stampRoom. A packet that is none, or has no room for it, stays as it is.
func (s *stamp) put(b []byte) []byte {
	p, err := rtp.Parse(b)
	if err != nil {
		return b
	}
	long := p.ExtensionProfile&0xfff0 == 0x1000
	known := p.Extension != nil && (long || p.ExtensionProfile == 0xbede)
	if known && !s.bare {
		if tag, _ := p.ExtensionElement(s.identifier); string(tag) == s.mid {
			return b
		}
	}
	if p.Extension != nil && !known && !s.bare || len(p.Extension) > maxExtension {
		return b // of another kind, of which there is but one a packet: RFC 3550 §5.3.1
	}
	var memory [maxExtension + stampRoom]byte
	extension := memory[:0]
	if known && !s.bare {
		extension = s.others(extension, p.Extension, long)
	}
	if long && !s.bare {
		extension = append(extension, s.identifier, byte(len(s.mid)))
	} else {
		extension = append(extension, s.identifier<<4|byte(len(s.mid)-1))
	}
	extension = append(extension, s.mid...)
	for len(extension)%4 != 0 {
		extension = append(extension, 0)
	}
	return s.insert(b, &p, extension)
}

// others appends the elements of an extension but ours. RFC 8285 §4.2 and RFC 8285 §4.3.
func (s *stamp) others(dst, extension []byte, long bool) []byte {
	for len(extension) > 0 {
		if extension[0] == 0 {
			extension = extension[1:] // padding
			continue
		}
		id, size := extension[0]>>4, 2+int(extension[0]&0xf)
		if long {
			id, size = extension[0], 2
			if len(extension) > 1 {
				size += int(extension[1])
			}
		}
		if size > len(extension) || !long && id == 15 {
			break
		}
		if id != s.identifier {
			dst = append(dst, extension[:size]...)
		}
		extension = extension[size:]
	}
	return dst
}

// insert puts extension into the place of that of p, which is b.
func (s *stamp) insert(b []byte, p *rtp.Packet, extension []byte) []byte {
	at := rtp.HeaderSize + len(p.CSRC)
	rest := b[at:]
	profile := uint16(0xbede)
	if p.Extension != nil {
		rest = rest[4+len(p.Extension):]
		if !s.bare {
			profile = p.ExtensionProfile
		}
	}
	size := at + 4 + len(extension) + len(rest)
	if size > len(b)+stampRoom || size > cap(b) {
		return b
	}
	grown := b[:size]
	copy(grown[size-len(rest):], rest)
	binary.BigEndian.PutUint16(grown[at:], profile)
	binary.BigEndian.PutUint16(grown[at+2:], uint16(len(extension)/4))
	copy(grown[at+4:], extension)
	grown[0] |= 0x10
	return grown
}
