// Every structured header: what is read and printed again, and what is refused. RFC 3261 §20 and the extensions.

package sip

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// structured parses and prints a value of each header that has a parser of its own.
var structured = map[string]func(string) (string, error){
	"Via":                print(ParseVia),
	"Contact":            print(ParseAddress),
	"CSeq":               print(ParseCSeq),
	"RAck":               print(ParseRAck),
	"Event":              print(ParseEventPackage),
	"Info-Package":       print(ParseInfoPackage),
	"Subscription-State": print(ParseSubscriptionState),
	"Session-Expires":    print(ParseSessionExpires),
	"Replaces":           print(ParseReplaces),
	"Join":               print(ParseJoin),
	"Target-Dialog":      print(ParseTargetDialog),
	"Reason":             print(ParseReason),
	"Warning":            print(ParseWarning),
	"Retry-After":        print(ParseRetryAfter),
	"Timestamp":          print(ParseTimestamp),
	"Content-Type":       print(ParseMediaType),
	"History-Info":       print(ParseHistoryEntry),
	"Diversion":          print(ParseDiversion),
	"Identity":           print(ParseIdentity),
	"Session-ID":         print(ParseSessionID),
	"WWW-Authenticate":   print(ParseChallenge),
	"Authorization":      print(ParseCredentials),
	"Date": func(s string) (string, error) {
		t, err := ParseDate(s)
		return FormatDate(t), err
	},
	"Content-Disposition": func(s string) (string, error) {
		d, err := ParseDisposition(s)
		return d.Type + string(d.Params), err
	},
}

func print[T fmt.Stringer](parse func(string) (T, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		v, err := parse(s)
		return v.String(), err
	}
}

// goodHeaders are values and how they are printed; "" means as they are.
var goodHeaders = []struct{ header, in, out string }{
	{"Via", "SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks;rport", ""},
	{"Via", "SIP / 2.0 / UDP [::1]:5060 ;branch=z9hG4bK1", "SIP/2.0/UDP [::1]:5060 ;branch=z9hG4bK1"},
	{"Contact", `"Mr. Watson" <sip:watson@worcester.bell-telephone.com>;q=0.7; expires=3600`, ""},
	{"Contact", `<sip:a@192.0.2.1;ob>;reg-id=1;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"`, ""},
	{"CSeq", "0009   INVITE", "9 INVITE"},
	{"CSeq", "2147483647 FOO", ""},
	{"RAck", "776656 1 INVITE", ""},
	{"Event", "presence.winfo;id=7", ""},
	{"Info-Package", "dtmf", ""},
	{"Info-Package", `trickle-ice ;a="b c"`, ""},
	{"Subscription-State", "active;expires=60", ""},
	{"Subscription-State", "terminated;reason=probation;retry-after=10", ""},
	{"Session-Expires", "4000;refresher=UAC;x=y", "4000;refresher=uac"},
	{"Session-Expires", "90", ""},
	{"Replaces", "98732@sip.example.com;from-tag=r33th4x0r;to-tag=ff87ff;early-only", "98732@sip.example.com;to-tag=ff87ff;from-tag=r33th4x0r;early-only"},
	{"Join", "12adf2f34456gs5;to-tag=12345;from-tag=54321", ""},
	{"Target-Dialog", "fa77as7dad8-sd98ajzz@host.example.com;local-tag=kkaz-;remote-tag=6544", ""},
	{"Reason", `SIP;cause=200;text="Call completed elsewhere"`, ""},
	{"Reason", `Q.850 ;cause=16;text=Terminated`, `Q.850;cause=16;text="Terminated"`},
	{"Reason", "preemption", ""},
	{"Warning", `307 isi.edu "Session parameter 'foo' not understood"`, ""},
	{"Warning", `399 192.0.2.1:5060   "a \"b\""`, `399 192.0.2.1:5060 "a \"b\""`},
	{"Retry-After", "18000;duration=3600", ""},
	{"Retry-After", "120 (I'm in a (long) meeting)", "120"},
	{"Timestamp", "54", ""},
	{"Timestamp", "54.25 0.500", "54.25 0.5"},
	{"Timestamp", "0 0.0001", ""},
	{"Content-Type", `Multipart/Signed; boundary="unique-1"`, `multipart/signed; boundary="unique-1"`},
	{"Content-Type", "text / plain", "text/plain"},
	{"Content-Disposition", "Session;handling=optional", "session;handling=optional"},
	{"History-Info", "<sip:UserA@ims.example.com?Reason=SIP%3Bcause%3D302>;index=1.1;mp=1", ""},
	{"Diversion", "<sip:bob@example.org>;reason=user-busy;counter=2", ""},
	{"Identity", "eyJh.eyJk.c2ln;info=<https://biloxi.example.org/biloxi.cer>;alg=ES256;ppt=shaken", ""},
	{"Session-ID", "AB30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000", "ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000"},
	{"Session-ID", "ab30317f1a784dc48ff824d0d3715d86", "ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000"},
	{"Date", "Sat, 13 Nov 2010 23:29:00 GMT", ""},
	{"WWW-Authenticate", `Digest realm="atlanta.com", nonce="84a4cc6f3082121f32b42a2187831a9e", stale=true, algorithm=MD5, qop="auth"`, ""},
	{"Authorization", `Digest username="bob", realm="a", nonce="n", uri="sip:bob2.biloxi.com", response="r", algorithm=SHA-256, cnonce="0a4f113b", qop=auth, nc=00000001`, ""},
}

