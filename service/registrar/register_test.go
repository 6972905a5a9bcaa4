package registrar

import (
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// desk is an engine that keeps the last answer.
type desk struct {
	sip.Engine
	answer   *sip.Response
	rejected bool // without a transaction
}

func (d *desk) Respond(_ sip.TransactionID, res *sip.Response) error {
	d.answer, d.rejected = res.Clone(), false
	return nil
}

func (d *desk) RespondOnce(_ sip.TransactionID, res *sip.Response) error {
	d.answer, d.rejected = res.Clone(), true
	return nil
}

// house has alice and bob; each may bind only what is theirs.
type house struct{}

func (house) AOR(uri sip.URI) (sip.URI, bool) {
	if strings.EqualFold(uri.Host, "pbx.example.org") {
		uri.Host = "example.org"
	}
	user := uri.UserName()
	return uri, strings.EqualFold(uri.Host, "example.org") && (user == "alice" || user == "bob" || strings.HasPrefix(user, "u"))
}
func (house) MayBind(user string, aor sip.URI) bool { return user != "" && aor.UserName() == user }

// call is one REGISTER. The zero call is alice's, without contacts.
type call struct {
	user, to  string   // "" means alice, sip:alice@example.org
	nobody    bool     // sent without proof
	trusted   bool     // from a trusted source
	callID    string   // "" means c1
	cseq      int      // 0 means one more than before
	headers   []string // lines to add
	transport sip.Transport
	source    string // "" means 192.0.2.1:5060
	via       string // sent-by; "" means the source
}

var alice = sip.MustParseURI("sip:alice@example.org")

// office is a registrar to which calls are sent.
type office struct {
	desk
	*Registrar
	cseq int
}

func newOffice() *office { return &office{Registrar: &Registrar{Accounts: house{}}} }

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (o *office) send(t testing.TB, c call) *sip.Response {
	t.Helper()
	if o.cseq++; c.cseq != 0 {
		o.cseq = c.cseq
	}
	source := orElse(c.source, "192.0.2.1:5060")
	text := fmt.Sprintf("REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\n"+
		"From: <sip:alice@example.org>;tag=1\r\nTo: <%s>\r\nCall-ID: %s\r\nCSeq: %d REGISTER\r\n%s\r\n",
		orElse(c.via, source), o.cseq, orElse(c.to, "sip:alice@example.org"), orElse(c.callID, "c1"), o.cseq, strings.Join(append(c.headers, ""), "\r\n"))
	req, err := sip.ParseRequest([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	ev := &sip.Event{Kind: sip.EventRequest, Request: req, Engine: &o.desk, User: orElse(c.user, "alice"), Trusted: c.trusted}
	if c.nobody || c.trusted {
		ev.User = ""
	}
	ev.Flow = sip.Flow{Transport: max(c.transport, sip.UDP), Remote: netip.MustParseAddrPort(source)}
	if c.transport.Reliable() {
		ev.Flow.ID = 7
	}
	o.Registrar.HandleEvent(ev)
	return o.answer
}

// contacts returns the Contact values of a response.
func contacts(res *sip.Response) string {
	return strings.Join(slices.Collect(res.Values(sip.HeaderContact)), " ")
}

// step is one call and its outcome.
type step struct {
	call
	status   sip.Status
	contacts string // of the 200; "-" means none
}

// script is a series of calls to a fresh registrar.
type script struct {
	name  string
	steps []step
}

const (
	contactA = "Contact: <sip:a@192.0.2.1>"
	contactB = "Contact: <sip:b@192.0.2.1>"
)

// with returns a call with these header lines.
func with(lines ...string) call { return call{headers: lines} }

// bindingScripts are about contacts, expiry and order.
func bindingScripts() []script {
	return []script{
		{"one binding", []step{
			{with(contactA), 200, "<sip:a@192.0.2.1>;expires=3600"},
			{with(), 200, "<sip:a@192.0.2.1>;expires=3600"},
			{with(contactA, "Expires: 120"), 200, "<sip:a@192.0.2.1>;expires=120"},
			{with(contactA + ";expires=0"), 200, "-"},
			{with(contactA + ";expires=0"), 200, "-"},
		}},
		{"several", []step{
			{with(contactA, contactB+";expires=90;q=0.5", "Expires: 600"), 200, "<sip:a@192.0.2.1>;expires=600 <sip:b@192.0.2.1>;q=0.5;expires=90"},
			{with(contactA + ";expires=0"), 200, "<sip:b@192.0.2.1>;q=0.5;expires=90"},
			{with("Contact: <sip:c@192.0.2.1>, <sip:b@192.0.2.1>;expires=0"), 200, "<sip:c@192.0.2.1>;expires=3600"},
		}},
		{"a contact twice", []step{
			{with(contactA, contactA+";q=0.1"), 200, "<sip:a@192.0.2.1>;expires=3600"},
			{with(contactA+";expires=0", contactA), 200, "<sip:a@192.0.2.1>;expires=3600"},
		}},
		{"equal URIs", []step{
			{with("Contact: <sip:a@Host.example.net;transport=tcp>"), 200, "<sip:a@Host.example.net;transport=tcp>;expires=3600"},
			{with("Contact: <sip:%61@host.example.NET;transport=TCP>"), 200, "<sip:%61@host.example.NET;transport=TCP>;expires=3600"},
			{with("Contact: <sip:a@host.example.net>"), 200, "<sip:%61@host.example.NET;transport=TCP>;expires=3600 <sip:a@host.example.net>;expires=3600"},
		}},
		{"wildcard", []step{
			{with(contactA, contactB), 200, "<sip:a@192.0.2.1>;expires=3600 <sip:b@192.0.2.1>;expires=3600"},
			{with("Contact: *"), 400, ""},
			{with("Contact: *", "Expires: 1"), 400, ""},
			{with("Contact: *", contactA, "Expires: 0"), 400, ""},
			{with(), 200, "<sip:a@192.0.2.1>;expires=3600 <sip:b@192.0.2.1>;expires=3600"},
			{with("Contact: *", "Expires: 0"), 200, "-"},
		}},
		{"limits", []step{
			{with(contactA + ";expires=59"), 423, ""},
			{with(contactA, contactB+";expires=1"), 423, ""},
			{with(), 200, "-"},
			{with(contactA + ";expires=60"), 200, "<sip:a@192.0.2.1>;expires=60"},
			{with(contactA + ";expires=99999999999999"), 200, "<sip:a@192.0.2.1>;expires=7200"},
			{with(contactA + ";expires=soon"), 200, "<sip:a@192.0.2.1>;expires=3600"},
		}},
		{"CSeq", []step{
			{call{cseq: 5, headers: []string{contactA}}, 200, "<sip:a@192.0.2.1>;expires=3600"},
			{call{cseq: 4, headers: []string{contactB, contactA + ";expires=0"}}, 500, ""}, // and b is not bound
			{call{cseq: 5, headers: []string{contactA + ";expires=0"}}, 500, ""},
			{call{cseq: 5, headers: []string{contactA + ";expires=99"}}, 200, "<sip:a@192.0.2.1>;expires=3600"}, // the same again
			{call{cseq: 4, headers: []string{"Contact: *", "Expires: 0"}}, 500, ""},
			{call{cseq: 1, callID: "c2", headers: []string{contactA + ";expires=99"}}, 200, "<sip:a@192.0.2.1>;expires=99"},
			{call{cseq: 1, callID: "c3"}, 200, "<sip:a@192.0.2.1>;expires=99"},
		}},
	}
}

// deviceScripts are about devices, permissions and what is refused.
func deviceScripts() []script {
	return []script{
		{"instance", []step{
			{call{callID: "x", headers: []string{contactA + `;+sip.instance="<urn:uuid:1>"`}}, 200, `<sip:a@192.0.2.1>;+sip.instance="<urn:uuid:1>";expires=3600`},
			{call{callID: "y", headers: []string{contactB + `;+sip.instance="<urn:uuid:1>"`}}, 200, `<sip:b@192.0.2.1>;+sip.instance="<urn:uuid:1>";expires=3600`},
			{call{callID: "z", headers: []string{contactA + `;+sip.instance="<urn:uuid:2>"`}}, 200,
				`<sip:b@192.0.2.1>;+sip.instance="<urn:uuid:1>";expires=3600 <sip:a@192.0.2.1>;+sip.instance="<urn:uuid:2>";expires=3600`},
			{call{callID: "z", headers: []string{"Contact: *", "Expires: 0"}}, 200, "-"},
			{call{callID: "z", headers: []string{contactA + `;+sip.instance="<i>"`, contactB + `;+sip.instance="<i>"`}}, 200,
				`<sip:a@192.0.2.1>;+sip.instance="<i>";expires=3600 <sip:b@192.0.2.1>;+sip.instance="<i>";expires=3600`},
		}},
		{"whose", []step{
			{call{to: "sip:carol@example.org", headers: []string{contactA}}, 404, ""},
			{call{to: "sip:alice@example.com", headers: []string{contactA}}, 404, ""},
			{call{to: "tel:+1", headers: []string{contactA}}, 400, ""},
			{call{to: "sip:bob@example.org", headers: []string{contactA}}, 403, ""},
			{call{nobody: true, headers: []string{contactA}}, 403, ""},
			{call{trusted: true, to: "sip:bob@example.org", headers: []string{contactA}}, 200, "<sip:a@192.0.2.1>;expires=3600"},
			{call{trusted: true, to: "sip:carol@example.org", headers: []string{contactA}}, 404, ""},
			{call{}, 200, "-"},
		}},
		{"one person", []step{
			{with(contactA), 200, "<sip:a@192.0.2.1>;expires=3600"},
			{call{to: "sips:%61lice@EXAMPLE.org:5061;x=y"}, 200, "<sip:a@192.0.2.1>;expires=3600"},
			{call{to: "sip:alice@pbx.example.org"}, 200, "<sip:a@192.0.2.1>;expires=3600"},
		}},
		{"malformed", []step{
			{with("Contact: <sip:a@192.0.2.1"), 400, ""},
			{with("Contact: <sip:" + strings.Repeat("a", maxContact) + "@192.0.2.1>"), 400, ""},
			{call{callID: strings.Repeat("a", maxContact+1), headers: []string{contactA}}, 400, ""},
			{with(), 200, "-"},
		}},
		{"extensions", []step{
			{with(contactA, "Require: foo, path, gruu"), 420, ""},
			{with(contactA, "Require: path, Outbound"), 200, "<sip:a@192.0.2.1>;expires=3600"},
		}},
	}
}

func TestRegister(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range slices.Concat(bindingScripts(), deviceScripts()) {
			o := newOffice()
			for i, s := range tt.steps {
				res := o.send(t, s.call)
				if res.Status != s.status || res.Status == 200 && contacts(res) != strings.TrimPrefix(s.contacts, "-") {
					t.Errorf("%s, step %d: %d %s\n got %s\nwant %d %s", tt.name, i+1, res.Status, res.Reason, contacts(res), s.status, s.contacts)
				}
			}
		}
	})
}

func TestAnswerHeaders(t *testing.T) {
	o := newOffice()
	if res := o.send(t, call{headers: []string{"Contact: <sip:a@192.0.2.1>;expires=1"}}); res.Get(sip.HeaderMinExpires) != "60" {
		t.Errorf("423 with Min-Expires %q", res.Get(sip.HeaderMinExpires))
	}
	if res := o.send(t, call{headers: []string{"Require: foo, path, bar, gruu"}}); res.Get(sip.HeaderUnsupported) != "foo, bar" {
		t.Errorf("420 with Unsupported %q", res.Get(sip.HeaderUnsupported))
	}
	for _, c := range []call{{nobody: true}, {}, {trusted: true}} {
		if o.send(t, c); !o.rejected {
			t.Errorf("a transaction is kept for %+v", c)
		}
	}
	if c := o.Counts(); c.Refused != 3 {
		t.Errorf("refused: %d", c.Refused)
	}
}

func TestTooManyContacts(t *testing.T) {
	o := newOffice()
	o.MaxContacts = 3
	for i := range 4 {
		res := o.send(t, call{headers: []string{fmt.Sprintf("Contact: <sip:a%d@192.0.2.1>", i)}})
		if want := map[bool]sip.Status{true: 200, false: 403}[i < 3]; res.Status != want {
			t.Errorf("contact %d: %d", i+1, res.Status)
		}
	}
	if n := len(o.Lookup(alice)); n != 3 {
		t.Errorf("%d bindings", n)
	}
	var many []string
	for i := range maxWishes + 1 {
		many = append(many, fmt.Sprintf("Contact: <sip:x%d@192.0.2.1>;expires=0", i))
	}
	if res := o.send(t, call{headers: many}); res.Status != 403 {
		t.Errorf("%d contacts: %d", len(many), res.Status)
	}
}

// RFC 3327 §5.3.
func TestPath(t *testing.T) {
	o := newOffice()
	lines := []string{"Contact: <sip:a@192.0.2.1>", "Path: <sip:p1.example.org;lr>, <sip:p2.example.org;lr>"}
	if res := o.send(t, call{headers: lines}); res.Has(sip.HeaderPath) {
		t.Error("Path given to a client that does not know it")
	}
	res := o.send(t, call{headers: append(lines, "Supported: gruu, path"), transport: sip.TCP})
	if got := slices.Collect(res.Values(sip.HeaderPath)); len(got) != 2 {
		t.Errorf("Path of the 200: %q", got)
	}
	b := o.Lookup(alice)[0]
	if !slices.Equal(b.Path, []string{"<sip:p1.example.org;lr>", "<sip:p2.example.org;lr>"}) || b.Destination() != (sip.Destination{}) {
		t.Errorf("binding %+v", b)
	}
}

func TestLookup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		for _, c := range []string{"<sip:low@192.0.2.1>;q=0.1", "<sip:old@192.0.2.1>", "<sip:new@192.0.2.1>;expires=90"} {
			o.send(t, call{headers: []string{"Contact: " + c}})
			time.Sleep(2 * time.Second)
		}
		users := func() (got []string) {
			for _, b := range o.Lookup(sip.MustParseURI("sips:alice@EXAMPLE.org;x=y")) {
				u, err := b.Target()
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, u.User)
			}
			return got
		}
		if got := users(); !slices.Equal(got, []string{"new", "old", "low"}) {
			t.Errorf("order %q", got)
		}
		time.Sleep(88 * time.Second)
		if got := users(); !slices.Equal(got, []string{"old", "low"}) {
			t.Errorf("after expiry %q", got)
		}
		if got := o.Lookup(sip.MustParseURI("sip:bob@example.org")); got != nil {
			t.Errorf("bob has %+v", got)
		}
	})
}

