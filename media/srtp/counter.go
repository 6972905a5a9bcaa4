package srtp

// AES in counter mode with HMAC-SHA1. RFC 3711 §4.1.1, RFC 3711 §4.2.1.

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"hash"
)

// counterMode protects RTP or RTCP with one session key. Its fields are used again for each packet, so it is for one
// goroutine at a time.
type counterMode struct {
	block  cipher.Block
	mac    hash.Hash
	salt   [14]byte
	tag    int
	iv     [aes.BlockSize]byte
	stream [aes.BlockSize]byte
	sum    [sha1.Size]byte
	tail   [4]byte
}

func newCounterMode(key, auth, salt []byte, tag int) (*counterMode, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	c := &counterMode{block: block, mac: hmac.New(sha1.New, auth), tag: tag}
	copy(c.salt[:], salt)
	return c, nil
}

func (c *counterMode) overhead() int { return c.tag }

// crypt encrypts or decrypts b, a body of a packet.
func (c *counterMode) crypt(b []byte, ssrc uint32, index uint64) {
	c.iv = [aes.BlockSize]byte{}
	copy(c.iv[:], c.salt[:])
	binary.BigEndian.PutUint32(c.iv[4:], binary.BigEndian.Uint32(c.iv[4:])^ssrc)
	binary.BigEndian.PutUint64(c.iv[8:], binary.BigEndian.Uint64(c.iv[8:])^index<<16)
	for n := uint16(0); len(b) > 0; n++ {
		binary.BigEndian.PutUint16(c.iv[14:], n)
		c.block.Encrypt(c.stream[:], c.iv[:])
		b = b[subtle.XORBytes(b, b, c.stream[:]):]
	}
}

// authenticate returns the tag of b followed by tail; it is good until the next call.
func (c *counterMode) authenticate(b []byte, tail uint32) []byte {
	binary.BigEndian.PutUint32(c.tail[:], tail)
	c.mac.Reset()
	c.mac.Write(b)
	c.mac.Write(c.tail[:])
	return c.mac.Sum(c.sum[:0])[:c.tag]
}

func (c *counterMode) seal(b []byte, p packet) []byte {
	c.crypt(b[p.header:], p.ssrc, p.index)
	if !p.control {
		return append(b, c.authenticate(b, uint32(p.index>>16))...)
	}
	n := len(b)
	b = b[:n+4+c.tag]
	binary.BigEndian.PutUint32(b[n:], p.word())
	copy(b[n+4:], c.authenticate(b[:n], p.word()))
	return b
}

func (c *counterMode) open(b []byte, p packet) ([]byte, bool) {
	body, tag := b[:len(b)-c.tag], b[len(b)-c.tag:]
	tail := uint32(p.index >> 16)
	if p.control {
		tail = p.word()
	}
	if subtle.ConstantTimeCompare(c.authenticate(body, tail), tag) != 1 {
		return nil, false
	}
	c.crypt(body[p.header:], p.ssrc, p.index)
	return body, true
}
