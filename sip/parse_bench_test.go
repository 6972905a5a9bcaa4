// How fast a typical INVITE is read, forwarded and answered.

package sip

import "testing"

// benchInvite is an INVITE as a phone sends it through a proxy: about 1 KB with its description.
const benchInvite = "INVITE sip:bob@biloxi.example.com SIP/2.0\r\n" +
	"Via: SIP/2.0/UDP 192.0.2.101:5060;rport;branch=z9hG4bK74bf9a8d3c2e1f\r\n" +
	"Max-Forwards: 70\r\n" +
	"Route: <sip:proxy.atlanta.example.com;lr>\r\n" +
	"From: \"Alice Liddell\" <sip:alice@atlanta.example.com>;tag=9fxced76sl\r\n" +
	"To: <sip:bob@biloxi.example.com>\r\n" +
	"Call-ID: 3848276298220188511@atlanta.example.com\r\n" +
	"CSeq: 2 INVITE\r\n" +
	"Contact: <sip:alice@192.0.2.101:5060;transport=udp>;+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"\r\n" +
	"Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, NOTIFY, MESSAGE, SUBSCRIBE, INFO\r\n" +
	"Supported: replaces, timer, outbound, gruu\r\n" +
	"User-Agent: Example Phone 4.2.1\r\n" +
	"Content-Type: application/sdp\r\n" +
	"Content-Length: 307\r\n" +
	"\r\n" + benchSDP

const benchSDP = "v=0\r\n" +
	"o=alice 2890844526 2890844526 IN IP4 192.0.2.101\r\n" +
	"s=-\r\n" +
	"c=IN IP4 192.0.2.101\r\n" +
	"t=0 0\r\n" +
	"m=audio 49172 RTP/AVP 96 9 8 0 101\r\n" +
	"a=rtpmap:96 opus/48000/2\r\n" +
	"a=fmtp:96 useinbandfec=1\r\n" +
	"a=rtpmap:9 G722/8000\r\n" +
	"a=rtpmap:8 PCMA/8000\r\n" +
	"a=rtpmap:0 PCMU/8000\r\n" +
	"a=rtpmap:101 telephone-event/8000\r\n" +
	"a=fmtp:101 0-16\r\n" +
	"a=sendrecv\r\n"

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
	raw := []byte(benchInvite)
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
	raw := []byte(benchInvite)
	r := new(Request)
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Parse(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	r, err := ParseRequest([]byte(benchInvite))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkForward parses, makes the edits of a proxy and prints.
func BenchmarkForward(b *testing.B) {
	raw := []byte(benchInvite)
	r := new(Request)
	buf := make([]byte, 0, 2048)
	proxy := Via{Transport: "UDP", Host: "192.0.2.1", Port: 5060, Params: ";branch=z9hG4bKabcdefghijklmnop"}
	b.ReportAllocs()
	for b.Loop() {
		if err := r.Parse(raw); err != nil {
			b.Fatal(err)
		}
		r.PopFirst(HeaderRoute)
		r.Set(HeaderMaxForwards, "69")
		r.PrependVia(proxy)
		buf = r.AppendTo(buf[:0])
	}
}

func BenchmarkReply(b *testing.B) {
	r, err := ParseRequest([]byte(benchInvite))
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
	r, err := ParseRequest([]byte(benchInvite))
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
	r := mustRequest(t, benchInvite)
	if !readAsProxy(r) || r.Validate() != nil || string(r.Body()) != benchSDP || len(benchInvite) < 950 || len(benchInvite) > 1150 {
		t.Errorf("%d bytes, body %d of %d, %v", len(benchInvite), len(r.Body()), len(benchSDP), r.Validate())
	}
}
