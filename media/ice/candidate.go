package ice

// The value of a=candidate. RFC 8839 §5.1, RFC 8445 §5.1.2.

import (
	"errors"
	"fmt"
	"hash/crc32"
	"net/netip"
	"strconv"
	"strings"
)

// Kind is where a candidate comes from.
type Kind string

// The kinds of candidates. RFC 8445 §5.1.1.
const (
	Host            Kind = "host"
	ServerReflexive Kind = "srflx"
	PeerReflexive   Kind = "prflx"
	Relayed         Kind = "relay"
)

// preference orders the kinds. RFC 8445 §5.1.2.2.
func (k Kind) preference() uint32 {
	switch k {
	case Host:
		return 126
	case PeerReflexive:
		return 110
	case ServerReflexive:
		return 100
	}
	return 0
}

// A Candidate is an address at which an agent may be reached.
type Candidate struct {
	Foundation string
	Component  int // 1: RTP, and RTCP on the same port
	Priority   uint32
	Address    netip.AddrPort
	Kind       Kind
	Related    netip.AddrPort // the base of a reflexive or relayed candidate; invalid: not said
}

// Why [ParseCandidate] refuses a candidate; others may still do.
var (
	ErrCandidate = errors.New("malformed candidate")
	ErrTransport = errors.New("candidate of another transport than UDP")
	ErrName      = errors.New("candidate with a host name")
)

// ParseCandidate reads the value of an a=candidate attribute, with or without "candidate:" before it, as trickled ones come. The error wraps
// [ErrCandidate], [ErrTransport] or [ErrName]. Unknown extensions are skipped.
func ParseCandidate(value string) (Candidate, error) {
	f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(value), "candidate:"))
	if len(f) < 8 || f[6] != "typ" || !token(f[0], 32) {
		return Candidate{}, fmt.Errorf("ice: parse candidate: %w", ErrCandidate)
	}
	if !strings.EqualFold(f[2], "udp") {
		return Candidate{}, fmt.Errorf("ice: parse candidate: %w", ErrTransport)
	}
	component, err := strconv.ParseUint(f[1], 10, 8)
	priority, err2 := strconv.ParseUint(f[3], 10, 32)
	if err != nil || err2 != nil || component == 0 || priority == 0 {
		return Candidate{}, fmt.Errorf("ice: parse candidate: %w", ErrCandidate)
	}
	c := Candidate{Foundation: f[0], Component: int(component), Priority: uint32(priority), Kind: Kind(strings.ToLower(f[7]))}
	if c.Kind != Host && c.Kind.preference() == 0 && c.Kind != Relayed {
		return Candidate{}, fmt.Errorf("ice: parse candidate: %w", ErrCandidate)
	}
	if c.Address, err = address(f[4], f[5]); err != nil {
		return Candidate{}, fmt.Errorf("ice: parse candidate: %w", err)
	}
	c.related(f[8:])
	return c, nil
}

// related reads "raddr A rport P" among the extensions, which are pairs.
func (c *Candidate) related(extensions []string) {
	var host, port string
	for i := 0; i+1 < len(extensions); i += 2 {
		switch extensions[i] {
		case "raddr":
			host = extensions[i+1]
		case "rport":
			port = extensions[i+1]
		}
	}
	if a, err := netip.ParseAddr(host); err == nil {
		if p, err := strconv.ParseUint(port, 10, 16); err == nil {
			c.Related = netip.AddrPortFrom(a.Unmap().WithZone(""), uint16(p))
		}
	}
}

// address reads host and port of a candidate that can be sent to.
func address(host, port string) (netip.AddrPort, error) {
	p, err := strconv.ParseUint(port, 10, 16)
	if err != nil || p == 0 {
		return netip.AddrPort{}, ErrCandidate
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}, ErrName
	}
	if a = a.Unmap().WithZone(""); a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return netip.AddrPort{}, ErrCandidate
	}
	return netip.AddrPortFrom(a, uint16(p)), nil
}

// token tells whether s is of 1 to limit ice-chars. RFC 8839 §5.1.
func token(s string, limit int) bool {
	for _, c := range []byte(s) {
		if c != '+' && c != '/' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

// String returns the value of the attribute.
func (c Candidate) String() string {
	s := fmt.Sprintf("%s %d udp %d %v %d typ %s", c.Foundation, c.Component, c.Priority, c.Address.Addr(), c.Address.Port(), c.Kind)
	if c.Related.IsValid() {
		s += fmt.Sprintf(" raddr %v rport %d", c.Related.Addr(), c.Related.Port())
	}
	return s
}

// candidate returns one of ours; nth is its place among those of its kind. RFC 8445 §5.1.2.1.
func candidate(k Kind, at, base netip.AddrPort, nth int) Candidate {
	c := Candidate{Component: 1, Address: at, Kind: k, Priority: k.preference()<<24 | (65535-uint32(nth))<<8 | 255}
	if k != Host {
		c.Related = base
	}
	// RFC 8445 §5.1.1.3: the same for the same kind and base.
	c.Foundation = strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(string(k)+base.Addr().String()))), 10)
	return c
}
