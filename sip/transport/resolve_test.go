package transport_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// fillZone makes a zone with one name for each way of RFC 3263 §4, with NAPTR records of RFC 3403 §4.
func fillZone(z *network.Zone) {
	ip := func(s string) netip.Addr { return netip.MustParseAddr(s) }
	z.AddAddr("only-a.example", ip("192.0.2.10"), ip("2001:db8::10"))
	z.AddAddr("h1.example", ip("192.0.2.11"))
	z.AddAddr("h2.example", ip("192.0.2.12"))
	z.AddAddr("h3.example", ip("192.0.2.13"), ip("192.0.2.14"))
	z.AddAddr("naptr.example", ip("192.0.2.99"))
	z.AddNAPTR("naptr.example",
		network.NAPTR{Order: 20, Preference: 1, Flags: "s", Service: "SIP+D2U", Replacement: "_sip._udp.naptr.example"},
		network.NAPTR{Order: 10, Preference: 20, Flags: "s", Service: "SIP+D2T", Replacement: "_sip._tcp.naptr.example"},
		network.NAPTR{Order: 10, Preference: 10, Flags: "S", Service: "SIPS+D2T", Replacement: "_sips._tcp.naptr.example"},
		network.NAPTR{Order: 1, Preference: 1, Flags: "u", Service: "E2U+sip", Regexp: "!.*!sip:x!"},
		network.NAPTR{Order: 5, Preference: 1, Flags: "s", Service: "SIPS+D2W", Replacement: "_sips._ws.naptr.example"})
	z.AddSRV("_sip._udp.naptr.example", network.SRV{Port: 5070, Target: "h1.example"})
	z.AddSRV("_sip._tcp.naptr.example", network.SRV{Port: 5071, Target: "h1.example"})
	z.AddSRV("_sips._tcp.naptr.example", network.SRV{Port: 5072, Target: "h2.example"})
	z.AddSRV("_sips._ws.naptr.example", network.SRV{Port: 443, Target: "h2.example"})
	z.AddSRV("_sip._udp.srv.example", network.SRV{Priority: 20, Port: 5060, Target: "h2.example"}, network.SRV{Priority: 10, Port: 5080, Target: "h3.example"})
	z.AddSRV("_sip._tcp.srv.example", network.SRV{Port: 5090, Target: "h1.example"})
	z.AddSRV("_sips._tcp.srv.example", network.SRV{Port: 5091, Target: "h1.example"})
	z.AddSRV("_sip._udp.closed.example", network.SRV{Target: "."})
	z.AddSRV("_sip._udp.broken.example", network.SRV{Port: 5060, Target: "gone.example"}, network.SRV{Port: 5061, Target: "h1.example"})
	z.Fail("gone.example", syscall.ETIMEDOUT)
	z.Fail("down.example", syscall.ETIMEDOUT)
	z.Fail("_sip._udp.down.example", syscall.ETIMEDOUT)
}

func list(targets []transport.Target) string {
	var b strings.Builder
	for i, t := range targets {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(t.Transport.Param() + ":" + t.Addr.String())
	}
	return b.String()
}

