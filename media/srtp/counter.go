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

// streamSize is how much of the key stream is made at once: that for 20 ms of G.711. The processor works on several blocks at a time, if it need not wait for each before the next counter is written.
const streamSize = 10 * aes.BlockSize

// counterMode protects RTP or RTCP with one session key. Its fields are used again for each packet, so it is for one
// goroutine at a time.
type counterMode struct {
	block  cipher.Block
	mac    hash.Hash
	salt   [aes.BlockSize]byte // and two bytes in which the blocks of a packet are counted
	tag    int
	stream [streamSize]byte
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
	high, low := binary.BigEndian.Uint64(c.salt[:])^uint64(ssrc), binary.BigEndian.Uint64(c.salt[8:])^index<<16
	for len(b) > 0 {
		n := min(len(b), len(c.stream))
		stream := c.stream[:(n+aes.BlockSize-1)&^(aes.BlockSize-1)]
		for at := 0; at < len(stream); at += aes.BlockSize {
			binary.BigEndian.PutUint64(stream[at:], high)
			binary.BigEndian.PutUint64(stream[at+8:], low)
			low++
		}
		for at := 0; at < len(stream); at += aes.BlockSize {
			c.block.Encrypt(stream[at:at+aes.BlockSize], stream[at:at+aes.BlockSize])
		}
		subtle.XORBytes(b, b, stream[:n])
		b = b[n:]
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
