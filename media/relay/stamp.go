package relay

// The MID that a packet bears on a shared transport. RFC 9143 §15.1, RFC 9143 §15.2, RFC 8285 §4.

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

// Stamp makes every RTP packet that s sends, and each source description among its RTCP, bear mid in the header extension with this identifier, 1 to 14; 0, or a tag of none or more than 16 bytes, ends that. bare takes out what other extensions a packet has: they are
// of somebody with other identifiers.
func (s *Stream) Stamp(identifier uint8, mid string, bare bool) {
	var written *stamp
	if mid != "" && len(mid) <= maxMID && identifier > 0 && identifier <= 14 {
		written = &stamp{identifier: identifier, mid: mid, bare: bare}
	}
	s.base().mu.Lock()
	defer s.base().mu.Unlock()
	s.stamp = written
	s.halt()
}

// Number gives every RTP packet that s sends to f, which may change its header and must not block; nil ends that.
func (s *Stream) Number(f func(b []byte)) {
	s.base().mu.Lock()
	defer s.base().mu.Unlock()
	s.number = f
	if f != nil {
		s.halt()
	}
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

// maxSigned is how long RTCP may be that a tag is put into: reports of some sources.
const maxSigned = 1024

// sign writes the tag into the source descriptions of b, RTCP whose memory goes on for stampRoom, in the place of tags that others gave. What is none, or has no room for it, stays as it is. RFC 9143 §15.1.
func (s *stamp) sign(b []byte) []byte {
	if len(b) > maxSigned {
		return b
	}
	var memory [maxSigned + 256]byte
	out := memory[:0]
	for rest := b; len(rest) > 0; {
		c, next, err := rtp.SplitRTCP(rest)
		if err != nil {
			return b
		}
		whole := rest[:len(rest)-len(next)]
		if rest = next; !c.IsDescription() || whole[0]&0x20 != 0 {
			out = append(out, whole...)
			continue
		}
		start := len(out)
		out = append(out, whole[:4]...)
		for body := c.Body; len(body) > 0 && len(out) < maxSigned; {
			chunk, left, ok := rtp.SplitChunk(body)
			if !ok {
				return b
			}
			out, body = chunk.With(out, rtp.ItemMID, s.mid), left
		}
		binary.BigEndian.PutUint16(out[start+2:], uint16((len(out)-start)/4-1))
	}
	if len(out) > len(b)+stampRoom || len(out) > cap(b) {
		return b
	}
	return b[:copy(b[:len(out)], out)]
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
