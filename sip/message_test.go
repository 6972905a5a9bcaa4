// Messages read, edited and printed again. RFC 3261 §7.

package sip

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

const invite = "INVITE sip:bob@biloxi.example.com SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP pc33.atlanta.example.com;branch=z9hG4bK776asdhds;rport, SIP/2.0/TCP 192.0.2.9:5062;branch=z9hG4bK1\r\n" +
	"Max-Forwards: 70\r\n" +
	"To: Bob <sip:bob@biloxi.example.com>\r\n" +
	"f: \"Alice, \\\"A\\\"\" <sip:alice@atlanta.example.com>;tag=1928301774\r\n" +
	"Call-ID: a84b4c76e66710\r\n" +
	"CSeq: 314159 INVITE\r\n" +
	"Route: <sip:p1.example.com;lr>,\r\n <sip:p2.example.com;lr>\r\n" +
	"Contact: <sip:alice@pc33.atlanta.example.com>\r\n" +
	"X-Odd : one\r\n" +
	"x-odd: two\r\n" +
	"Content-Type: Application/SDP;charset=utf-8\r\n" +
	"Content-Length: 4\r\n" +
	"\r\nv=0\n"

func mustRequest(t *testing.T, s string) *Request {
	t.Helper()
	r, err := ParseRequest([]byte(s))
	if err != nil {
		t.Fatalf("%v\n%s", err, s)
	}
	return r
}

func TestRead(t *testing.T) {
	r := mustRequest(t, invite+"rubbish")
	if err := r.Validate(); err != nil {
		t.Fatal(err)
	}
	via, err := r.Via()
	if err != nil || via.Host != "pc33.atlanta.example.com" || via.Branch() != "z9hG4bK776asdhds" {
		t.Errorf("Via = %+v, %v", via, err)
	}
	if _, present := via.RPort(); !present {
		t.Error("bare rport not seen")
	}
	from, err := r.From()
	if err != nil || from.Name() != `Alice, "A"` || from.Tag() != "1928301774" || from.URI.User != "alice" {
		t.Errorf("From = %+v, %v", from, err)
	}
	if seq, err := r.CSeq(); err != nil || seq != (CSeq{314159, MethodInvite}) {
		t.Errorf("CSeq = %v, %v", seq, err)
	}
	if n, ok := r.Uint(HeaderMaxForwards); n != 70 || !ok {
		t.Errorf("Max-Forwards = %d, %v", n, ok)
	}
	for _, c := range []struct{ what, got, want string }{
		{"method", string(r.Method), "INVITE"},
		{"URI", r.URI.String(), "sip:bob@biloxi.example.com"},
		{"body", string(r.Body()), "v=0\n"},
		{"type", r.ContentType(), "application/sdp"},
		{"tag", r.FromTag(), "1928301774"},
		{"no tag", r.ToTag(), ""},
		{"Call-ID", r.CallID(), "a84b4c76e66710"},
		{"Route", r.Get(HeaderRoute), "<sip:p1.example.com;lr>,   <sip:p2.example.com;lr>"},
		{"Vias", strings.Join(slices.Collect(r.Values(HeaderVia)), "|"), "SIP/2.0/UDP pc33.atlanta.example.com;branch=z9hG4bK776asdhds;rport|SIP/2.0/TCP 192.0.2.9:5062;branch=z9hG4bK1"},
		{"unknown", r.GetName("X-ODD"), "one"},
	} {
		if c.got != c.want {
			t.Errorf("%s = %q, want %q", c.what, c.got, c.want)
		}
	}
}

// What is not edited goes out as it came in, unfolded.
func TestPrintUnchanged(t *testing.T) {
	want := strings.Replace(invite, ",\r\n ", ",   ", 1)
	if got := mustRequest(t, invite).String(); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	bare := strings.ReplaceAll(strings.Split(invite, "\r\n\r\n")[0]+"\r\n\r\n", "\r\n", "\n") + "v=0\n"
	if got := mustRequest(t, bare).String(); strings.Contains(strings.ReplaceAll(got[:len(got)-4], "\r\n", ""), "\n") {
		t.Errorf("bare line ends sent on: %q", got)
	}
}