var badHeaders = []struct{ header, in string }{
	{"Via", "SIP/2.0/UDP 192.0.2.15;;"}, {"Contact", "<sip:a@b>;expires="}, {"CSeq", "36893488147419103232 REGISTER"}, {"CSeq", "1"}, {"CSeq", "1 A B"}, {"CSeq", "-1 A"},
	{"CSeq", "2147483648 INVITE"}, {"RAck", "0 1 INVITE"}, {"RAck", "1 INVITE"}, {"RAck", "1 1"}, {"RAck", "4294967296 1 INVITE"}, {"Event", ""}, {"Event", ";id=1"}, {"Event", "a b"}, {"Info-Package", ""}, {"Info-Package", "a/b"}, {"Info-Package", "a, b"},
	{"Subscription-State", ";expires=1"}, {"Session-Expires", "x"}, {"Session-Expires", "99999999999"}, {"Session-Expires", "90;refresher=me"}, {"Replaces", "a@b;to-tag=1"},
	{"Replaces", ";to-tag=1;from-tag=2"}, {"Join", "a b;to-tag=1;from-tag=2"}, {"Target-Dialog", "a;local-tag=1"}, {"Reason", "SIP;cause=x"}, {"Reason", "SIP;cause=9999"}, {"Reason", `SIP;text="x`},
	{"Warning", "1812 overture \"In Progress\""}, {"Warning", "307 isi.edu"}, {"Warning", `000 a "b"`}, {"Warning", `307 isi.edu "x`}, {"Retry-After", "949302838503028349304023988"}, {"Retry-After", "soon"},
	{"Retry-After", "1 (a"}, {"Timestamp", "x"}, {"Timestamp", "1 x"}, {"Timestamp", "1.x"}, {"Content-Type", "text"}, {"Content-Type", "/plain"}, {"Content-Type", "a/b c"},
	{"Content-Disposition", ""}, {"History-Info", "<sip:a@b>"}, {"History-Info", "<sip:a@b>;index=1..2"}, {"Diversion", ""}, {"Identity", "a.b.c"}, {"Identity", "a.b;info=<x>"},
	{"Session-ID", "abc"}, {"Session-ID", "zz30317f1a784dc48ff824d0d3715d86"}, {"Date", "Fri, 01 Jan 2010 16:00:00 EST"}, {"Date", ""}, {"WWW-Authenticate", ""},
	{"WWW-Authenticate", `Digest realm="x`}, {"Authorization", `Digest username="bob"`},
}

func TestStructured(t *testing.T) {
	for _, c := range goodHeaders {
		if c.out == "" {
			c.out = c.in
		}
		got, err := structured[c.header](c.in)
		if err != nil || got != c.out {
			t.Errorf("%s: %s\ngives %s\nwant  %s, %v", c.header, c.in, got, c.out, err)
		}
		if again, err := structured[c.header](got); err != nil || again != got {
			t.Errorf("%s: %s\nthen  %s, %v", c.header, got, again, err)
		}
		for n := range len(c.in) {
			_, _ = structured[c.header](c.in[:n])
		}
	}
	for _, c := range badHeaders {
		got, err := structured[c.header](c.in)
		if _, ok := err.(*ParseError); !ok {
			t.Errorf("%s: %s gives %s, error %v", c.header, c.in, got, err)
		}
	}
}

