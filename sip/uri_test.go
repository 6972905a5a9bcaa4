// URIs: what is taken, what is refused, when two are the same. RFC 3261 §19.1; RFC 3966.

package sip

import (
	"strings"
	"testing"
)

// goodURIs are read and printed unchanged; they seed the fuzzer.
var goodURIs = []string{
	"tel:0;eXt=%00",
	"sip:alice@example.org", "sips:alice:secret@example.org:5061;transport=tcp;lr?Subject=x&Priority=urgent",
	"sip:example.org", "sip:[2001:db8::1]:5060", "sip:a@[2001:db8::10:5070]", "sip:192.0.2.1;lr", "sip:+4930;ext=1@gw.example.org;user=phone",
	"sip:sips%3Auser%40example.com@example.net", "sip:user;par=u%40example.net@example.com", "sip:%00@example.org",
	"tel:+49-30-1234;ext=5", "tel:7042;phone-context=example.com", "mailto:a@b", "urn:service:sos", "soap.beep://192.0.2.103:3002",
	"sip:df7jal23ls0d.invalid;transport=ws", "sip:a@my_host",
}

var badURIs = []string{
	"", ":", "sip", "sip:", "sip:@host", "sip:a@", "sip:a@b@c", "sip:a b@c", "<sip:a@b>", "sip:a@b;", "sip:a@b;;lr", "sip:a@b;lr;", "sip:a@b;=x",
	"sip:a@b:", "sip:a@b:0", "sip:a@b:65536", "sip:a@b:99999999999999999999", "sip:a@b:5060x", "sip:2001:db8::10", "sip:a@[2001:db8::1", "sip:a@[fe80::1%25eth0]",
	"sip:a@[192.0.2.1]", "sip:a@[2001:db8:::192.0.2.1]", "sip:a%zz@b", "sip:a%4@b", "sip:a\"b@c", "sip:a@b?", "sip:a@b; lr", "sip:a\r\n@b", "sip:a@b\x00", "tel:", "tel:-.", "tel:abcx", "1a:b", "a b:c", "http:",
}

func TestURI(t *testing.T) {
	for _, s := range goodURIs {
		u, err := ParseURI(s)
		if err != nil || u.String() != s {
			t.Errorf("%q gives %q, %v", s, u, err)
		}
		if c := u.Clone(); c != u {
			t.Errorf("clone of %q is %q", s, c)
		}
	}
	for _, s := range append(badURIs, "sip:a@b"+strings.Repeat(";x", 65), "sip:a@b?x=y"+strings.Repeat("&x=y", 65)) {
		if u, err := ParseURI(s); err == nil {
			t.Errorf("%q gives %+v", s, u)
		}
	}
}

func TestURIParts(t *testing.T) {
	u := MustParseURI("SIPS:al%69ce:pw@Example.ORG:5061;Transport=TCP;%6C%72;n%61me=v%61lue%25%34%31?a=b")
	name, _ := u.Param("name")
	for _, c := range []struct{ what, got, want string }{
		{"scheme", u.Scheme, "sips"}, {"user", u.User, "al%69ce:pw"}, {"name", u.UserName(), "alice"}, {"host", u.Host, "Example.ORG"},
		{"transport", u.Transport(), "tcp"}, {"decoded once", name, "value%41"}, {"headers", u.Headers, "a=b"},
		{"AOR", u.AOR(), "sips:alice@example.org"},
		{"phone", MustParseURI("sip:+4930;ext=1@gw;user=phone").UserName(), "+4930"},
		{"semicolon", MustParseURI("sip:user;par=u%40example.net@example.com").UserName(), "user;par=u@example.net"},
		{"colon", MustParseURI("sip:sips%3Auser%40example.com@example.net").UserName(), "sips:user@example.com"},
		{"hash", MustParseURI("sip:*21#@example.net").String(), "sip:*21%23@example.net"},
		{"built", URI{Scheme: "sip", User: "a b\r\n", Host: "h\r\nEvil: 1", Params: "lr"}.String(), "sip:a%20b%0D%0A@h;lr"},
		{"escape", EscapeUser("a:b;c@d#?%"), "a%3Ab%3Bc%40d%23%3F%25"},
	} {
		if c.got != c.want {
			t.Errorf("%s = %q, want %q", c.what, c.got, c.want)
		}
	}
	if !u.Loose() || u.Port != 5061 {
		t.Errorf("%+v", u)
	}
}