func TestEdit(t *testing.T) {
	const in = "OPTIONS sip:a@b SIP/2.0\r\nVia: one, two\r\nX-A: 1\r\nRoute: r1\r\nRoute: r2\r\nx-a: 2\r\nTo: t\r\nContent-Length: 0\r\n\r\n"
	cases := []struct {
		name string
		edit func(*Request)
		want string
	}{
		{"set", func(r *Request) { r.Set(HeaderRoute, "new") }, "Via: one, two|X-A: 1|Route: new|x-a: 2|To: t"},
		{"set absent", func(r *Request) { r.Set(HeaderFrom, "f") }, "Via: one, two|X-A: 1|Route: r1|Route: r2|x-a: 2|To: t|From: f"},
		{"set name", func(r *Request) { r.SetName("X-A", "3") }, "Via: one, two|X-A: 3|Route: r1|Route: r2|To: t"},
		{"set known by name", func(r *Request) { r.SetName("t", "3") }, "Via: one, two|X-A: 1|Route: r1|Route: r2|x-a: 2|t: 3"},
		{"add", func(r *Request) { r.Add(HeaderRoute, "r3") }, "Via: one, two|X-A: 1|Route: r1|Route: r2|Route: r3|x-a: 2|To: t"},
		{"add name", func(r *Request) { r.AddName("x-A", "3") }, "Via: one, two|X-A: 1|Route: r1|Route: r2|x-a: 2|x-A: 3|To: t"},
		{"prepend", func(r *Request) { r.Prepend(HeaderVia, "zero") }, "Via: zero|Via: one, two|X-A: 1|Route: r1|Route: r2|x-a: 2|To: t"},
		{"prepend absent", func(r *Request) { r.Prepend(HeaderRecordRoute, "rr") }, "Via: one, two|Record-Route: rr|X-A: 1|Route: r1|Route: r2|x-a: 2|To: t"},
		{"set first", func(r *Request) { r.SetFirst(HeaderVia, "1") }, "Via: 1, two|X-A: 1|Route: r1|Route: r2|x-a: 2|To: t"},
		{"set via", func(r *Request) { r.SetVia(Via{Transport: "UDP", Host: "h", Port: 9, Params: ";branch=b"}) }, "Via: SIP/2.0/UDP h:9;branch=b, two|X-A: 1|Route: r1|Route: r2|x-a: 2|To: t"},
		{"set via absent", func(r *Request) { r.Remove(HeaderVia); r.SetVia(Via{Transport: "UDP", Host: "h"}) }, "Via: SIP/2.0/UDP h|X-A: 1|Route: r1|Route: r2|x-a: 2|To: t"},
		{"pop first", func(r *Request) { r.PopFirst(HeaderVia) }, "Via: two|X-A: 1|Route: r1|Route: r2|x-a: 2|To: t"},
		{"pop both", func(r *Request) { r.PopFirst(HeaderVia); r.PopFirst(HeaderVia) }, "X-A: 1|Route: r1|Route: r2|x-a: 2|To: t"},
		{"pop route", func(r *Request) { r.PopFirst(HeaderRoute) }, "Via: one, two|X-A: 1|Route: r2|x-a: 2|To: t"},
		{"remove", func(r *Request) { r.Remove(HeaderRoute) }, "Via: one, two|X-A: 1|x-a: 2|To: t"},
		{"remove name", func(r *Request) { r.RemoveName("x-a") }, "Via: one, two|Route: r1|Route: r2|To: t"},
		{"smuggle", func(r *Request) { r.Set(HeaderTo, "t2\r\nEvil: 1") }, "Via: one, two|X-A: 1|Route: r1|Route: r2|x-a: 2|To: t2"},
		{"smuggle name", func(r *Request) { r.SetName("X:\r\nEvil", "1") }, "Via: one, two|X-A: 1|Route: r1|Route: r2|x-a: 2|To: t"},
		{"smuggle first", func(r *Request) { r.SetFirst(HeaderVia, "1\nEvil: 1") }, "Via: 1, two|X-A: 1|Route: r1|Route: r2|x-a: 2|To: t"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := mustRequest(t, in)
			c.edit(r)
			want := "OPTIONS sip:a@b SIP/2.0\r\n" + strings.ReplaceAll(c.want, "|", "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
			got := strings.Replace(r.String(), "Content-Length: 0\r\n", "", 1)
			if got != strings.Replace(want, "Content-Length: 0\r\n", "", 1) {
				t.Errorf("got %q\nwant %q", got, want)
			}
			clone := r.Clone()
			if clone.String() != r.String() {
				t.Errorf("clone %q", clone)
			}
		})
	}
}

