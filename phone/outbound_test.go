package phone

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// TestTwoFlows: one device, two flows to its registrar; each has its reg-id, and the GRUU is the Contact of calls. RFC 5626 §4.2, §4.3; RFC 5627 §4.4.
func TestTwoFlows(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		o := newOffice(b, digest.SHA256)
		p := member(b, func(p *Phone) {
			p.Outbound = "sip:office.test;transport=udp, sip:office.test;transport=tcp"
			p.Instance = "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
		})
		stop := serve(b, p, nothing)
		b.Wait(time.Second)
		aor := sip.URI{Scheme: "sip", User: "alice", Host: b.Addr("office").String()}
		found := o.Lookup(aor)
		if len(found) != 2 || !found[0].SameDevice(&found[1]) {
			t.Fatalf("bindings %+v", found)
		}
		ways := []sip.Transport{found[0].Flow.Transport, found[1].Flow.Transport}
		slices.Sort(ways)
		if !slices.Equal(ways, []sip.Transport{sip.UDP, sip.TCP}) {
			t.Errorf("flows over %v", ways)
		}
		instance, gruu := p.contact().URI.GRUU()
		if !gruu || instance != p.Instance || p.contact().URI.Host != aor.Host {
			t.Errorf("Contact of calls is %v", p.contact())
		}
		b.Wait(time.Hour)
		if n := o.bindings(b); n != 2 || !p.Registered() {
			t.Errorf("%d bindings an hour later", n)
		}
		stopped(t, stop)
		if n := o.bindings(b); n != 0 {
			t.Errorf("%d bindings are left", n)
		}
	})
}

// TestDeadWay: a server that does not answer keeps nobody from being registered by another. RFC 5626 §4.2.
func TestDeadWay(t *testing.T) {
	siptest.Run(t, func(b *siptest.Bench) {
		o := newOffice(b, digest.SHA256)
		b.Host("nobody")
		p := member(b, func(p *Phone) { p.Outbound = "sip:nobody.test, sip:office.test" })
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err := p.Register(ctx)
		cancel()
		if err != nil || !p.Registered() || o.bindings(b) != 1 {
			t.Errorf("%v, %d bindings", err, o.bindings(b))
		}
		if got := p.way().server.Host; got != "office.test" {
			t.Errorf("calls go by %s", got)
		}
		b.Wait(time.Hour)
		if o.bindings(b) != 1 {
			t.Errorf("%d bindings an hour later", o.bindings(b))
		}
	})
}

// TestServiceRoute: calls go by way of the servers that the registrar has named, registrations do not. RFC 3608 §5, §6.1.
func TestServiceRoute(t *testing.T) {
	for _, c := range []struct{ name, outbound, want string }{
		{"asked directly", "", "<sip:edge.test;lr>, <sip:core.test;lr>"},
		{"by a server", "sip:office.test", "<sip:office.test;lr>, <sip:edge.test;lr>, <sip:core.test;lr>"},
		{"by the one that is named", "sip:edge.test", "<sip:edge.test;lr>, <sip:core.test;lr>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			siptest.Run(t, func(b *siptest.Bench) {
				o := newOffice(b, digest.SHA256)
				o.ServiceRoute = []string{"<sip:edge.test;lr>", "<sip:core.test;lr>"}
				b.Net.Names.AddAddr("edge.test", b.Addr("office"))
				p := member(b, func(p *Phone) { p.Outbound = c.outbound })
				stop := serve(b, p, nothing)
				b.Wait(time.Hour)
				if !p.Registered() {
					t.Error("the REGISTER did not come to its registrar")
				}
				_, err := p.Dial(b.T.Context(), "bob")
				if !errors.Is(err, sip.StatusNotFound) {
					t.Error(err)
				}
				if got := strings.Join(o.ways, "; "); got != c.want {
					t.Errorf("the call came by %q", got)
				}
				stopped(t, stop)
			})
		})
	}
}

// TestInstance: the device has the name that is given or kept. RFC 5626 §4.1.
func TestInstance(t *testing.T) {
	file := filepath.Join(t.TempDir(), "instance")
	first, err := instance("", file)
	if err != nil || !strings.HasPrefix(first, "<urn:uuid:") {
		t.Fatal(first, err)
	}
	if again, err := instance("", file); err != nil || again != first {
		t.Errorf("%s, %v; at the first start %s", again, err, first)
	}
	if given, err := instance("urn:uuid:x", file); err != nil || given != "<urn:uuid:x>" {
		t.Errorf("%s, %v", given, err)
	}
	if _, err := instance(`urn:x" y`, ""); err == nil {
		t.Error("a name that breaks the header")
	}
	if err := os.WriteFile(file, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := instance("", file); err == nil {
		t.Error("a file that holds no name")
	}
	if _, err := instance("", t.TempDir()); err == nil {
		t.Error("a file that cannot be read")
	}
}

// TestBeat: the flow is kept as the registrar wants it. RFC 5626 §4.4.
func TestBeat(t *testing.T) {
	udp, tcp := sip.Flow{Transport: sip.UDP}, sip.Flow{Transport: sip.TCP}
	for range 100 {
		for _, tt := range []struct {
			flow     sip.Flow
			wanted   time.Duration
			min, max time.Duration
		}{{udp, 0, 24, 29}, {tcp, 0, 95, 120}, {tcp, 60 * time.Second, 48, 60}, {udp, 20 * time.Second, 16, 20}, {udp, 120 * time.Second, 24, 29}} {
			if d := beat(tt.flow, tt.wanted); d < tt.min*time.Second || d > tt.max*time.Second {
				t.Errorf("%v wanted %v: %v", tt.flow.Transport, tt.wanted, d)
			}
		}
	}
}