func TestReach(t *testing.T) {
	for _, tt := range []struct {
		name    string
		call    call
		contact string
		bound   bool
	}{
		{"UDP", call{}, "<sip:a@192.0.2.1>", false},
		{"UDP, another socket", call{}, "<sip:a@192.0.2.1:5090>", false},
		{"UDP behind a NAT", call{via: "10.0.0.1:5060"}, "<sip:a@10.0.0.1>", true},
		{"UDP behind a NAT that changes the port only", call{via: "192.0.2.1:5062"}, "<sip:a@192.0.2.1:5062>", true},
		{"UDP, a host without address", call{via: "pc.invalid"}, "<sip:a@pc.invalid>", true},
		{"UDP, IPv6", call{source: "[2001:db8::1]:5060"}, "<sip:a@[2001:db8::1]>", false},
		{"TCP", call{transport: sip.TCP}, "<sip:a@192.0.2.1:5090;transport=tcp>", true},
		{"browser", call{transport: sip.WSS, via: "df7jal23ls0d.invalid"}, "<sip:a@df7jal23ls0d.invalid;transport=ws>", true},
	} {
		o := newOffice()
		tt.call.headers = []string{"Contact: " + tt.contact}
		o.send(t, tt.call)
		b := o.Lookup(alice)[0]
		want := sip.Destination{}
		if tt.bound {
			want.Flow = b.Flow
		}
		if b.Bound != tt.bound || b.Destination() != want || b.Flow.IsZero() {
			t.Errorf("%s: %+v", tt.name, b)
		}
	}
}