func TestCloneOwnsItsMemory(t *testing.T) {
	raw := []byte(invite)
	r, err := ParseRequest(raw)
	if err != nil {
		t.Fatal(err)
	}
	r.Method = "X"
	r.Set(HeaderSubject, "hello")
	want, c := r.String(), r.Clone()
	for i := range raw {
		raw[i] = 'x'
	}
	r.Set(HeaderSubject, "other")
	if got := c.String(); got != want {
		t.Errorf("clone changed: %q", got)
	}
}

func TestReply(t *testing.T) {
	r := mustRequest(t, strings.Replace(invite, "X-Odd :", "Timestamp: 54\r\nX-Odd:", 1))
	const head = "Via: SIP/2.0/UDP pc33.atlanta.example.com;branch=z9hG4bK776asdhds;rport, SIP/2.0/TCP 192.0.2.9:5062;branch=z9hG4bK1\r\n" +
		"To: Bob <sip:bob@biloxi.example.com>\r\nf: \"Alice, \\\"A\\\"\" <sip:alice@atlanta.example.com>;tag=1928301774\r\n" +
		"Call-ID: a84b4c76e66710\r\nCSeq: 314159 INVITE\r\n"
	if got, want := r.Reply(StatusOK).String(), "SIP/2.0 200 OK\r\n"+head+"Content-Length: 0\r\n\r\n"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if got, want := r.Reply(StatusTrying).String(), "SIP/2.0 100 Trying\r\n"+head+"Timestamp: 54\r\nContent-Length: 0\r\n\r\n"; got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	res := r.Reply(StatusNotFound)
	res.Reason = "Gone\r\nEvil: 1"
	if strings.Contains(res.String(), "Evil") {
		t.Error("reason smuggles a header")
	}
}

// What is remembered is what stands there.
func checkKnown(t *testing.T, what string, m *Message) {
	t.Helper()
	via, _ := m.Via()
	if again, err := ParseVia(m.first(HeaderVia)); m.known&knownVia != 0 && (err != nil || via != again) {
		t.Errorf("%s: Via %+v, in the message %+v, %v", what, via, again, err)
	}
	cseq, _ := m.CSeq()
	if again, err := ParseCSeq(m.Get(HeaderCSeq)); m.known&knownCSeq != 0 && (err != nil || cseq != again) {
		t.Errorf("%s: CSeq %v, in the message %v, %v", what, cseq, again, err)
	}
	if from, to := m.tag(HeaderFrom), m.tag(HeaderTo); m.FromTag() != from || m.ToTag() != to {
		t.Errorf("%s: tags %q and %q, in the message %q and %q", what, m.FromTag(), m.ToTag(), from, to)
	}
}

func TestKnown(t *testing.T) {
	for _, in := range []string{invite, strings.ReplaceAll(invite, "\r\n", "\n"), strings.Replace(invite, "To: Bob <sip:bob@biloxi.example.com>", "To: <sip:b@c>;tag=\"1\\\"2\"", 1)} {
		raw := []byte(in)
		r, err := ParseRequest(raw)
		if err != nil || r.Validate() != nil || r.known != knownVia|knownCSeq|knownTags {
			t.Fatal(err, r.Validate(), r.known)
		}
		res := r.Reply(StatusOK)
		for i := range raw {
			raw[i] = 'x' // the reply has memory of its own
		}
		checkKnown(t, "reply", &res.Message)
		if res.known&knownVia == 0 || res.known&knownCSeq == 0 || res.FromTag() != "1928301774" {
			t.Errorf("the reply knows %b only", res.known)
		}
		res.AddTag(HeaderTo, "new")
		res.Set(HeaderServer, "s")
		checkKnown(t, "tagged reply", &res.Message)
		res.PopFirst(HeaderVia)
		checkKnown(t, "popped", &res.Message)
		res.Set(HeaderCSeq, "7 BYE")
		checkKnown(t, "CSeq set", &res.Message)
		res.Set(HeaderFrom, "<sip:x@y>;tag=other")
		checkKnown(t, "From set", &res.Message)
		res.Remove(HeaderTo)
		checkKnown(t, "To removed", &res.Message)
	}
}

