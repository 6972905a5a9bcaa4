// Dialogs as data: where requests go and what they say. RFC 3261 §12.

package dialog

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sipwerk/sipwerk/sip"
)

func parseRequest(t *testing.T, lines ...string) *sip.Request {
	t.Helper()
	r, err := sip.ParseRequest([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func invite(t *testing.T, more ...string) *sip.Request {
	return parseRequest(t, append([]string{"INVITE sip:bob@biloxi.example.com SIP/2.0", "Via: SIP/2.0/UDP a;branch=z9hG4bK1",
		`From: "Alice" <sip:alice@atlanta.example.com>;tag=9fx`, "To: <sip:bob@biloxi.example.com>", "Call-ID: 3848276",
		"CSeq: 4 INVITE", "Contact: <sip:alice@client.atlanta.example.com;transport=tcp>"}, more...)...)
}

// fields lists what a request says, for comparison.
func fields(r *sip.Request) []string {
	out := []string{string(r.Method) + " " + r.URI.String()}
	for name, value := range r.Fields() {
		if name != "Content-Length" {
			out = append(out, name+": "+value)
		}
	}
	return out
}

func TestRequestRoutes(t *testing.T) {
	tests := []struct {
		name   string
		record []string // Record-Route of the 200
		uri    string
		routes []string
		to     sip.URI
	}{
		{"direct", nil, "sip:bob@192.0.2.4", nil, sip.URI{}},
		{"loose", []string{"<sip:p2.example.com;lr>", "<sip:p1.example.com;lr>, <sip:p0.example.com;lr>"}, "sip:bob@192.0.2.4",
			[]string{"<sip:p0.example.com;lr>", "<sip:p1.example.com;lr>", "<sip:p2.example.com;lr>"}, sip.URI{}},
		{"strict", []string{"<sip:p2.example.com;lr>", "<sip:p1.example.com;method=INVITE?Subject=x>"}, "sip:p1.example.com",
			[]string{"<sip:p2.example.com;lr>", "<sip:bob@192.0.2.4>"}, sip.MustParseURI("sip:p1.example.com;method=INVITE?Subject=x")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			req := invite(t)
			res := req.Reply(sip.StatusOK)
			res.Set(sip.HeaderTo, "<sip:bob@biloxi.example.com>;tag=314")
			res.Set(sip.HeaderContact, "<sip:bob@192.0.2.4>")
			for _, r := range test.record {
				res.Add(sip.HeaderRecordRoute, r)
			}
			d, err := NewUAC(req, res)
			if err != nil {
				t.Fatal(err)
			}
			bye := d.Request(sip.MethodBye)
			want := []string{"BYE " + test.uri, "Max-Forwards: 70"}
			for _, r := range test.routes {
				want = append(want, "Route: "+r)
			}
			want = append(want, `From: "Alice" <sip:alice@atlanta.example.com>;tag=9fx`, "To: <sip:bob@biloxi.example.com>;tag=314",
				"Call-ID: 3848276", "CSeq: 5 BYE")
			if diff := cmp.Diff(want, fields(bye)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got := d.Destination(); got.URI != test.to || !got.Flow.IsZero() {
				t.Errorf("Destination() = %+v, want %v", got, test.to)
			}
		})
	}
}

func TestCalleeDialog(t *testing.T) {
	req := invite(t, "Record-Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>", "Session-ID: 0123456789abcdef0123456789abcdef;remote="+sip.NilUUID)
	d, err := NewUAS(req, "8321")
	if err != nil {
		t.Fatal(err)
	}
	d.Session.Local = "fedcba9876543210fedcba9876543210"
	want := []string{"INVITE sip:alice@client.atlanta.example.com;transport=tcp", "Max-Forwards: 70", "Route: <sip:p1.example.com;lr>",
		"Route: <sip:p2.example.com;lr>", "From: <sip:bob@biloxi.example.com>;tag=8321", `To: "Alice" <sip:alice@atlanta.example.com>;tag=9fx`,
		"Call-ID: 3848276", "CSeq: 1 INVITE", "Contact: <sip:any.invalid>",
		"Session-ID: fedcba9876543210fedcba9876543210;remote=0123456789abcdef0123456789abcdef"}
	if diff := cmp.Diff(want, fields(d.Request(sip.MethodInvite))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, step := range []struct {
		seq uint32
		ok  bool
	}{{3, false}, {4, true}, {9, true}, {8, false}, {9, true}} {
		if got := d.InOrder(step.seq); got != step.ok {
			t.Errorf("InOrder(%d) = %t", step.seq, got)
		}
	}
	update := parseRequest(t, "UPDATE sip:b SIP/2.0", "Contact: <sip:alice@192.0.2.77>")
	d.Refresh(&update.Message)
	if got := d.Request(sip.MethodBye).URI.String(); got != "sip:alice@192.0.2.77" {
		t.Errorf("target after refresh: %s", got)
	}
}

func TestNoDialog(t *testing.T) {
	bare := invite(t)
	bare.Remove(sip.HeaderContact)
	if _, err := NewUAS(bare, "x"); err == nil {
		t.Error("a dialog without Contact")
	}
	long := invite(t)
	for range maxRoutes + 1 {
		long.Add(sip.HeaderRecordRoute, "<sip:p.example.com;lr>")
	}
	if _, err := NewUAS(long, "x"); err == nil {
		t.Error("a route set without end")
	}
	if _, err := NewUAS(invite(t, "Record-Route: <sip:p.example.com"), "x"); err == nil {
		t.Error("a malformed Record-Route")
	}
}

// TestGRUU: requests to a peer that was reached directly go on to it, whatever it calls itself. RFC 5627 §3.1, §4.4.
func TestGRUU(t *testing.T) {
	for _, route := range []bool{false, true} {
		req := invite(t)
		if route {
			req.Set(sip.HeaderRoute, "<sip:p.example.com;lr>")
		}
		res := req.Reply(sip.StatusOK)
		res.Set(sip.HeaderTo, "<sip:bob@biloxi.example.com>;tag=314")
		res.Set(sip.HeaderContact, "<sip:bob@biloxi.example.com;gr=x>")
		d, err := NewUAC(req, res)
		if err != nil {
			t.Fatal(err)
		}
		bye := d.Request(sip.MethodBye)
		if to := d.Destination(); bye.URI.String() != "sip:bob@biloxi.example.com;gr=x" || (to.URI == req.URI) == route {
			t.Errorf("BYE for %v goes to %+v", bye.URI, to)
		}
	}
}

func TestReturnFlow(t *testing.T) {
	udp := sip.Flow{Transport: sip.UDP, Remote: netip.MustParseAddrPort("203.0.113.7:4000")}
	tcp := sip.Flow{ID: 9, Transport: sip.TCP, Remote: netip.MustParseAddrPort("203.0.113.7:4000")}
	tests := []struct {
		name, contact string
		more          []string
		flow, want    sip.Flow
	}{
		{"public", "<sip:a@203.0.113.7:5060>", nil, udp, sip.Flow{}},
		{"behind a translator", "<sip:a@10.0.0.7:5060>", nil, udp, udp},
		{"host name", "<sip:a@phone.example.com>", nil, udp, sip.Flow{}},
		{"browser", "<sip:a@x7.invalid;transport=ws>", nil, tcp, tcp},
		{"GRUU", "<sip:a@example.com;gr=urn:uuid:f81d4fae>", nil, udp, udp}, // RFC 5627 §3.1
		{"connection", "<sip:a@203.0.113.7:5060;transport=tcp>", nil, tcp, tcp},
		{"behind a proxy", "<sip:a@10.0.0.7>", []string{"Via: SIP/2.0/UDP b;branch=z9hG4bK2"}, udp, sip.Flow{}},
		{"recorded route", "<sip:a@10.0.0.7>", []string{"Record-Route: <sip:p;lr>"}, udp, sip.Flow{}},
	}
	for _, test := range tests {
		req := invite(t, test.more...)
		req.Set(sip.HeaderContact, test.contact)
		d, err := NewUAS(req, "x")
		if err != nil {
			t.Fatal(err)
		}
		if got := ReturnFlow(&sip.Event{Request: req, Flow: test.flow}, d); got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}
