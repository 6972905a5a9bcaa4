package srtp

// The value of an a=crypto attribute. RFC 4568 §4, RFC 4568 §6.1, grammar of RFC 4568 §9.2.

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"
)

// A Crypto is one a=crypto attribute: a key, and the number by which an answer names it.
type Crypto struct {
	Tag int
	Key Key
}

// maxMKI is the longest MKI in bytes. RFC 4568 §9.2.
const maxMKI = 128

// Why [ParseCrypto] refuses an attribute; the others of the description may still do.
var (
	ErrSuite   = errors.New("crypto suite not taken")
	ErrSession = errors.New("session parameter not taken")
	ErrCrypto  = errors.New("malformed crypto attribute")
)

// ParseCrypto reads the value of an a=crypto attribute. The error wraps [ErrSuite], [ErrSession], [ErrKey] or [ErrCrypto].
//
// Refused are suites that we do not take, more than one key, key derivation rates, streams that are not encrypted or not
// authenticated, error correction, and session parameters that we do not know and that are not marked as optional with "-"
// (RFC 4568 §6.3). A missing end of base64 is tolerated.
func ParseCrypto(value string) (Crypto, error) {
	words := strings.Fields(value)
	if len(words) < 3 {
		return Crypto{}, fmt.Errorf("srtp: parse crypto: %w", ErrCrypto)
	}
	tag, err := strconv.ParseUint(words[0], 10, 30)
	if err != nil || len(words[0]) > 9 {
		return Crypto{}, fmt.Errorf("srtp: parse crypto: tag: %w", ErrCrypto)
	}
	suite, ok := ParseSuite(words[1])
	if !ok {
		return Crypto{}, fmt.Errorf("srtp: parse crypto: %w", ErrSuite)
	}
	key, err := parseInline(suite, words[2])
	if err != nil {
		return Crypto{}, fmt.Errorf("srtp: parse crypto: key: %w", err)
	}
	for _, w := range words[3:] {
		if !harmless(w) {
			return Crypto{}, fmt.Errorf("srtp: parse crypto: %w", ErrSession)
		}
	}
	return Crypto{Tag: int(tag), Key: key}, nil
}

// harmless tells whether a session parameter changes nothing for us: a hint of the replay window (ours has room for any), one
// that is optional, or the default in words.
func harmless(param string) bool {
	return strings.HasPrefix(param, "WSH=") || strings.HasPrefix(param, "-") || param == "KDR=0" || param == "FEC_ORDER=FEC_SRTP"
}

// parseInline reads "inline:base64|lifetime|MKI:length".
func parseInline(s Suite, param string) (Key, error) {
	method, value, _ := strings.Cut(param, ":")
	if !strings.EqualFold(method, "inline") || strings.Contains(value, ";") {
		return Key{}, ErrCrypto
	}
	fields := strings.Split(value, "|")
	secret, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(fields[0], "="))
	k := Key{Suite: s, Secret: secret}
	if err != nil || k.check() != nil {
		return Key{}, ErrKey
	}
	rest := fields[1:]
	if len(rest) > 0 && !strings.Contains(rest[0], ":") {
		if k.Lifetime, err = parseLifetime(rest[0]); err != nil {
			return Key{}, err
		}
		rest = rest[1:]
	}
	if len(rest) > 0 {
		if k.MKI, err = parseMKI(rest[0]); err != nil {
			return Key{}, err
		}
		rest = rest[1:]
	}
	if len(rest) > 0 {
		return Key{}, ErrCrypto
	}
	return k, nil
}

// parseLifetime reads "2^20" or "1048576".
func parseLifetime(s string) (uint64, error) {
	power, exponential := strings.CutPrefix(s, "2^")
	n, err := strconv.ParseUint(power, 10, 64)
	if exponential && n < 64 {
		n = 1 << n
	} else if exponential {
		n = 0
	}
	if err != nil || n == 0 || n > maxPackets {
		return 0, ErrCrypto
	}
	return n, nil
}

// parseMKI reads "value:length", the length in bytes.
func parseMKI(s string) ([]byte, error) {
	value, length, _ := strings.Cut(s, ":")
	v, err := strconv.ParseUint(value, 10, 64)
	n, err2 := strconv.ParseUint(length, 10, 8)
	if err != nil || err2 != nil || n == 0 || n > maxMKI || n < 8 && v>>(8*n) != 0 {
		return nil, ErrCrypto
	}
	mki := make([]byte, max(n, 8))
	binary.BigEndian.PutUint64(mki[len(mki)-8:], v)
	return mki[uint64(len(mki))-n:], nil
}

// String returns the value of the attribute. It contains the key.
func (c Crypto) String() string {
	b := strconv.AppendInt(nil, int64(c.Tag), 10)
	b = append(append(append(b, ' '), c.Key.Suite.String()...), " inline:"...)
	b = base64.StdEncoding.AppendEncode(b, c.Key.Secret)
	if n := c.Key.Lifetime; n != 0 && n&(n-1) == 0 {
		b = strconv.AppendInt(append(b, "|2^"...), int64(bits.TrailingZeros64(n)), 10)
	} else if n != 0 {
		b = strconv.AppendUint(append(b, '|'), n, 10)
	}
	if mki := c.Key.MKI; len(mki) > 0 {
		var v uint64
		for _, digit := range mki[max(0, len(mki)-8):] {
			v = v<<8 | uint64(digit)
		}
		b = strconv.AppendUint(append(b, '|'), v, 10)
		b = strconv.AppendInt(append(b, ':'), int64(len(mki)), 10)
	}
	return string(b)
}

// Offer returns one attribute a suite, the best first, each with a key of its own drawn from random.
func Offer(random io.Reader) ([]Crypto, error) {
	var all []Crypto
	for i, s := range Suites() {
		k, err := NewKey(s, random)
		if err != nil {
			return nil, err
		}
		all = append(all, Crypto{Tag: i + 1, Key: k})
	}
	return all, nil
}

// Choose returns the attribute of an offer that we like best, and our answer to it: the same tag and suite, and a key drawn from random.
// ok is false if the offer has none that we take, or random fails.
func Choose(offer []Crypto, random io.Reader) (theirs, ours Crypto, ok bool) {
	for _, s := range Suites() {
		for _, c := range offer {
			if c.Key.Suite != s {
				continue
			}
			k, err := NewKey(s, random)
			return c, Crypto{Tag: c.Tag, Key: k}, err == nil
		}
	}
	return Crypto{}, Crypto{}, false
}