// The pairs of RFC 3261 §19.1.4 and RFC 3966 §4, and a few of our own.
func TestURIEqual(t *testing.T) {
	cases := []struct {
		a, b string
		want bool
	}{
		{"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true},
		{"sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true},
		{"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com", "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com", true},
		{"sip:alice@atlanta.com?subject=project%20x&priority=urgent", "sip:alice@atlanta.com?priority=urgent&subject=project%20x", true},
		{"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false},
		{"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false},
		{"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting", false},
		{"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false},
		{"sip:carol@chicago.com;security=off", "sip:carol@chicago.com;security=on", false},
		{"sip:a@b", "sips:a@b", false},
		{"sip:a%3Bb@c", "sip:a;b@c", false},
		{"sip:%00@c", "sip:%00%00@c", false},
		{"tel:+1-201-555-0123", "tel:+12015550123", true},
		{"tel:7042;phone-context=example.com;ext=1", "tel:7042;ext=1;phone-context=EXAMPLE.com", true},
		{"tel:7042;phone-context=example.com", "tel:7042", false},
		{"mailto:a@b", "MAILTO:a@b", true},
		{"sip:b;t;t=0", "sip:b;t;t=0", true},
	}
	for _, c := range cases {
		a, b := MustParseURI(c.a), MustParseURI(c.b)
		if a.Equal(b) != c.want || b.Equal(a) != c.want {
			t.Errorf("%s and %s: equal is %v", a, b, !c.want)
		}
	}
	if got := MustParseURI("tel:0;eXt=%00").AOR(); got != "tel:0;ext=%00" { // what a parameter may not hold stays escaped
		t.Errorf("AOR of a tel URI is %q", got)
	}
	if a, b := MustParseURI("sip:%00@c").AOR(), MustParseURI("sip:%00%00@c").AOR(); a == b {
		t.Errorf("both are %q", a)
	}
}

func TestAddress(t *testing.T) {
	good := []struct{ in, out, name string }{
		{"sip:a@b", "<sip:a@b>", ""},
		{"sip:a@b;tag=1", "<sip:a@b>;tag=1", ""},
		{" sip:a@b ;  tag  = 1", "<sip:a@b> ;  tag  = 1", ""},
		{"<sip:a@b;lr>;tag=1", "<sip:a@b;lr>;tag=1", ""},
		{"caller<sip:a@b>", "caller <sip:a@b>", "caller"},
		{`"A \"B\" <c>, d" <sip:a@b>;x="1;2";y`, `"A \"B\" <c>, d" <sip:a@b>;x="1;2";y`, `A "B" <c>, d`},
		{"Jörg (Büro) <sip:a@b>", `"Jörg (Büro)" <sip:a@b>`, "Jörg (Büro)"},
		{"isbn:2983792873", "<isbn:2983792873>", ""},
		{"<sip:a@b?Route=%3Csip:x%3E>", "<sip:a@b?Route=%3Csip:x%3E>", ""},
	}
	for _, c := range good {
		a, err := ParseAddress(c.in)
		if err != nil || a.String() != c.out || a.Name() != c.name {
			t.Errorf("%q gives %q (%q), %v", c.in, a, a.Name(), err)
		}
	}
	for _, s := range []string{
		"", "*", `"open <sip:a@b>`, `"a" sip:a@b`, "<sip:a@b", "< sip:a@b >", "Bell, A <sip:a@b>", "a;b <sip:a@b>", "sip:a@b?x=y", "<sip:a@b>;", "<sip:a@b>;;x",
		"<sip:a@b>;=1", "<sip:a@b>;x=", `<sip:a@b>;x="1`, "<sip:a@b> x", "<>", "sip:a@b, sip:c@d",
	} {
		if a, err := ParseAddress(s); err == nil {
			t.Errorf("%q gives %+v", s, a)
		}
	}
	a := Address{Display: "Evil\r\nX: y", URI: MustParseURI("sip:a@b"), Params: ";x\r\nY: z"}
	if got := a.WithTag("q\r\n").String(); got != `"Evil" <sip:a@b>;x` && got != `"Evil" <sip:a@b>` {
		t.Errorf("%q", got)
	}
	if Quote(`a"\`) != `"a\"\\"` || Quote("") != "" {
		t.Error("Quote")
	}
}

func TestParams(t *testing.T) {
	p := Params(`;a=1; B = "x;\"y\"" ;c;d=`)
	if v, ok := p.Lookup("b"); v != `x;"y"` || !ok {
		t.Errorf("b = %q", v)
	}
	for _, c := range []struct{ got, want Params }{
		{p.With("a", "2"), `;a=2;B="x;\"y\"";c;d`},
		{p.With("e", ""), `;a=1;B="x;\"y\"";c;d;e`},
		{p.With("C", "u v"), `;a=1;B="x;\"y\"";C="u v";d`},
		{p.Without("b"), `;a=1;c;d`},
		{p.Without("z"), p},
		{Params("").With("tag", "x\r\nEvil"), ";tag=x"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	if p.Has("x") || !p.Has("d") {
		t.Error("Has")
	}
}

func TestVia(t *testing.T) {
	v, err := ParseVia("SIP  /   2.0 /UDP    [2001:db8::9:1] : 5070 ; received=[2001:db8::9:255];rport=99;branch=z9hG4bK1")
	port, present := v.RPort()
	if err != nil || v.Host != "[2001:db8::9:1]" || v.Port != 5070 || v.Transport != "UDP" || port != 99 || !present || v.Branch() != "z9hG4bK1" {
		t.Errorf("%+v, %v", v, err)
	}
	w, err := ParseVia("SIP/2.0/UDP h;received=2001:db8::9:255")
	if err != nil || w.Received() != v.Received() || !w.Received().IsValid() {
		t.Errorf("received %v and %v, %v", w.Received(), v.Received(), err)
	}
	for _, s := range []string{
		"", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/1.0/UDP h", "HTTP/2.0/UDP h", "SIP/2.0/UDPh", "SIP/2.0/UDP h:0", "SIP/2.0/UDP h:65536", "SIP/2.0/UDP h;", "SIP/2.0/UDP h;;x",
		"SIP/2.0/UDP h:", "SIP/2.0/UDP [::1", "SIP/2.0/UDP h x", "SIP/2.0//UDP h", "SIP/2.0/UDP h;b=\"x",
	} {
		if v, err := ParseVia(s); err == nil {
			t.Errorf("%q gives %+v", s, v)
		}
	}
}