func TestBuild(t *testing.T) {
	r := NewRequest(MethodMessage, MustParseURI("sip:bob@example.org"))
	r.Add(HeaderVia, "SIP/2.0/UDP h;branch=z9hG4bKx")
	r.Set(HeaderFrom, "<sip:a@b>;tag=1")
	r.SetBody("text/plain", []byte("hello"))
	const want = "MESSAGE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\n" +
		"Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
	if got := r.String(); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	r = mustRequest(t, r.String())
	r.SetBody("", nil)
	if got := r.String(); !strings.HasSuffix(got, "tag=1\r\nContent-Length: 0\r\n\r\n") {
		t.Errorf("got %q", got)
	}
}

func TestValidate(t *testing.T) {
	cases := []struct {
		old, new string
		want     Status
	}{
		{"Max-Forwards: 70", "Max-Forwards: 256", 400},
		{"Max-Forwards: 70", "Max-Forwards: x", 400},
		{"Max-Forwards: 70", "Max-Forwards: 99999999999999999999", 400},
		{"Max-Forwards: 70\r\n", "", 0},
		{"Max-Forwards: 70", "Max-Forwards: 70\r\nmax-forwards : 70", 400},
		{"CSeq: 314159 INVITE", "CSeq: 314159 BYE", 400},
		{"CSeq: 314159 INVITE", "CSeq: 2147483648 INVITE", 400},
		{"INVITE sip:", "NEWMETHOD sip:", 501},
		{"INVITE sip:bob@biloxi.example.com", "INVITE mailto:bob@biloxi.example.com", 416},
		{"INVITE sip:bob@biloxi.example.com", "INVITE tel:+4930", 0},
		{" SIP/2.0\r\n", " SIP/3.0\r\n", 505},
		{"Call-ID: a84b4c76e66710\r\n", "", 400},
		{"Call-ID: a84b4c76e66710", "Call-ID: a b", 400},
		{"Contact: <sip:alice@pc33.atlanta.example.com>", "Contact: *", 0},
		{"Contact: <sip:alice@pc33.atlanta.example.com>", "Contact: <sip:alice@pc33.atlanta.example.com>,,", 400},
		{"Content-Length: 4", "Content-Length: 5", 400},
		{"Content-Length: 4", "Content-Length: -1", 400},
		{"Content-Length: 4", "Content-Length: 4 4", 400},
		{"Content-Length: 4", "Content-Length: 4294967300", 400},
		{"Content-Length: 4", "Content-Length: 4\r\nl: 4", 400},
		{"X-Odd : one", "X-Odd\rEvil: one", 400},
		{"X-Odd : one", "X Odd: one", 400},
		{"X-Odd : one", strings.Repeat("X: y\r\n", 300) + "Z: a", 400},
	}
	for _, c := range cases {
		in := strings.Replace(invite, c.old, c.new, 1)
		r, err := ParseRequest([]byte(in))
		if err == nil {
			err = r.Validate()
		}
		if got := StatusOf(err); err != nil && got != c.want || err == nil && c.want != 0 {
			t.Errorf("%q for %q: %v, want %d", c.new, c.old, err, c.want)
		}
		if len(r.fields) > maxFields {
			t.Error("too many fields kept")
		}
	}
}

func TestUnsupported(t *testing.T) {
	r := mustRequest(t, strings.Replace(invite, "X-Odd :", "Require: 100rel, Timer\r\nrequire: foo\r\nX-Odd:", 1))
	if got := r.Unsupported(HeaderRequire, "timer", "100rel"); !slices.Equal(got, []string{"foo"}) {
		t.Errorf("unsupported = %v", got)
	}
	if got := r.Unsupported(HeaderProxyRequire); got != nil {
		t.Errorf("unsupported = %v", got)
	}
}

