// How fast a typical INVITE is read, forwarded and answered.

package sip

import "testing"

// benchInvite returns an INVITE as a phone sends it through a proxy: about 1 KB with its description. The comparison in test/bench reads it too.
func benchInvite(t testing.TB) []byte { return tortureFile(t, "invite.dat") }

// readAsProxy asks for what a proxy looks at.
func readAsProxy(r *Request) bool {
	via, e1 := r.Via()
	from, e2 := r.From()
	to, e3 := r.To()
	seq, e4 := r.CSeq()
	hops, ok1 := r.Uint(HeaderMaxForwards)
	route, e5 := ParseAddress(r.first(HeaderRoute))
	contact, ok2 := r.Contact()
	length, ok3 := r.Uint(HeaderContentLength)
	return e1 == nil && e2 == nil && e3 == nil && e4 == nil && e5 == nil && ok1 && ok2 && ok3 && int(length) == len(r.Body()) &&
		via.Port == 5060 && from.Tag() != "" && to.Params == "" && seq.Number == 2 && hops == 70 && route.URI.Loose() && contact.URI.Port == 5060 && r.CallID() != ""
}

func BenchmarkParse(b *testing.B) {
	raw := benchInvite(b)
	r := new(Request)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Parse(raw); err != nil || !readAsProxy(r) {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseOnly(b *testing.B) {
	raw := benchInvite(b)
	r := new(Request)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	r, err := ParseRequest(benchInvite(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.known &^= knownTags
		if err := r.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}

// forward makes the edits of a proxy.
func forward(r *Request) {
	r.URI = URI{Scheme: "sip", User: "bob", Host: "192.0.2.200", Port: 5066}
	r.PopFirst(HeaderRoute)
	r.Set(HeaderMaxForwards, "69")
	r.PrependAddress(HeaderRecordRoute, Address{URI: URI{Scheme: "sip", Host: "192.0.2.1", Port: 5060, Params: ";lr"}})
	r.PrependVia(Via{Transport: "UDP", Host: "192.0.2.1", Port: 5060, Params: ";branch=z9hG4bKabcdefghijklmnop"})
}

// BenchmarkForward makes the edits of a proxy and prints.
func BenchmarkForward(b *testing.B) {
	r, work := new(Request), new(Request)
	if err := r.Parse(benchInvite(b)); err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		work.Borrow(r)
		forward(work)
		buf = work.AppendTo(buf[:0])
	}
}

// BenchmarkForwardResponse parses a response, takes the top Via off and prints.
func BenchmarkForwardResponse(b *testing.B) {
	r, err := ParseRequest(benchInvite(b))
	if err != nil {
		b.Fatal(err)
	}
	forward(r)
	raw := []byte(r.Reply(StatusRinging).String())
	res, buf := new(Response), make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		if err := res.Parse(raw); err != nil {
			b.Fatal(err)
		}
		res.PopFirst(HeaderVia)
		buf = res.AppendTo(buf[:0])
	}
}

func BenchmarkReply(b *testing.B) {
	r, err := ParseRequest(benchInvite(b))
	if err != nil {
		b.Fatal(err)
	}
	res := new(Response)
	buf := make([]byte, 0, 2048)
	b.ReportAllocs()
	for b.Loop() {
		res.ReplyTo(r, StatusRinging)
		buf = res.AppendTo(buf[:0])
	}
}

func BenchmarkClone(b *testing.B) {
	r, err := ParseRequest(benchInvite(b))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		_ = r.Clone()
	}
}

func BenchmarkStripeOf(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = StripeOf("3848276298220188511@atlanta.example.com")
	}
}

// The benchmark measures what it says.
func TestBenchInvite(t *testing.T) {
	raw := benchInvite(t)
	r := mustRequest(t, string(raw))
	if !readAsProxy(r) || r.Validate() != nil || r.ContentType() != "application/sdp" || len(raw) < 950 || len(raw) > 1050 {
		t.Errorf("%d bytes, body %q, %v", len(raw), r.Body(), r.Validate())
	}
}