func TestTarget(t *testing.T) {
	b := Binding{Contact: "<sip:a@192.0.2.1;method=BYE;x=y?Route=%3Csip:evil%3E>"}
	if u, err := b.Target(); err != nil || u.String() != "sip:a@192.0.2.1;x=y" {
		t.Errorf("%s, %v", u, err)
	}
}

// TestTorture: the REGISTER requests of RFC 4475 §3.1.1.4, §3.1.1.8, §3.3.12, §3.3.13 and §3.3.14 succeed and give their contacts back as they came.
func TestTorture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, want := range map[string]string{
			"escnull":  "<sip:%00@host5.example.com>;expires=3600 <sip:%00%00@host5.example.com>;expires=3600",
			"dblreq":   "<sip:j.user@host.example.com>;expires=3600",
			"cparam01": "<sip:+19725552222@gw1.example.net>;unknownparam;expires=3600",
			"cparam02": "<sip:+19725552222@gw1.example.net;unknownparam>;expires=3600",
			"regescrt": "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>;expires=3600",
		} {
			b, err := os.ReadFile("../../sip/testdata/rfc4475/" + name + ".dat")
			if err != nil {
				t.Fatal(err)
			}
			req, err := sip.ParseRequest(b)
			if err != nil {
				t.Fatal(err)
			}
			o := &office{Registrar: &Registrar{Accounts: anybody{}}}
			o.HandleEvent(&sip.Event{Kind: sip.EventRequest, Request: req, Engine: &o.desk, Trusted: true})
			if got := contacts(o.answer); o.answer.Status != 200 || got != want {
				t.Errorf("%s: %d\n got %s\nwant %s", name, o.answer.Status, got, want)
			}
		}
	})
}