func TestResolve(t *testing.T) {
	for _, tc := range []struct{ uri, want string }{
		// RFC 3263 §4.1: numeric, or with a port: UDP, or TLS for sips.
		{"sip:192.0.2.5", "udp:192.0.2.5:5060"},
		{"sip:192.0.2.5:5070", "udp:192.0.2.5:5070"},
		{"sips:192.0.2.5", "tls:192.0.2.5:5061"},
		{"sips:192.0.2.5;transport=tcp", "tls:192.0.2.5:5061"},
		{"sip:192.0.2.5;transport=TCP", "tcp:192.0.2.5:5060"},
		{"sip:192.0.2.5;transport=tls", "tls:192.0.2.5:5061"},
		{"sip:192.0.2.5;transport=ws", "ws:192.0.2.5:80"},
		{"sips:192.0.2.5;transport=ws", "wss:192.0.2.5:443"},
		{"sip:only-a.example:5070", "udp:192.0.2.10:5070"},
		{"sips:only-a.example:5070", "tls:192.0.2.10:5070"},
		{"sip:srv.example:5099;transport=tcp", ""},
		// NAPTR decides; order before preference; services that are not ours are passed over.
		{"sip:naptr.example", "wss:192.0.2.12:443 tls:192.0.2.12:5072 tcp:192.0.2.11:5071 udp:192.0.2.11:5070"},
		{"sips:naptr.example", "wss:192.0.2.12:443 tls:192.0.2.12:5072"},
		{"sip:naptr.example;transport=udp", "udp:192.0.2.11:5070"},
		{"sip:naptr.example:5060", "udp:192.0.2.99:5060"},
		// SRV without NAPTR: every transport we speak, priorities in order.
		{"sip:srv.example", "udp:192.0.2.13:5080 udp:192.0.2.14:5080 udp:192.0.2.12:5060 tcp:192.0.2.11:5090 tls:192.0.2.11:5091"},
		{"sips:srv.example", "tls:192.0.2.11:5091"},
		{"sip:srv.example;transport=tcp", "tcp:192.0.2.11:5090"},
		// Neither: the addresses, default transport and port.
		{"sip:only-a.example", "udp:192.0.2.10:5060"},
		{"sips:only-a.example", "tls:192.0.2.10:5061"},
		{"sip:only-a.example;transport=tcp", "tcp:192.0.2.10:5060"},
		// maddr takes the place of the host.
		{"sip:example.org;maddr=192.0.2.7", "udp:192.0.2.7:5060"},
		// One name of several that cannot be looked up does not spoil the others.
		{"sip:broken.example", "udp:192.0.2.11:5061"},
		{"sip:closed.example", ""},
		{"sip:down.example", ""},
		{"sip:nowhere.example", ""},
		{"sips:192.0.2.5;transport=udp", ""},
		{"sip:192.0.2.5;transport=sctp", ""},
		{"sip:[2001:db8::7]", ""}, // no way to IPv6 from here
		{"tel:+4930123", ""},
	} {
		simulated(t, func(t *testing.T, s *network.Sim, a, _ *node) {
			fillZone(&s.Names)
			a.listen(t, "udp://:5060")
			targets, err := a.Resolve(t.Context(), sip.MustParseURI(tc.uri))
			if got := list(targets); got != tc.want {
				t.Errorf("%s\n got %s\nwant %s", tc.uri, got, tc.want)
			}
			if (tc.want == "") != errors.Is(err, sip.ErrNoRoute) {
				t.Errorf("%s: error %v", tc.uri, err)
			}
			for _, x := range targets {
				if want := sip.MustParseURI(tc.uri).Host; x.Host != want {
					t.Errorf("%s: certificate host %q", tc.uri, x.Host)
				}
			}
		})
	}
}

// Without a UDP listener nothing goes over UDP.
func TestResolveWithoutUDP(t *testing.T) {
	simulated(t, func(t *testing.T, s *network.Sim, a, b *node) {
		fillZone(&s.Names)
		for uri, want := range map[string]string{
			"sip:192.0.2.5":     "tcp:192.0.2.5:5060",
			"sip:naptr.example": "wss:192.0.2.12:443 tls:192.0.2.12:5072 tcp:192.0.2.11:5071",
			"sip:srv.example":   "tcp:192.0.2.11:5090 tls:192.0.2.11:5091",
		} {
			targets, err := a.Resolve(t.Context(), sip.MustParseURI(uri))
			if list(targets) != want {
				t.Errorf("%s: %s, %v", uri, list(targets), err)
			}
		}
		b.listen(t, "udp://:5060")
		targets, _ := b.Resolve(t.Context(), sip.MustParseURI("sip:only-a.example"))
		if got := list(targets); got != "udp:192.0.2.10:5060 udp:[2001:db8::10]:5060" {
			t.Errorf("both families: %s", got)
		}
	})
}

