package transport_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

func TestListenRefuses(t *testing.T) {
	for url, want := range map[string]string{
		"sctp://:5060":                  "scheme must be",
		"5060":                          "scheme must be",
		"udp://:99999":                  "port",
		"udp://[::1":                    "missing ']'",
		"tls://:5061":                   "no TLS certificate",
		"udp://nobody.example:5060":     "no such host",
		"udp://192.0.2.77:5060":         "cannot assign requested address",
		"udp://:5060?advertise=a:b:c":   "advertise",
		"udp://:5060?advertise=a:99999": "advertise",
	} {
		simulated(t, func(t *testing.T, _ *network.Sim, a, _ *node) {
			if _, err := a.Listen(t.Context(), url); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", url, err)
			}
		})
	}
}

// oldSystem is a network of a system that knows no IPv6.
type oldSystem struct{ network.Network }

func (o oldSystem) ListenPacket(ctx context.Context, addr netip.AddrPort, n int) ([]network.PacketConn, error) {
	if addr.Addr().Is6() {
		return nil, os.NewSyscallError("socket", syscall.EAFNOSUPPORT)
	}
	return o.Network.ListenPacket(ctx, addr, n)
}

func (o oldSystem) ListenStream(ctx context.Context, addr netip.AddrPort) (net.Listener, error) {
	if addr.Addr().Is6() {
		return nil, os.NewSyscallError("socket", syscall.EAFNOSUPPORT)
	}
	return o.Network.ListenStream(ctx, addr)
}

// TestListenWithoutIPv6: every address is then every IPv4 address; one that is asked for by name is refused.
func TestListenWithoutIPv6(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, a, b *node) {
		a.Network = oldSystem{a.Network}
		b.listen(t, "udp://192.0.2.2:5060")
		for _, scheme := range []string{"udp", "tcp"} {
			at := a.listen(t, scheme+"://:5060")
			if at != netip.AddrPortFrom(netip.IPv4Unspecified(), 5060) {
				t.Errorf("%s: bound %s", scheme, at)
			}
			b.send(t, b.flow(t, sip.ParseTransport(scheme), netip.AddrPortFrom(addrA, 5060), ""), request("SIP/2.0/"+strings.ToUpper(scheme)+" 192.0.2.2", 0))
			if g := <-a.got; g.flow.Remote.Addr() != addrB {
				t.Errorf("%s: from %v", scheme, g.flow.Remote)
			}
			if _, err := a.Listen(t.Context(), scheme+"://[::1]:5070"); !errors.Is(err, syscall.EAFNOSUPPORT) {
				t.Errorf("%s: %v", scheme, err)
			}
		}
	})
}

func TestListenByName(t *testing.T) {
	simulated(t, func(t *testing.T, s *network.Sim, a, _ *node) {
		s.Names.AddAddr("a.example", addrA)
		if got := a.listen(t, "udp://a.example"); got != netip.AddrPortFrom(addrA, 5060) {
			t.Errorf("bound %s", got)
		}
	})
}

func TestAdvertised(t *testing.T) {
	for _, tc := range []struct {
		listen string
		flow   sip.Flow
		want   string
		port   uint16
	}{
		{"udp://:5060", sip.Flow{Transport: sip.UDP, Local: netip.MustParseAddrPort("192.0.2.2:5060")}, "192.0.2.2", 5060},
		{"udp://:5060", sip.Flow{Transport: sip.UDP, Local: netip.MustParseAddrPort("[2001:db8::2]:5060")}, "[2001:db8::2]", 5060},
		{"udp://:5060?advertise=sip.example.org", sip.Flow{Transport: sip.UDP, Local: netip.MustParseAddrPort("192.0.2.2:5060")}, "sip.example.org", 5060},
		{"udp://:5060?advertise=203.0.113.1:7000", sip.Flow{Transport: sip.UDP, Local: netip.MustParseAddrPort("192.0.2.2:5060")}, "203.0.113.1", 7000},
		{"udp://:5060?advertise=[2001:db8::9]", sip.Flow{Transport: sip.UDP, Local: netip.MustParseAddrPort("[2001:db8::2]:5060")}, "[2001:db8::9]", 5060},
		{"udp://:5060?advertise=2001:db8::9", sip.Flow{Transport: sip.UDP, Local: netip.MustParseAddrPort("[2001:db8::2]:5060")}, "[2001:db8::9]", 5060},
		// A connection that we opened names the port where we accept others.
		{"tcp://:5062", sip.Flow{Transport: sip.TCP, Local: netip.MustParseAddrPort("192.0.2.2:50000")}, "192.0.2.2", 5062},
		// No listener at all: all there is is the connection.
		{"udp://:5060", sip.Flow{Transport: sip.TCP, Local: netip.MustParseAddrPort("192.0.2.2:50000")}, "192.0.2.2", 50000},
	} {
		simulated(t, func(t *testing.T, _ *network.Sim, _, b *node) {
			b.listen(t, tc.listen)
			if host, port := b.Advertised(tc.flow); host != tc.want || port != tc.port {
				t.Errorf("%s %+v: %s:%d", tc.listen, tc.flow, host, port)
			}
		})
	}
}

func TestLocal(t *testing.T) {
	simulated(t, func(t *testing.T, _ *network.Sim, _, b *node) {
		b.listen(t, "udp://:5060?advertise=sip.example.org")
		b.listen(t, "tcp://192.0.2.2:5080?advertise=203.0.113.1:7000")
		for _, tc := range []struct {
			host string
			port uint16
			want bool
		}{
			{"192.0.2.2", 0, true},
			{"192.0.2.2", 5060, true},
			{"192.0.2.2", 5080, true},
			{"192.0.2.2", 5061, false},
			{"[2001:db8::2]", 5060, true},
			{"[2001:db8::2]", 5080, false},
			{"192.0.2.1", 5060, false},
			{"Sip.Example.org", 0, true},
			{"sip.example.org", 5061, false},
			{"203.0.113.1", 7000, true},
			{"203.0.113.1", 5060, false},
			{"other.example.org", 0, false},
		} {
			if got := b.Local(tc.host, tc.port); got != tc.want {
				t.Errorf("Local(%s, %d) = %v", tc.host, tc.port, got)
			}
		}
	})
}
