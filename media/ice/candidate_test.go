package ice

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// candidateValues: RFC 8839 §5.1, RFC 8838 §6 for mDNS and TCP ones that browsers send. want is what is printed; empty: as it came.
var candidateValues = []struct {
	value, want string
	err         error
}{
	{value: "1 1 udp 2130706431 203.0.113.141 8998 typ host"},
	{value: "2 1 udp 1694498815 192.0.2.3 45664 typ srflx raddr 203.0.113.141 rport 8998"},
	{value: "a+/9 2 udp 5 2001:db8::1 9 typ relay raddr 192.0.2.3 rport 1"},
	{"candidate:842163049 1 UDP 1677729535 192.0.2.3 46154 typ srflx raddr 0.0.0.0 rport 0 generation 0 ufrag abcd network-cost 999",
		"842163049 1 udp 1677729535 192.0.2.3 46154 typ srflx raddr 0.0.0.0 rport 0", nil},
	{"1 1 udp 7 ::ffff:192.0.2.1 9 typ host", "1 1 udp 7 192.0.2.1 9 typ host", nil},
	{value: "1 1 udp 7 6bd8aa2e-1d23.local 50000 typ host", err: ErrName},
	{value: "1 1 tcp 7 192.0.2.1 9 typ host tcptype active", err: ErrTransport},
	{value: "", err: ErrCandidate},
	{value: "1 1 udp 7 192.0.2.1 9 host", err: ErrCandidate},
	{value: "1 1 udp 7 192.0.2.1 9 typ alien", err: ErrCandidate},
	{value: "1 0 udp 7 192.0.2.1 9 typ host", err: ErrCandidate},
	{value: "1 257 udp 7 192.0.2.1 9 typ host", err: ErrCandidate},
	{value: "1 1 udp 4294967296 192.0.2.1 9 typ host", err: ErrCandidate},
	{value: "1 1 udp 0 192.0.2.1 9 typ host", err: ErrCandidate},
	{value: "1 1 udp 7 192.0.2.1 65536 typ host", err: ErrCandidate},
	{value: "1 1 udp 7 192.0.2.1 0 typ host", err: ErrCandidate},
	{value: "1 1 udp 7 0.0.0.0 9 typ host", err: ErrCandidate},
	{value: "1 1 udp 7 224.0.0.1 9 typ host", err: ErrCandidate},
	{value: "1 1 udp 7 255.255.255.255 9 typ host", err: ErrCandidate},
	{value: "a-b 1 udp 7 192.0.2.1 9 typ host", err: ErrCandidate},
	{value: "123456789012345678901234567890123 1 udp 7 192.0.2.1 9 typ host", err: ErrCandidate},
}

func TestParseCandidate(t *testing.T) {
	for _, v := range candidateValues {
		c, err := ParseCandidate(v.value)
		if !errors.Is(err, v.err) || (err == nil) != (v.err == nil) {
			t.Errorf("%q: error %v, want %v", v.value, err, v.err)
			continue
		}
		want := v.want
		if want == "" {
			want = v.value
		}
		if err == nil && c.String() != want {
			t.Errorf("%q: printed %q", v.value, c)
		}
	}
}

// TestPriority: RFC 8445 §5.1.2.1, with the figures of its §15.
func TestPriority(t *testing.T) {
	at, base := netip.MustParseAddrPort("192.0.2.3:45664"), netip.MustParseAddrPort("10.0.1.1:8998")
	host, reflexive := candidate(Host, base, base, 0), candidate(ServerReflexive, at, base, 0)
	if host.Priority != 2130706431 || reflexive.Priority != 1694498815 || host.Foundation == reflexive.Foundation || reflexive.Related != base {
		t.Errorf("%v and %v", host, reflexive)
	}
	if second := candidate(Host, at, at, 1); second.Priority >= host.Priority {
		t.Errorf("the second has priority %d", second.Priority)
	}
}

// TestCredentials: RFC 8839 §5.4.
func TestCredentials(t *testing.T) {
	c, err := newCredentials(rand.NewChaCha8([32]byte{}))
	if err != nil || !c.Valid() || len(c.Ufrag) != 8 || len(c.Pwd) != 32 {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := newCredentials(bytes.NewReader(nil)); err == nil {
		t.Error("credentials without randomness")
	}
	for _, bad := range []Credentials{{}, {"abc", c.Pwd}, {c.Ufrag, c.Pwd[:21]}, {"ab:d", c.Pwd}, {c.Ufrag, c.Pwd + "\r\n"}} {
		if bad.Valid() {
			t.Errorf("%+v is valid", bad)
		}
	}
}

func FuzzCandidate(f *testing.F) {
	for _, v := range candidateValues {
		f.Add(v.value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		c, err := ParseCandidate(value)
		if err != nil {
			return
		}
		if again, err := ParseCandidate(c.String()); err != nil || again != c {
			t.Errorf("%q: printed %q, which reads %+v, %v", value, c, again, err)
		}
	})
}
