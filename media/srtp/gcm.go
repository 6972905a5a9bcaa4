package srtp

// AES-GCM. RFC 7714 §8, RFC 7714 §9.

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
)

// gcm protects RTP or RTCP with one session key. It is for one goroutine at a time.
type gcm struct {
	aead  cipher.AEAD
	salt  [12]byte
	nonce [12]byte
	extra [12]byte // what of an RTCP packet is authenticated but not encrypted
}

const gcmTag = 16

func newGCM(key, salt []byte) (*gcm, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	g := &gcm{aead: aead}
	copy(g.salt[:], salt)
	return g, nil
}

func (g *gcm) overhead() int { return gcmTag }

// prepare sets the nonce and returns what is authenticated besides the body. RFC 7714 §8.1, RFC 7714 §9.1.
func (g *gcm) prepare(b []byte, p packet) []byte {
	g.nonce = g.salt
	binary.BigEndian.PutUint32(g.nonce[2:], binary.BigEndian.Uint32(g.nonce[2:])^p.ssrc)
	for i := range 6 {
		g.nonce[6+i] ^= byte(p.index >> (8 * (5 - i)))
	}
	if !p.control {
		return b[:p.header]
	}
	copy(g.extra[:8], b)
	binary.BigEndian.PutUint32(g.extra[8:], p.word())
	return g.extra[:]
}

func (g *gcm) seal(b []byte, p packet) []byte {
	extra := g.prepare(b, p)
	b = g.aead.Seal(b[:p.header], g.nonce[:], b[p.header:], extra)
	if p.control {
		b = binary.BigEndian.AppendUint32(b, p.word())
	}
	return b
}

func (g *gcm) open(b []byte, p packet) ([]byte, bool) {
	extra := g.prepare(b, p)
	plain, err := g.aead.Open(b[:p.header], g.nonce[:], b[p.header:], extra)
	return plain, err == nil
}
