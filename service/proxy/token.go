// The token in our Record-Route and Path: who shows it was let through before, and which flow leads to the other side. RFC 5626 §5.2, §5.3; RFC 3261 §26.1.

package proxy

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"net/netip"

	"github.com/sipwerk/sipwerk/sip"
)

// A token is base64 of 8 bytes of HMAC-SHA-256 (RFC 2104) over the rest and the Call-ID of the dialog, and the flow, if there is one: transport, number,
// local and remote address. One in a Path is for every Call-ID: it leads to one telephone and nowhere else.
const (
	tokenSum    = 8
	tokenMost   = tokenSum + 1 + 8 + 2*(1+16+2)
	tokenDigits = (tokenMost*8 + 5) / 6
)

// tokenEncoding takes every token in one spelling only.
var tokenEncoding = base64.RawURLEncoding.Strict()

// tokenKeys are the inner and the outer key of HMAC.
type tokenKeys struct{ inner, outer [sha256.BlockSize]byte }

func newTokenKeys(key []byte) tokenKeys {
	var k tokenKeys
	if len(key) > sha256.BlockSize {
		sum := sha256.Sum256(key)
		key = sum[:]
	}
	copy(k.inner[:], key)
	copy(k.outer[:], key)
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	return k
}

// sum returns the HMAC of payload and the Call-ID it is bound to.
func (k *tokenKeys) sum(payload []byte, callID string) (s [tokenSum]byte) {
	var room [256]byte
	b := append(room[:0], k.inner[:]...)
	b = append(b, byte(len(payload)))
	b = append(b, payload...)
	b = append(b, callID...)
	inner := sha256.Sum256(b)
	b = append(room[:0], k.outer[:]...)
	b = append(b, inner[:]...)
	outer := sha256.Sum256(b)
	copy(s[:], outer[:])
	return s
}

// seal appends the token that names flow, which may be none, for the dialogs of a Call-ID.
func (k *tokenKeys) seal(b []byte, flow sip.Flow, callID string) []byte {
	var room [tokenMost]byte
	t := room[:tokenSum]
	if !flow.IsZero() {
		t = append(t, byte(flow.Transport))
		t = binary.BigEndian.AppendUint64(t, flow.ID)
		t = appendAddrPort(t, flow.Local)
		t = appendAddrPort(t, flow.Remote)
	}
	sum := k.sum(t[tokenSum:], callID)
	copy(t, sum[:])
	return tokenEncoding.AppendEncode(b, t)
}

// open returns the flow of a token; ok is false for everything that seal did not make for this Call-ID.
func (k *tokenKeys) open(token, callID string) (flow sip.Flow, ok bool) {
	var room [tokenMost]byte
	if len(token) > tokenDigits {
		return sip.Flow{}, false
	}
	var text [tokenDigits]byte
	n, err := tokenEncoding.Decode(room[:], text[:copy(text[:], token)])
	if err != nil || n < tokenSum {
		return sip.Flow{}, false
	}
	payload := room[tokenSum:n]
	sum := k.sum(payload, callID)
	if subtle.ConstantTimeCompare(sum[:], room[:tokenSum]) != 1 {
		return sip.Flow{}, false
	}
	return readFlow(payload)
}

// readFlow reads what seal wrote of a flow.
func readFlow(b []byte) (flow sip.Flow, ok bool) {
	if len(b) == 0 {
		return sip.Flow{}, true
	}
	if len(b) < 9 || b[0] > byte(sip.WSS) {
		return sip.Flow{}, false
	}
	flow = sip.Flow{Transport: sip.Transport(b[0]), ID: binary.BigEndian.Uint64(b[1:])}
	b = b[9:]
	for _, a := range [...]*netip.AddrPort{&flow.Local, &flow.Remote} {
		if *a, b, ok = cutAddrPort(b); !ok {
			return sip.Flow{}, false
		}
	}
	return flow, len(b) == 0
}

// appendAddrPort appends the length of an address, the address and the port.
func appendAddrPort(b []byte, a netip.AddrPort) []byte {
	addr := a.Addr().WithZone("")
	if addr.Is4() {
		v4 := addr.As4()
		b = append(append(b, 4), v4[:]...)
	} else {
		v6 := addr.As16()
		b = append(append(b, 16), v6[:]...)
	}
	return binary.BigEndian.AppendUint16(b, a.Port())
}

func cutAddrPort(b []byte) (a netip.AddrPort, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != 4 && b[0] != 16 || len(b) < int(b[0])+3 {
		return netip.AddrPort{}, nil, false
	}
	n := int(b[0]) + 1
	addr, _ := netip.AddrFromSlice(b[1:n])
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[n:])), b[n+2:], true
}
