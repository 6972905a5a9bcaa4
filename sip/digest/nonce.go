// Nonces that prove themselves: time, count and a MAC, no table. RFC 7616 §3.3, §5.4.

package digest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	stampSize   = 8  // 42 bits of milliseconds, 22 of count
	macSize     = 10 // a guess hits once in 2^80
	nonceSize   = stampSize + macSize
	nonceLength = nonceSize * 8 / 6
	countBits   = 22
)

// stamp is the part of a nonce that is no MAC: Unix milliseconds above a count of the nonces made, which starts at random so that nodes with
// one key do not walk in step. A later stamp is greater.
type stamp uint64

func (s stamp) time() time.Time { return time.UnixMilli(int64(s >> countBits)) }

// count returns the number of the nonce among its neighbours.
func (s stamp) count() uint64 { return uint64(s) & (1<<countBits - 1) }

// nonces makes and verifies nonces of one realm. A nonce is valid for the address (IPv6: the /64) that it was given to, so that nobody
// can show failures in another's name.
//
// The MAC is AES-128 in CBC-MAC over two blocks, the address and the stamp, with a key made from the realm by HMAC-SHA-256. For messages of one fixed
// length CBC-MAC is as hard to tell from a random function as AES itself (Bellare, Kilian, Rogaway), so that 80 bits of it are guessed in 2^80 tries, each of
// which costs a packet. A nonce need not be secret, nor unpredictable before it is given out: it must be impossible to make.
type nonces struct {
	lifetime time.Duration
	block    cipher.Block
	made     atomic.Uint64 // count of the last one
	rooms    sync.Pool     // of *[aes.BlockSize]byte
}

func newNonces(realm string, key []byte, lifetime time.Duration, random io.Reader) *nonces {
	derive := hmac.New(sha256.New, key)
	derive.Write([]byte(realm))
	block, err := aes.NewCipher(derive.Sum(nil)[:aes.BlockSize])
	if err != nil {
		panic(err) // the length of the key is right
	}
	n := &nonces{lifetime: lifetime, block: block}
	n.rooms.New = func() any { return new([aes.BlockSize]byte) }
	var start [8]byte
	// A failure leaves zero bits: two nodes may then make the same nonce, which the MAC still keeps from being guessed.
	_, _ = io.ReadFull(random, start[:])
	n.made.Store(binary.BigEndian.Uint64(start[:]))
	return n
}

// next returns a fresh nonce for source.
func (n *nonces) next(source netip.Addr) (text [nonceLength]byte) {
	s := stamp(time.Now().UnixMilli()<<countBits) | stamp(n.made.Add(1)&(1<<countBits-1))
	b := n.seal(s, source)
	base64.RawURLEncoding.Encode(text[:], b[:])
	return text
}

// open returns the stamp of a nonce that was made with this key for this realm and source and is within its lifetime.
func (n *nonces) open(nonce string, source netip.Addr, now time.Time) (stamp, bool) {
	if len(nonce) != nonceLength {
		return 0, false
	}
	var text [nonceLength]byte
	copy(text[:], nonce)
	var b [nonceSize]byte
	if _, err := base64.RawURLEncoding.Decode(b[:], text[:]); err != nil {
		return 0, false
	}
	s := stamp(binary.BigEndian.Uint64(b[:]))
	again := n.seal(s, source)
	age := now.Sub(s.time())
	return s, subtle.ConstantTimeCompare(b[:], again[:]) == 1 && age >= -n.lifetime && age < n.lifetime
}

// seal returns a stamp with its MAC.
func (n *nonces) seal(s stamp, source netip.Addr) (b [nonceSize]byte) {
	binary.BigEndian.PutUint64(b[:], uint64(s))
	room := n.rooms.Get().(*[aes.BlockSize]byte)
	*room = scope(source).As16()
	n.block.Encrypt(room[:], room[:])
	subtle.XORBytes(room[:stampSize], room[:stampSize], b[:stampSize])
	n.block.Encrypt(room[:], room[:])
	copy(b[stampSize:], room[:macSize])
	n.rooms.Put(room)
	return b
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