type anybody struct{}

func (anybody) AOR(uri sip.URI) (sip.URI, bool) { return uri, true }
func (anybody) MayBind(string, sip.URI) bool    { return true }

func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		var mu sync.Mutex // Changed is called by many
		var got []string
		o.Changed = func(c Change) {
			mu.Lock()
			defer mu.Unlock()
			got = append(got, fmt.Sprintf("%s %s %s", c.AOR, c.Kind, c.Binding.Contact))
		}
		if err := o.Open(); err != nil {
			t.Fatal(err)
		}
		a := `Contact: <sip:a@192.0.2.1>;+sip.instance="<i>"`
		o.send(t, call{headers: []string{a + ";expires=100"}})
		o.send(t, call{headers: []string{a + ";expires=200"}})
		o.send(t, call{headers: []string{`Contact: <sip:b@192.0.2.1>;+sip.instance="<i>"`, "Expires: 60"}})
		o.send(t, call{headers: []string{`Contact: <sip:c@192.0.2.1>`}})
		o.send(t, call{headers: []string{`Contact: <sip:c@192.0.2.1>;expires=0`}})
		time.Sleep(61 * time.Second)
		if c := o.Counts(); c.AORs != 0 || c.Bindings != 0 {
			t.Errorf("left: %+v", c)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
		want := []string{
			`sip:alice@example.org registered <sip:a@192.0.2.1>;+sip.instance="<i>"`,
			`sip:alice@example.org refreshed <sip:a@192.0.2.1>;+sip.instance="<i>"`,
			`sip:alice@example.org unregistered <sip:a@192.0.2.1>;+sip.instance="<i>"`,
			`sip:alice@example.org registered <sip:b@192.0.2.1>;+sip.instance="<i>"`,
			`sip:alice@example.org registered <sip:c@192.0.2.1>`,
			`sip:alice@example.org unregistered <sip:c@192.0.2.1>`,
			`sip:alice@example.org expired <sip:b@192.0.2.1>;+sip.instance="<i>"`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// TestCopies: no transaction remembers a REGISTER, so a copy of each, right behind it, gets the same answer, and changes and writes nothing.
func TestCopies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, changed := newOffice(), 0
		o.Journal, o.Changed = t.TempDir(), func(Change) { changed++ }
		if err := o.Open(); err != nil {
			t.Fatal(err)
		}
		defer closeOffice(t, o)
		const device = `Contact: <sip:a@192.0.2.9>;+sip.instance="<urn:uuid:1>"`
		for i, c := range []call{
			with(contactA), with(contactA), with(contactB + ";q=0.5"), with(contactA + ";expires=0"), with(contactA+";expires=0", contactB),
			with(device), with(strings.Replace(device, "192.0.2.9", "192.0.2.8", 1)), with("Contact: *", "Expires: 0"), with(), with(contactA + ";expires=1"),
			with(contactA, contactB+";expires=0"), {to: "sip:carol@example.org"},
		} {
			first := o.send(t, c).String()
			size := o.journal.accepted.Load()
			changed = 0
			o.cseq--
			if again := o.send(t, c).String(); again != first {
				t.Errorf("request %d got\n%s\nand its copy\n%s", i+1, first, again)
			}
			if now := o.journal.accepted.Load(); now != size || changed > 0 {
				t.Errorf("the copy of request %d wrote %d bytes and made %d changes", i+1, now-size, changed)
			}
		}
	})
}

