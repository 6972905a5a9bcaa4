package transport_test

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/sipwerk/sipwerk/sip/transport"
)

// nameServer answers from a zone file over UDP and TCP on loopback and counts the questions. Over UDP it cuts what is longer than 512 bytes.
func nameServer(t *testing.T, zone string) (netip.AddrPort, *atomic.Int64) {
	t.Helper()
	var records []dns.RR
	parser := dns.NewZoneParser(strings.NewReader(zone), "example.", "")
	for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
		records = append(records, rr)
	}
	if err := parser.Err(); err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int64
	handler := dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		asked.Add(1)
		reply := new(dns.Msg).SetReply(q)
		for _, rr := range records {
			if strings.EqualFold(rr.Header().Name, q.Question[0].Name) && rr.Header().Rrtype == q.Question[0].Qtype {
				reply.Answer = append(reply.Answer, rr)
			}
		}
		if strings.HasPrefix(q.Question[0].Name, "broken.") {
			reply.Rcode = dns.RcodeServerFailure
		}
		if w.RemoteAddr().Network() == "udp" {
			reply.Truncate(512)
		}
		_ = w.WriteMsg(reply)
	})
	pc, l := bothPorts(t)
	for _, s := range []*dns.Server{{PacketConn: pc, Handler: handler}, {Listener: l, Handler: handler}} {
		ready := make(chan struct{})
		s.NotifyStartedFunc = func() { close(ready) }
		go s.ActivateAndServe()
		<-ready
		t.Cleanup(func() { s.Shutdown() })
	}
	return pc.LocalAddr().(*net.UDPAddr).AddrPort(), &asked
}

// bothPorts opens a port for UDP and TCP. A port that is free for the one may be taken for the other.
func bothPorts(t *testing.T) (net.PacketConn, net.Listener) {
	t.Helper()
	var failed error
	for range 10 {
		pc, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", pc.LocalAddr().String())
		if err == nil {
			return pc, l
		}
		failed = err
		pc.Close()
	}
	t.Fatal(failed)
	return nil, nil
}

// Records, a cut answer asked for again over TCP (RFC 1035 §4.2), and a cache that also remembers what is not there (RFC 2308 §5).
func TestDNS(t *testing.T) {
	zone := `
sip.example. 60 IN NAPTR 10 20 "s" "SIP+D2T" "" _sip._tcp.sip.example.
_sip._tcp.sip.example. 60 IN SRV 1 2 5061 host.example.
_sip._udp.sip.example. 60 IN SRV 0 0 0 .
host.example. 60 IN A 192.0.2.1
host.example. 60 IN AAAA 2001:db8::1
`
	for range 40 {
		zone += "large.example. 60 IN SRV 0 0 5060 a-rather-long-name-of-a-host-so-that-it-is-cut.example.\n"
	}
	server, asked := nameServer(t, zone)
	d := &transport.DNS{Servers: []netip.AddrPort{server}, Hosts: os.DevNull}
	ctx := t.Context()
	for range 2 {
		naptr, err := d.LookupNAPTR(ctx, "sip.example")
		if err != nil || len(naptr) != 1 || naptr[0].Replacement != "_sip._tcp.sip.example" || naptr[0].Service != "SIP+D2T" || naptr[0].Order != 10 {
			t.Errorf("NAPTR %+v, %v", naptr, err)
		}
		srv, err := d.LookupSRV(ctx, "_sip._tcp.sip.example")
		if err != nil || len(srv) != 1 || srv[0].Target != "host.example" || srv[0].Port != 5061 || srv[0].Weight != 2 {
			t.Errorf("SRV %+v, %v", srv, err)
		}
		if srv, err = d.LookupSRV(ctx, "_sip._udp.sip.example"); err != nil || len(srv) != 1 || srv[0].Target != "." {
			t.Errorf("SRV of a closed service %+v, %v", srv, err)
		}
		addrs, err := d.LookupAddr(ctx, "HOST.example.")
		if err != nil || len(addrs) != 2 || addrs[0].String() != "192.0.2.1" || addrs[1].String() != "2001:db8::1" {
			t.Errorf("addresses %v, %v", addrs, err)
		}
		if addrs, err = d.LookupAddr(ctx, "nobody.example"); err != nil || len(addrs) != 0 {
			t.Errorf("nobody: %v, %v", addrs, err)
		}
		if srv, err = d.LookupSRV(ctx, "large.example"); err != nil || len(srv) != 32 {
			t.Errorf("cut answer: %d records, %v", len(srv), err)
		}
		// One question each, and one more over TCP: the second round is answered from the cache.
		if n := asked.Load(); n != 9 {
			t.Errorf("%d questions", n)
		}
	}
	if _, err := d.LookupSRV(ctx, "broken.example"); err == nil || !strings.Contains(err.Error(), "SERVFAIL") {
		t.Errorf("broken: %v", err)
	}
}

// A server that does not answer costs its time-out, then the next one is asked.
func TestDNSNextServer(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	server, _ := nameServer(t, "host.example. 60 IN A 192.0.2.1\n")
	for timeout := 50 * time.Millisecond; ; timeout *= 2 { // which the other one has, too, on a machine that may be busy
		d := &transport.DNS{Servers: []netip.AddrPort{silent.LocalAddr().(*net.UDPAddr).AddrPort(), server}, Hosts: os.DevNull, Timeout: timeout}
		addrs, err := d.LookupAddr(t.Context(), "host.example")
		if err == nil && len(addrs) == 1 {
			break
		}
		if timeout > 10*time.Second {
			t.Fatalf("%v, %v", addrs, err)
		}
	}
	_ = silent.SetReadDeadline(time.Now().Add(time.Minute))
	if n, _, err := silent.ReadFrom(make([]byte, 512)); err != nil || n == 0 {
		t.Errorf("the first server was not asked: %v", err)
	}
}

func TestDNSHostsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(path, []byte("# comment\n192.0.2.7 Phone phone.example # desk\n2001:db8::7 phone\nbad line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server, asked := nameServer(t, "")
	d := &transport.DNS{Servers: []netip.AddrPort{server}, Hosts: path}
	if addrs, err := d.LookupAddr(t.Context(), "PHONE"); err != nil || len(addrs) != 2 || addrs[0].String() != "192.0.2.7" || asked.Load() != 0 {
		t.Errorf("%v, %v", addrs, err)
	}
}