func TestHeaderParts(t *testing.T) {
	contact, _ := ParseAddress(`<sip:a@192.0.2.1;ob;gr=urn:uuid:1>;q=0.25;expires=99999999999;reg-id=2;+sip.instance="<urn:uuid:1>";audio;pub-gruu="sip:a@b;gr=x";methods="INVITE,BYE"`)
	q, _ := contact.Q()
	expires, _ := contact.Expires()
	id, _ := contact.RegID()
	gruu, _ := contact.PublicGRUU()
	_, temporary := contact.TemporaryGRUU()
	gr, _ := contact.URI.GRUU()
	state, _ := ParseSubscriptionState("terminated;reason=probation;retry-after=10")
	after, _ := state.RetryAfter()
	_, lasts := state.Expires()
	retry, _ := ParseRetryAfter("120 (in a meeting);duration=60")
	history, _ := ParseHistoryEntry("<sip:a@b?Reason=SIP%3Bcause%3D302>;index=1.1")
	diversion, _ := ParseDiversion(`"A" <sip:a@b>`)
	event, _ := ParseEventPackage("dialog;id=3")
	refer := MustParseURI("sip:b@c?Replaces=x%40y%3Bto-tag%3D1%3Bfrom-tag%3D2&a=b%20c")
	replaces, _ := refer.Header("replaces")
	for _, c := range []struct {
		what      string
		got, want any
	}{
		{"q", q, uint16(250)}, {"expires", expires, time.Duration(1<<32-1) * time.Second}, {"reg-id", id, uint32(2)}, {"instance", contact.Instance(), "urn:uuid:1"},
		{"gruu", gruu.String(), "sip:a@b;gr=x"}, {"temp-gruu", temporary, false}, {"gr", gr, "urn:uuid:1"}, {"ob", contact.URI.Outbound(), true},
		{"terminated", state.Terminated(), true}, {"reason", state.Reason(), "probation"}, {"retry-after", after, 10 * time.Second}, {"lasts", lasts, false},
		{"comment", retry.Comment, "in a meeting"}, {"duration", retry.Duration, time.Minute}, {"history reason", history.Reason, "SIP;cause=302"},
		{"diversion", diversion.Reason, "unknown"}, {"counter", diversion.Counter, uint32(1)}, {"event id", event.ID(), "3"},
		{"replaces", replaces, "x@y;to-tag=1;from-tag=2"},
	} {
		if c.got != c.want {
			t.Errorf("%s is %v, want %v", c.what, c.got, c.want)
		}
	}
}

func TestQuality(t *testing.T) {
	for in, want := range map[string]int{"": 1000, ";q=1": 1000, ";q=0": 0, ";q=0.5": 500, ";q=.5": 500, ";q=0.123": 123, ";q=1.000": 1000, ";q=1.1": -1, ";q=2": -1, ";q=0.1234": -1, ";q=x": -1, ";q": -1, ";q=.": -1} {
		q, ok := quality(Params(in))
		if want < 0 && (ok || q != 1000) || want >= 0 && (int(q) != want || !ok) {
			t.Errorf("%q is %d, %v", in, q, ok)
		}
	}
}

func TestAccepts(t *testing.T) {
	for _, c := range []struct {
		accept, kind string
		want         bool
	}{
		{"none", "application/sdp", true}, {"none", "text/plain", false}, {"", "application/sdp", false}, {"application/sdp, text/html", "text/html", true},
		{"text/nobodyKnowsThis", "application/sdp", false}, {"*/*", "a/b", true}, {"text/*;q=0.1, text/html;q=0", "text/html", false}, {"text/*;q=0.1, text/html;q=0", "text/plain", true},
	} {
		r := NewRequest(MethodInvite, URI{})
		if c.accept != "none" {
			r.Set(HeaderAccept, c.accept)
		}
		if r.Accepts(c.kind) != c.want {
			t.Errorf("Accept %q takes %s: %v", c.accept, c.kind, !c.want)
		}
	}
}

func TestPrivacyAndRefer(t *testing.T) {
	r := NewRequest(MethodRefer, MustParseURI("sip:a@b"))
	if !r.ReferSub() || r.HasPrivacy("id") {
		t.Error("defaults")
	}
	r.Add(HeaderPrivacy, "Header; user")
	r.Add(HeaderPrivacy, "id,critical")
	r.Set(HeaderReferSub, "false ;x")
	r.Set(HeaderReferTo, "<sip:c@d;method=BYE>")
	r.Set(HeaderReferredBy, "sip:e@f")
	if got := slices.Collect(r.Privacy()); !slices.Equal(got, []string{"header", "user", "id", "critical"}) || !r.HasPrivacy("ID") {
		t.Errorf("Privacy %v", got)
	}
	to, err := r.ReferTo()
	by, ok := r.ReferredBy()
	if r.ReferSub() || err != nil || to.URI.Host != "d" || !ok || by.URI.Host != "f" {
		t.Errorf("%v %v %v %v", to, err, by, ok)
	}
}

// RFC 6086 §7: parameters do not make another package.
func TestSameInfoPackage(t *testing.T) {
	p, err := ParseInfoPackage("Conference;x=y")
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]bool{"conference": true, "CONFERENCE ;z": true, "dtmf": false, "conference2": false} {
		q, err := ParseInfoPackage(value)
		if err != nil || p.Same(q) != want {
			t.Errorf("%q: %t, %v", value, p.Same(q), err)
		}
	}
}