// lone is a domain in which everybody is one.
type lone struct{ house }

func (lone) AOR(sip.URI) (sip.URI, bool) { return alice, true }

// deaf is an engine that drops every answer.
type deaf struct{ sip.Engine }

func (deaf) RespondOnce(sip.TransactionID, *sip.Response) error { return nil }

// BenchmarkRefresh is a REGISTER of a phone that is known: registrar and journal without the disk.
func BenchmarkRefresh(b *testing.B) {
	o := newOffice()
	o.Accounts, o.Journal, o.Batched = lone{}, b.TempDir(), true
	if err := o.Open(); err != nil {
		b.Fatal(err)
	}
	text := "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%d\r\nFrom: <sip:u@example.org>;tag=1\r\n" +
		"To: <sip:u@example.org>\r\nCall-ID: c%d\r\nCSeq: %d REGISTER\r\nContact: <sip:u@192.0.2.1:5060>\r\nExpires: 3600\r\nUser-Agent: x\r\nSupported: replaces, timer\r\n\r\n"
	var reqs []*sip.Request
	for i := range 1000 {
		req, err := sip.ParseRequest(fmt.Appendf(nil, text, i, i, i))
		if err != nil {
			b.Fatal(err)
		}
		reqs = append(reqs, req)
	}
	ev := &sip.Event{Kind: sip.EventRequest, Engine: deaf{}, Trusted: true, Flow: sip.Flow{Transport: sip.UDP, Remote: netip.MustParseAddrPort("192.0.2.1:5060")}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		ev.Request = reqs[i%1000]
		o.HandleEvent(ev)
		if i%64 == 0 && o.Barrier() != nil {
			b.Fatal("not written")
		}
	}
	if err := o.Close(); err != nil {
		b.Fatal(err)
	}
}
