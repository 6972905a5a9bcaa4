// Random tokens that carry the node and the stripe that made them: Call-IDs and tags. RFC 3261 §8.1.1.4, §19.3.

package sip

import "encoding/base32"

// idAlphabet keeps its sense when a peer changes the case.
const idAlphabet = "0123456789abcdefghijklmnopqrstuv"

var idEncoding = base32.NewEncoding(idAlphabet).WithPadding(base32.NoPadding)

// The layout of an ID: node (2 characters), stripe (2), "-", random (20).
const (
	idStripe = 2
	idDash   = 4
	idRandom = 5
	idLength = idRandom + 20
)

// Nodes is how many nodes an ID can name.
const Nodes = 1024

// AppendID appends an ID of a node (below [Nodes]) and a stripe; random gives its 100 random bits.
func AppendID(b []byte, node uint16, s Stripe, random [13]byte) []byte {
	b = append(b, idAlphabet[node>>5&31], idAlphabet[node&31], idAlphabet[s>>5&31], idAlphabet[s&31], '-')
	var text [24]byte
	idEncoding.Encode(text[:], random[:])
	return append(b, text[:idLength-idRandom]...)
}

// ParseID takes node and stripe out of an ID made by [AppendID]; ok is false for every other text.
func ParseID(id string) (node uint16, s Stripe, ok bool) {
	if len(id) != idLength || id[idDash] != '-' {
		return 0, 0, false
	}
	n := 0
	for i := range idDash {
		d := idDigit(id[i])
		if d < 0 {
			return 0, 0, false
		}
		n = n<<5 | d
	}
	if n&1023 >= Stripes {
		return 0, 0, false
	}
	return uint16(n >> 10), Stripe(n & 1023), true
}

func idDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'v':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'V':
		return int(c-'A') + 10
	}
	return -1
}

// StripeOf returns the stripe of a Call-ID, tag or branch: the one it carries if [AppendID] made it, a hash otherwise.
func StripeOf(id string) Stripe {
	s := id
	if len(s) > len(MagicCookie) && s[:len(MagicCookie)] == MagicCookie {
		s = s[len(MagicCookie):]
	}
	if _, stripe, ok := ParseID(s); ok {
		return stripe
	}
	return Stripe(hash(id) % Stripes)
}

// hash mixes eight bytes at a time. It is the same in every process, so that a run can be replayed.
func hash(s string) uint64 {
	const prime = 0x9e3779b97f4a7c15
	h := uint64(len(s)) * prime
	for len(s) >= 8 {
		h = (h ^ word(s)) * prime
		h ^= h >> 29
		s = s[8:]
	}
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * prime
	}
	return h ^ h>>32
}
