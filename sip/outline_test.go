package sip

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// sameOutline fails if the outline of a request says anything else than the request when it is read in full, and reports whether there is one.
func sameOutline(t *testing.T, raw []byte) bool {
	t.Helper()
	var o Outline
	if !o.Read(raw) {
		return false
	}
	reply := append(o.AppendReply(nil, StatusServiceUnavailable, o.Via, []byte("ours")), "\r\n"...)
	req, err := ParseRequest(slices.Clone(raw))
	if err != nil {
		t.Fatalf("outlined, but %v: %q", err, raw)
	}
	via, _ := req.Via()
	cseq, _ := req.CSeq()
	if o.Method != req.Method || o.URI.String() != req.URI.String() && req.URI.Headers == o.URI.Headers || o.Via != via || o.CSeq != cseq || o.CallID != req.CallID() || o.ToTag != req.ToTag() {
		t.Fatalf("outline %+v of %q", o, raw)
	}
	res, err := ParseResponse(reply)
	if err != nil || res.Validate() != nil && req.Validate() == nil {
		t.Fatalf("%v, %v\n%s", err, res.Validate(), reply)
	}
	if want := req.Reply(StatusServiceUnavailable); answered(res) != answered(want) {
		t.Fatalf("got\n%s\nwant\n%s", answered(res), answered(want))
	}
	return true
}

// answered is what a response repeats.
func answered(r *Response) string {
	to, _, _ := strings.Cut(r.Get(HeaderTo), ";tag=ours")
	return fmt.Sprint(r.Status, slices.Collect(r.Values(HeaderVia)), r.Get(HeaderFrom), to, r.CallID(), r.Get(HeaderCSeq))
}

// What an outline takes, the parser takes, and both read the same; of the torture messages it takes those that are not strange.
func TestOutlineOfTorture(t *testing.T) {
	taken := 0
	for _, c := range torture(t) {
		raw := tortureFile(t, strings.Replace(c.File, "rfc5118/", "rfc5118-wire/", 1))
		if c.Kind == "request" && sameOutline(t, raw) {
			taken++
		}
		for n := range raw {
			sameOutline(t, raw[:n])
		}
	}
	if taken < 10 {
		t.Errorf("%d have an outline", taken)
	}
}

func TestOutline(t *testing.T) {
	invite := strings.NewReplacer(";rport, SIP", ";rport\r\nVia: SIP", ",\r\n <sip", ", <sip").Replace(invite)
	if !sameOutline(t, []byte(invite)) {
		t.Error("a usual request has none")
	}
	for why, edit := range map[string][2]string{
		"folded":               {"Max-Forwards: 70", "Subject: a\r\n b\r\nMax-Forwards: 70"},
		"bare LF":              {"Max-Forwards: 70\r\n", "Max-Forwards: 70\n"},
		"stray CR":             {"Max-Forwards: 70", "Max-Forwards: 7\r0"},
		"two Call-IDs":         {"Max-Forwards: 70", "Max-Forwards: 70\r\nCall-ID: x"},
		"a second From":        {"Max-Forwards: 70", "f: <sip:x@y>;tag=z\r\nMax-Forwards: 70"},
		"CSeq of another":      {" INVITE\r\n", " OPTIONS\r\n"},
		"unknown method":       {"INVITE ", "DANCE "},
		"two blanks":           {"INVITE ", "INVITE  "},
		"version":              {"SIP/2.0\r\n", "SIP/3.0\r\n"},
		"name of a field":      {"Max-Forwards:", "Max Forwards:"},
		"length":               {"Content-Length: ", "Content-Length: 9"},
		"two Vias in one line": {"\r\nMax-Forwards", ", SIP/2.0/UDP b\r\nMax-Forwards"},
		"many proxies":         {"Max-Forwards: 70", strings.Repeat("Via: SIP/2.0/UDP b\r\n", outlineLines) + "Max-Forwards: 70"},
	} {
		raw := strings.Replace(invite, edit[0], edit[1], 1)
		if raw == invite || sameOutline(t, []byte(raw)) {
			t.Errorf("%s: taken\n%s", why, raw)
		}
	}
	var o Outline
	raw := []byte(invite)
	if got := testing.AllocsPerRun(100, func() { o.Read(raw) }); got > 0 {
		t.Errorf("%v allocations", got)
	}
}

func TestReadAck(t *testing.T) {
	const ack = "ACK sip:b@h SIP/2.0\r\nV : SIP/2.0/UDP a:5070;branch=z9hG4bKx\r\nVia: SIP/2.0/UDP c\r\nMax-Forwards: 70\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=mine\r\nCall-ID: c\r\nCSeq: 1 ACK\r\n\r\n"
	via, tag, ok := ReadAck([]byte(ack))
	if !ok || tag != "mine" || via.Host != "a" || via.Port != 5070 || via.Branch() != "z9hG4bKx" {
		t.Errorf("%v %q %v", via, tag, ok)
	}
	for n := range strings.Index(ack, "\r\nCall-ID") {
		if _, _, ok := ReadAck([]byte(ack[:n])); ok {
			t.Errorf("taken: %q", ack[:n])
		}
	}
	for _, other := range []string{strings.Replace(ack, "ACK", "BYE", 1), strings.Replace(ack, ";tag=mine", "", 1), strings.Replace(ack, "a:5070", "a:0", 1)} {
		if _, _, ok := ReadAck([]byte(other)); ok {
			t.Errorf("taken: %q", other)
		}
	}
}

func TestGlance(t *testing.T) {
	const invite = "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKx\r\nCall-ID:  c@h \r\nCSeq: 1 INVITE\r\n\r\n"
	for _, tc := range [...]struct {
		raw, id string
		method  Method
	}{
		{invite, "c@h", MethodInvite},
		{strings.Replace(invite, "Call-ID", "i", 1), "c@h", MethodInvite},
		{strings.Replace(invite, "Call-ID", "Call-id", 1), "", MethodInvite}, // not where it usually stands
		{strings.Replace(invite, "INVITE", "BYE", 1), "c@h", MethodBye},
		{strings.Repeat("x", furthest) + invite, "", ""},
		{"INVITE", "", ""},
		{"INVITE \r\nCall-ID:c", "", MethodInvite},
	} {
		if m, id := Glance([]byte(tc.raw)); m != tc.method || id != tc.id {
			t.Errorf("%.100q: %q %q", tc.raw, m, id)
		}
	}
}