// A header in odd spelling is the same header: what is removed is gone, whatever stands before the colon (RFC 3261 §7.3.1).
func TestOddSpellingIsNoOtherHeader(t *testing.T) {
	for _, name := range []string{"P-Asserted-Identity", "p-asserted-identity ", "P-ASSERTED-IDENTITY \t ", "P-Asserted-Identity\t"} {
		r := mustRequest(t, strings.Replace(invite, "X-Odd : one", name+": <sip:boss@example.org>", 1))
		if got := r.Get(HeaderPAssertedIdentity); got != "<sip:boss@example.org>" {
			t.Errorf("%q: %q", name, got)
		}
		r.Remove(HeaderPAssertedIdentity)
		if strings.Contains(r.String(), "boss") {
			t.Errorf("%q is sent on", name)
		}
	}
	r := mustRequest(t, strings.Replace(invite, "X-Odd :", "x-oDD \t:", 1))
	r.RemoveName("X-Odd")
	if s := r.String(); strings.Contains(s, "one") || strings.Contains(s, "two") {
		t.Errorf("sent on: %q", s)
	}
	// Who takes a CR alone for a line end would see a header here.
	r, err := ParseRequest([]byte(strings.Replace(invite, "X-Odd : one", "X-Odd: one\rP-Asserted-Identity: <sip:boss@example.org>", 1)))
	if err == nil || strings.Contains(r.String(), "boss") {
		t.Errorf("%v: %q", err, r)
	}
}

// Every truncated message gives an error or a message, and never a panic; what could be read is there.
func TestTruncated(t *testing.T) {
	for n := range len(invite) {
		r, err := ParseRequest([]byte(invite[:n]))
		var fault *ParseError
		if err != nil && !errors.As(err, &fault) {
			t.Fatalf("error of type %T", err)
		}
		if n == len(invite)-2 && (err == nil || r.CallID() == "" || r.Reply(400).Get(HeaderVia) == "") {
			t.Errorf("no 400 can be addressed: %v", err)
		}
	}
}

func TestHeaderTable(t *testing.T) {
	for h := HeaderOther + 1; h < headerCount; h++ {
		for _, name := range []string{h.String(), strings.ToUpper(h.String()), strings.ToLower(h.String()), headers[h].compact} {
			if name != "" && LookupHeader(name) != h {
				t.Errorf("%q is %v, want %v", name, LookupHeader(name), h)
			}
		}
	}
	for _, name := range []string{"", "x", "Vi", "Viaa", "C%6Fntact", "Content-Lengths"} {
		if h := LookupHeader(name); h != HeaderOther && name != "x" {
			t.Errorf("%q is %v", name, h)
		}
	}
}

func TestParseAllocatesNothing(t *testing.T) {
	raw := []byte(invite)
	r := new(Request)
	buf := make([]byte, 0, 4096)
	allocs := testing.AllocsPerRun(100, func() {
		if err := r.Parse(raw); err != nil {
			t.Fatal(err)
		}
		via, _ := r.Via()
		r.PrependVia(via)
		forward(r)
		buf = r.AppendTo(buf[:0])
	})
	if allocs != 0 {
		t.Errorf("%v allocations to parse, edit and print", allocs)
	}
	res := new(Response)
	for _, s := range []Status{StatusTrying, StatusOK, StatusNotFound} {
		if allocs := testing.AllocsPerRun(100, func() {
			res.ReplyTo(r, s)
			res.AddTag(HeaderTo, "1")
			res.Set(HeaderAllow, "INVITE")
			buf = res.AppendTo(buf[:0])
		}); allocs != 0 {
			t.Errorf("%v allocations to reply with %d", allocs, s)
		}
	}
	raw = bytes.Clone(buf)
	if allocs := testing.AllocsPerRun(100, func() {
		if err := res.Parse(raw); err != nil {
			t.Fatal(err)
		}
		res.PopFirst(HeaderVia)
		buf = res.AppendTo(buf[:0])
	}); allocs != 0 {
		t.Errorf("%v allocations to forward a response", allocs)
	}
}

// What SetVia remembers is what the text says.
func TestSetVia(t *testing.T) {
	for _, params := range []Params{"", ";branch=z9hG4bK1;received=192.0.2.1", ";branch=b;x=\"open", ";branch=b\r\nEvil: 1"} {
		r, err := ParseRequest([]byte("OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP old;branch=old, SIP/2.0/UDP two\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		r.SetVia(Via{Transport: "TCP", Host: "h", Port: 5062, Params: params})
		got, err := r.Via()
		if err != nil {
			t.Fatalf("%q: %v", params, err)
		}
		value, _, _ := member(r.Get(HeaderVia))
		if want, err := ParseVia(value); err != nil || got != want {
			t.Errorf("%q: %+v is remembered, %q says %+v (%v)", params, got, value, want, err)
		}
	}
}
