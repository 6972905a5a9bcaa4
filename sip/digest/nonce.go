// Nonces that prove themselves: time and HMAC, no table. RFC 7616 §3.3, §5.4.

package digest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"io"
	"net/netip"
	"sync"
	"time"
)

const (
	stampSize   = 8  // 42 bits of milliseconds, 22 of randomness
	macSize     = 10 // of the HMAC; a guess hits once in 2^80
	nonceLength = (stampSize + macSize) * 8 / 6
	randomBits  = 22
)

// stamp is the part of a nonce that is no MAC: Unix milliseconds above random bits. A later stamp is greater.
type stamp uint64

func (s stamp) time() time.Time { return time.UnixMilli(int64(s >> randomBits)) }

// nonces makes and verifies nonces of one realm. A nonce is valid for the address (IPv6: the /64) that it was given to, so that nobody
// can show failures in another's name.
type nonces struct {
	realm    string
	lifetime time.Duration
	random   io.Reader
	macs     sync.Pool // of hash.Hash, keyed
}

func newNonces(realm string, key []byte, lifetime time.Duration, random io.Reader) *nonces {
	n := &nonces{realm: realm, lifetime: lifetime, random: random}
	n.macs.New = func() any { return hmac.New(sha256.New, key) }
	return n
}

// next returns a fresh nonce for source.
func (n *nonces) next(source netip.Addr) string {
	var b [stampSize + macSize]byte
	// A failure leaves zero bits: the HMAC still keeps the nonce from being guessed.
	_, _ = io.ReadFull(n.random, b[5:8])
	random := uint64(binary.BigEndian.Uint32(b[4:8])) & (1<<randomBits - 1)
	binary.BigEndian.PutUint64(b[:], uint64(time.Now().UnixMilli())<<randomBits|random)
	n.seal(&b, source)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// open returns the stamp of a nonce that was made with this key for this realm and source and is within its lifetime.
func (n *nonces) open(nonce string, source netip.Addr) (stamp, bool) {
	if len(nonce) != nonceLength {
		return 0, false
	}
	var text [nonceLength]byte
	copy(text[:], nonce)
	var b, again [stampSize + macSize]byte
	if _, err := base64.RawURLEncoding.Decode(b[:], text[:]); err != nil {
		return 0, false
	}
	again = b
	n.seal(&again, source)
	s := stamp(binary.BigEndian.Uint64(b[:]))
	age := time.Since(s.time())
	return s, hmac.Equal(b[:], again[:]) && age >= -n.lifetime && age < n.lifetime
}

// seal writes the MAC behind the stamp.
func (n *nonces) seal(b *[stampSize + macSize]byte, source netip.Addr) {
	var room [256]byte
	addr := scope(source).As16()
	t := append(append(append(room[:0], b[:stampSize]...), addr[:]...), n.realm...)
	m := n.macs.Get().(hash.Hash)
	m.Reset()
	m.Write(t)
	var sum [sha256.Size]byte
	m.Sum(sum[:0])
	n.macs.Put(m)
	copy(b[stampSize:], sum[:macSize])
}

// scope is the part of an address that one customer of a network has: an IPv4 address, an IPv6 /64.
func scope(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	p, _ := a.Prefix(64)
	return p.Addr()
}

// randomKey returns a key for a process that shares none.
func randomKey() []byte {
	key := make([]byte, sha256.Size)
	rand.Read(key)
	return key
}
