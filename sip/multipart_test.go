// Bodies of several parts. RFC 5621; RFC 2046 §5.1.

package sip

import (
	"fmt"
	"strings"
	"testing"
)

// withBody returns a request whose body, with \n for line ends, is of a type.
func withBody(t testing.TB, contentType, body string) *Request {
	t.Helper()
	body = strings.ReplaceAll(body, "\n", "\r\n")
	r, err := ParseRequest([]byte("INVITE sip:b@example.org SIP/2.0\r\nContent-Type: " + contentType + "\r\nContent-Length: " + fmt.Sprint(len(body)) + "\r\n\r\n" + body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// bodies are multiparts and what is in them: type, disposition, "!" if required, "~" if referenced, "%" if encoded, the choice, and the bytes; an error last.
var bodies = []struct{ name, contentType, body, want string }{
	{"single", "application/sdp", "v=0\n", "application/sdp session! 0 v=0"},
	{"mixed", `multipart/mixed; boundary="b o"`,
		"preamble\n--b o\nContent-Type: application/sdp\n\nv=0\n\n--b o  \nContent-Type: application/x;a=b\nContent-Disposition: signal;handling=optional\n\none\n--b ox\n--b o--\nepilogue\n--b o\n",
		"application/sdp session! 0 v=0|application/x signal 0 one,--b ox"},
	{"no fields", "multipart/mixed;boundary=b", "--b\n\nhello\n--b--", "text/plain render! 0 hello"},
	{"empty part", "multipart/mixed;boundary=b", "--b\n--b--", "text/plain render! 0 "},
	{"folded field", "multipart/mixed;boundary=b", "--b\nContent-Type:\n application/sdp\n\nv=0\n--b--", "application/sdp session! 0 v=0"},
	{"alternative", "multipart/alternative;boundary=b",
		"--b\nContent-Type: application/sdp\nContent-Disposition: session;handling=optional\n\nv=0\n--b\nContent-Type: application/x\n\nx\n--b--",
		"application/sdp session! 1 v=0|application/x render! 1 x"},
	{"nested", "multipart/mixed;boundary=a",
		"--a\nContent-Type: multipart/alternative;boundary=b\nContent-Disposition: session;handling=optional\n\n--b\n\n1\n--b\n\n2\n--b--\n\n--a\n\n3\n--a--",
		"text/plain render 1 1|text/plain render 1 2|text/plain render! 0 3"},
	{"related", "multipart/related;boundary=b;start=\"<r>\"",
		"--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\n--b\nContent-Type: text/html\nContent-ID: <r>\n\n<html>\n--b--",
		"image/png render~% 0 AAAA|text/html render! 0 <html>"},
	{"related, first", "multipart/related;boundary=b", "--b\n\n1\n--b\n\n2\n--b--", "text/plain render! 0 1|text/plain render~ 0 2"},
	{"by reference", "multipart/mixed;boundary=b", "--b\nContent-Type: a/b\nContent-Disposition: by-reference\nContent-Encoding: gzip\n\n1\n--b--", "a/b by-reference~% 0 1"},
	{"no boundary", "multipart/mixed", "--b\n\n1\n--b--", "boundary expected"},
	{"long boundary", "multipart/mixed;boundary=" + strings.Repeat("b", 71), "", ""},
	{"not closed", "multipart/mixed;boundary=b", "--b\n\n1\n--b\n\n2", "text/plain render! 0 1|boundary is missing"},
	{"never opened", "multipart/mixed;boundary=b", "text", "boundary is missing"},
	{"bad type", "multipart/mixed;boundary=b", "--b\nContent-Type: x\n\n1\n--b--", "type/subtype expected"},
	{"bad disposition", "multipart/mixed;boundary=b", "--b\nContent-Disposition: ;\n\n1\n--b--", "value expected"},
	{"too deep", "multipart/mixed;boundary=b", "--b\nContent-Type: multipart/mixed;boundary=c\n\n--c\nContent-Type: multipart/mixed;boundary=d\n\n--d\n" +
		"Content-Type: multipart/mixed;boundary=e\n\n--e\nContent-Type: multipart/mixed;boundary=f\n\n--f\n\n1\n--f--\n--e--\n--d--\n--c--\n--b--", "too many multiparts in each other"},
	{"too many", "multipart/mixed;boundary=b", strings.Repeat("--b\n\n1\n", 17) + "--b--", strings.Repeat("text/plain render! 0 1|", 16) + "too many parts"},
}

func describeParts(m *Message) string {
	var all []string
	for p, err := range m.Parts() {
		if err != nil {
			all = append(all, err.(*ParseError).Reason)
			break
		}
		marks := ""
		for _, mark := range []struct {
			set  bool
			sign string
		}{{p.Required, "!"}, {p.Referenced, "~"}, {p.Encoded, "%"}} {
			if mark.set {
				marks += mark.sign
			}
		}
		body := strings.ReplaceAll(strings.Trim(string(p.Body), "\r\n"), "\r\n", ",")
		all = append(all, fmt.Sprintf("%s/%s %s%s %d %s", p.Type.Type, p.Type.Subtype, p.Disposition.Type, marks, p.Choice, body))
	}
	return strings.Join(all, "|")
}

// RFC 5621 §4.2, §5, §7.3, §8.2, §8.3, §9.4; RFC 2387 §3.2.
func TestParts(t *testing.T) {
	for _, c := range bodies {
		if got := describeParts(&withBody(t, c.contentType, c.body).Message); got != c.want {
			t.Errorf("%s: %q\nwant %q", c.name, got, c.want)
		}
	}
	if got := describeParts(new(Message)); got != "" {
		t.Errorf("no body: %q", got)
	}
}

// RFC 5621 §6.3: of alternatives the last that is understood.
func TestPart(t *testing.T) {
	const two = "--b\nContent-Type: application/sdp\n\nfirst\n--b\nContent-Type: Application/SDP\nContent-ID: <2@x>\n\nsecond\n--b\n\nthird\n--b--"
	for _, c := range []struct{ contentType, body, want string }{
		{"application/sdp", "v=0", "v=0"},
		{"text/plain", "v=0", ""},
		{"multipart/mixed;boundary=b", two, "first"},
		{"multipart/alternative;boundary=b", two, "second"},
		{"multipart/related;boundary=b", two, "first"},
		{`multipart/related;boundary=b;start="<2@x>"`, two, "second"},
		{"multipart/mixed;boundary=b", strings.TrimSuffix(two, "--"), ""},
		{"multipart/mixed;boundary=b", strings.ReplaceAll(two, "\n\nf", "\nContent-Encoding: gzip\n\nf"), "second"},
	} {
		p, ok := withBody(t, c.contentType, c.body).Part("application/sdp")
		if string(p.Body) != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %t", c.contentType, p.Body, ok)
		}
	}
}

// RFC 5621 §8.4: what has to be known and is not makes a 415.
func TestUnderstood(t *testing.T) {
	known := func(p Part) bool { return p.Type.Subtype == "sdp" }
	const sdp, isup = "--b\nContent-Type: application/sdp\n\nv=0\n", "--b\nContent-Type: application/isup\n\n1\n"
	optional := strings.Replace(isup, "\n\n", "\nContent-Disposition: signal;handling=optional\n\n", 1)
	for _, c := range []struct {
		contentType, body string
		want              bool
	}{
		{"application/sdp", "v=0", true},
		{"application/isup", "1", false},
		{"multipart/mixed;boundary=b", sdp + optional + "--b--", true},
		{"multipart/mixed;boundary=b", sdp + isup + "--b--", false},
		{"multipart/alternative;boundary=b", sdp + isup + "--b--", true},
		{"multipart/alternative;boundary=b", isup + isup + "--b--", false},
		{"multipart/related;boundary=b", sdp + isup + "--b--", true},
		{"multipart/related;boundary=b", isup + sdp + "--b--", false},
		{"multipart/mixed;boundary=b", sdp, false},
	} {
		if got := withBody(t, c.contentType, c.body).Understood(known); got != c.want {
			t.Errorf("%s %q: %t", c.contentType, c.body, got)
		}
	}
}

func FuzzParts(f *testing.F) {
	for _, c := range bodies {
		f.Add(c.contentType, c.body)
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		m := new(Message)
		m.SetBody(contentType, []byte(body))
		n := 0
		for p, err := range m.Parts() {
			if n++; err == nil && (len(p.Body) > len(body) || p.Type.Type == "multipart" || n > maxParts) {
				t.Fatalf("part %d: %+v", n, p)
			}
		}
		if p, ok := m.Part("application/sdp"); ok && p.Type.Subtype != "sdp" {
			t.Fatalf("%+v is no SDP", p)
		}
		m.Understood(func(p Part) bool { _ = p.Get("Content-ID"); return true })
	})
}