// RFC 2782: within a priority the first is chosen in proportion to its weight; a weight of 0 is hardly ever first.
func TestResolveWeights(t *testing.T) {
	simulated(t, func(t *testing.T, s *network.Sim, a, _ *node) {
		a.Random = rand.New(rand.NewPCG(1, 2))
		fillZone(&s.Names)
		s.Names.AddSRV("_sip._tcp.weights.example", network.SRV{Weight: 0, Port: 1, Target: "h1.example"}, network.SRV{Weight: 10, Port: 2, Target: "h1.example"},
			network.SRV{Weight: 30, Port: 3, Target: "h1.example"}, network.SRV{Weight: 60, Port: 4, Target: "h1.example"}, network.SRV{Priority: 1, Weight: 65535, Port: 5, Target: "h1.example"})
		var first [6]int
		const rounds = 2000
		for range rounds {
			targets, err := a.Resolve(t.Context(), sip.MustParseURI("sip:weights.example;transport=tcp"))
			if err != nil || len(targets) != 5 || targets[4].Addr.Port() != 5 {
				t.Fatal(list(targets), err)
			}
			ports := make([]uint16, 5)
			for i, x := range targets {
				ports[i] = x.Addr.Port()
			}
			slices.Sort(ports)
			if !slices.Equal(ports, []uint16{1, 2, 3, 4, 5}) {
				t.Fatalf("not all records: %v", ports)
			}
			first[targets[0].Addr.Port()]++
		}
		for port, share := range []float64{0, 0.01, 0.10, 0.30, 0.60, 0} {
			if got := float64(first[port]) / rounds; got < share-0.03 || got > share+0.03 {
				t.Errorf("weight %v was first in %v", share, got)
			}
		}
	})
}

// What failed lately is tried last, and comes back after a while.
func TestResolveFailover(t *testing.T) {
	simulated(t, func(t *testing.T, s *network.Sim, a, _ *node) {
		fillZone(&s.Names)
		a.listen(t, "udp://:5060")
		resolve := func(want string) {
			t.Helper()
			targets, _ := a.Resolve(t.Context(), sip.MustParseURI("sip:srv.example"))
			var ports []string
			for _, x := range targets {
				ports = append(ports, x.Addr.String())
			}
			if got := strings.Join(ports, " "); got != want {
				t.Errorf("\n got %s\nwant %s", got, want)
			}
		}
		resolve("192.0.2.13:5080 192.0.2.14:5080 192.0.2.12:5060 192.0.2.11:5090 192.0.2.11:5091")
		a.Failed(transport.Target{Transport: sip.UDP, Addr: netip.MustParseAddrPort("192.0.2.13:5080"), Host: "srv.example"})
		resolve("192.0.2.14:5080 192.0.2.12:5060 192.0.2.11:5090 192.0.2.11:5091 192.0.2.13:5080")
		// A connection that fails is remembered by itself: nobody has this address.
		if _, err := a.Connect(t.Context(), transport.Target{Transport: sip.TCP, Addr: netip.MustParseAddrPort("192.0.2.11:5090")}); err == nil {
			t.Error("connected to nobody")
		}
		resolve("192.0.2.14:5080 192.0.2.12:5060 192.0.2.11:5091 192.0.2.13:5080 192.0.2.11:5090")
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		resolve("192.0.2.13:5080 192.0.2.14:5080 192.0.2.12:5060 192.0.2.11:5090 192.0.2.11:5091")
		// A flood of failures does not fill the memory, and the last one still counts.
		for i := range 5000 {
			a.Failed(transport.Target{Transport: sip.UDP, Addr: netip.AddrPortFrom(addrB, uint16(i))})
		}
		a.Failed(transport.Target{Transport: sip.UDP, Addr: netip.MustParseAddrPort("192.0.2.13:5080")})
		resolve("192.0.2.14:5080 192.0.2.12:5060 192.0.2.11:5090 192.0.2.11:5091 192.0.2.13:5080")
	})
}
