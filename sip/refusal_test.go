package sip

import "testing"

func TestRefuseTo(t *testing.T) {
	const via = "Via: SIP/2.0/UDP h;branch=z9hG4bKa\r\n"
	const rest = "Call-ID: 1@h\r\nCSeq: 7 INVITE\r\n"
	const from, to = "From: <sip:a@h>;tag=1\r\n", "To: <sip:b@h>\r\n"
	for _, c := range []struct{ name, head, want string }{
		{"nothing wrong", via + from + to + rest, via + from + to + rest},
		{"quote never closed, RFC 4475 §3.1.2.6", via + from + "To: \"Mr. J. User <sip:b@h>;tag=x\r\n" + rest, via + from + "To: <sip:b@h>;tag=x\r\n" + rest},
		{"blanks in brackets, RFC 4475 §3.1.2.14", via + from + "To: \"b\" < sip:b@h >\r\n" + rest, via + from + to + rest},
		{"display name with comma, RFC 4475 §3.1.2.15", via + "From: Bell, A <sip:a@h>;tag=1;;x=\"\r\n" + to + rest, via + from + to + rest},
		{"no address", via + "From: \x01\r\nTo: <<>\r\n" + rest, via + rest},
		{"CSeq too large, RFC 4475 §3.1.2.4", via + from + to + "Call-ID: 1@h\r\nCSeq: 36893488147419103232 INVITE\r\n", via + from + to + "Call-ID: 1@h\r\n"},
		{"two of each, RFC 4475 §3.3.8", via + from + to + to + from + rest + rest, via + from + to + rest},
		{"Call-ID with a blank", via + from + to + "Call-ID: 1 2\r\nCSeq: 7 INVITE\r\n", via + from + to + "CSeq: 7 INVITE\r\n"},
		{"second Via broken", via + "Via: nonsense, SIP/2.0/TCP g\r\n" + from + to + rest, via + "Via: SIP/2.0/TCP g\r\n" + from + to + rest},
	} {
		// What is wrong may be found by Parse or by Validate; the answer is the same.
		req, _ := ParseRequest([]byte("INVITE sip:b@h SIP/2.0\r\n" + c.head + "\r\n"))
		var res Response
		res.RefuseTo(req, StatusBadRequest)
		if got, want := res.String(), "SIP/2.0 400 Bad Request\r\n"+c.want+"Content-Length: 0\r\n\r\n"; got != want {
			t.Errorf("%s:\n%q\n%q", c.name, got, want)
		}
	}
}

func TestMendVia(t *testing.T) {
	for in, want := range map[string]string{
		"SIP/2.0/UDP 192.0.2.15;;,;,,":                      "SIP/2.0/UDP 192.0.2.15",        // RFC 4475 §3.1.2.1
		"SIP/7.0/UDP h;branch=z9hG4bKx":                     "SIP/2.0/UDP h;branch=z9hG4bKx", // RFC 4475 §3.1.2.16
		"SIP / 3.0 / TCP h:5061 ;a=\"; branch=z9hG4bKx ; =": "SIP/2.0/TCP h:5061;branch=z9hG4bKx",
		"HTTP/2.0/TCP h":                                    "",
		"SIP/2.0/UDP h:99999":                               "",
		"SIP/2.0":                                           "",
		"":                                                  "",
	} {
		v, ok := MendVia(in)
		if ok != (want != "") || ok && v.String() != want {
			t.Errorf("%q: %q %v, want %q", in, v, ok, want)
		}
	}
}

// A NUL behind a backslash is text of a quoted string and passes; any other ends it. RFC 3261 §25.1; RFC 4475 §3.1.1.2.
func TestNUL(t *testing.T) {
	const display = "\"a\\\x00b\\\\\""
	req := mustRequest(t, "OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: "+display+" <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\r\n")
	if err := req.Validate(); err != nil {
		t.Fatal(err)
	}
	if from, err := req.Reply(StatusOK).From(); err != nil || from.Display != display || from.String() != display+" <sip:a@h>;tag=1" {
		t.Errorf("%q %v", from, err)
	}
	for _, bare := range []string{"\"a\x00b\" <sip:a@h>", "\"a\\\\\x00b\" <sip:a@h>", "a\x00 <sip:a@h>", "<sip:a\x00@h>", "<sip:a@h>;x=\"\x00\""} {
		if _, err := ParseAddress(bare); err == nil {
			t.Errorf("%q is taken", bare)
		}
	}
	req.Set(HeaderSubject, "a\x00\r\nEvil: 1")
	if got := req.Get(HeaderSubject); got != "a" {
		t.Errorf("%q", got)
	}
}
