// The torture messages of RFC 4475 and RFC 5118: the verdict of testdata/index.json for each, and what the RFCs remark on some.

package sip

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

type tortured struct {
	File    string   `json:"file"`
	Kind    string   `json:"kind"`
	Verdict string   `json:"verdict"`
	Expect  []string `json:"expect"`
}

func torture(t testing.TB) []tortured {
	t.Helper()
	raw, err := os.ReadFile("testdata/index.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []tortured
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func tortureFile(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func tortureRequest(t *testing.T, name string) *Request {
	t.Helper()
	return mustRequest(t, string(tortureFile(t, name)))
}

// judge parses and validates one message.
func judge(raw []byte) error {
	if IsResponse(raw) {
		r, err := ParseResponse(raw)
		if err != nil {
			return err
		}
		return r.Validate()
	}
	r, err := ParseRequest(raw)
	if err != nil {
		return err
	}
	return r.Validate()
}

func TestTorture(t *testing.T) {
	seen := 0
	for _, c := range torture(t) {
		// The archive of RFC 5118 has other line ends and lengths than a wire; the same messages put right lie beside it.
		name := strings.Replace(c.File, "rfc5118/", "rfc5118-wire/", 1)
		t.Run(name, func(t *testing.T) {
			raw := tortureFile(t, name)
			if IsResponse(raw) != (c.Kind == "response") {
				t.Fatalf("not seen as a %s", c.Kind)
			}
			err := judge(raw)
			status := strconv.Itoa(int(StatusOf(err)))
			switch {
			case c.Verdict == "valid" && err != nil:
				t.Errorf("refused: %v", err)
			case (c.Verdict == "invalid" || c.Verdict == "drop") && err == nil:
				t.Error("taken")
			case c.Verdict == "invalid" && !slices.Contains(c.Expect, status):
				t.Errorf("%v: want %v", err, c.Expect)
			case c.Verdict == "invalid-lenient" && err != nil && !slices.Contains(c.Expect, status):
				t.Errorf("%v: want %v", err, c.Expect)
			}
		})
		seen++
	}
	if seen != 62 {
		t.Errorf("%d messages, want 62", seen)
	}
}

// What is taken goes out well formed and is taken again, as the same message.
func TestTortureSentOn(t *testing.T) {
	for _, c := range torture(t) {
		name := strings.Replace(c.File, "rfc5118/", "rfc5118-wire/", 1)
		r, err := ParseRequest(tortureFile(t, name))
		if c.Kind != "request" || err != nil || r.Validate() != nil {
			continue
		}
		first := r.String()
		again := mustRequest(t, first)
		if err := again.Validate(); err != nil || again.String() != first {
			t.Errorf("%s: %v\n%q\n%q", name, err, first, again)
		}
		if string(again.Body()) != string(r.Body()) {
			t.Errorf("%s: body changed", name)
		}
		if clone := r.Clone(); clone.String() != first {
			t.Errorf("%s: clone differs", name)
		}
	}
}

// Every truncated torture message is refused or taken, and a Reply can always be made.
func TestTortureTruncated(t *testing.T) {
	for _, dir := range []string{"rfc4475", "rfc5118", "rfc5118-wire"} {
		names, err := filepath.Glob("testdata/" + dir + "/*.dat")
		if err != nil || len(names) < 12 {
			t.Fatalf("%v, %d files", err, len(names))
		}
		for _, name := range names {
			raw := tortureFile(t, strings.TrimPrefix(name, "testdata/"))
			for n := range len(raw) + 1 {
				part := slices.Clone(raw[:n])
				err := judge(part)
				if r, parseErr := ParseRequest(part); parseErr != nil {
					_ = r.Reply(StatusOf(err)).String()
				}
			}
		}
	}
}

// The archive of RFC 5118 as it is: bare line ends, and lengths that do not fit. Nothing but the length is wrong, and what is taken goes out right.
func TestTortureBareLineEnds(t *testing.T) {
	r := tortureRequest(t, "rfc5118/ipv6-good.dat")
	if s := r.String(); strings.Count(s, "\r\n") != strings.Count(s, "\n") {
		t.Errorf("bare line ends sent on: %q", s)
	}
	for _, c := range torture(t) {
		if !strings.HasPrefix(c.File, "rfc5118/") || c.Verdict != "valid" {
			continue
		}
		var fault *ParseError
		if err := judge(tortureFile(t, c.File)); err != nil && (!errors.As(err, &fault) || fault.What != "Content-Length") {
			t.Errorf("%s: %v", c.File, err)
		}
	}
}

// What the RFCs say about single messages.
func TestTortureRemarks(t *testing.T) {
	esc01 := tortureRequest(t, "rfc4475/esc01.dat")
	to, _ := esc01.To()
	contact, _ := esc01.Contact()
	name, _ := contact.URI.Param("name")
	intmeth := tortureRequest(t, "rfc4475/intmeth.dat")
	intTo, _ := intmeth.To()
	wsinv := tortureRequest(t, "rfc4475/wsinv.dat")
	wsFrom, _ := wsinv.From()
	wsSeq, _ := wsinv.CSeq()
	wsForwards, _ := wsinv.Uint(HeaderMaxForwards)
	wsContact, _ := wsinv.Contact()
	cparam01, _ := tortureRequest(t, "rfc4475/cparam01.dat").Contact()
	cparam02, _ := tortureRequest(t, "rfc4475/cparam02.dat").Contact()
	regescrt, _ := tortureRequest(t, "rfc4475/regescrt.dat").Contact()
	escnull := tortureRequest(t, "rfc4475/escnull.dat")
	escTo, _ := escnull.To()
	lwsdisp, _ := tortureRequest(t, "rfc4475/lwsdisp.dat").From()
	for _, c := range []struct{ what, got, want string }{
		{"esc01: user, not a sips URI", esc01.URI.Scheme + " " + esc01.URI.UserName(), "sip sips:user@example.com"},
		{"esc01: To", to.URI.UserName(), "user"},
		{"esc01: AOR", to.URI.AOR(), "sip:user@example.com"},
		{"esc01: lr", strconv.FormatBool(contact.URI.Loose()), "true"},
		{"esc01: decoded once", name, "value%41"},
		{"esc02: method", string(tortureRequest(t, "rfc4475/esc02.dat").Method), "RE%47IST%45R"},
		{"esc02: contacts", strconv.Itoa(len(slices.Collect(tortureRequest(t, "rfc4475/esc02.dat").Values(HeaderContact)))), "2"},
		{"escnull: AOR", escTo.URI.AOR(), "sip:null-%00-null@example.com"},
		{"semiuri: user", tortureRequest(t, "rfc4475/semiuri.dat").URI.UserName(), "user;par=u@example.net"},
		{"semiuri: parameters", string(tortureRequest(t, "rfc4475/semiuri.dat").URI.Params), ""},
		{"escruri: no headers in the Request-URI", tortureRequest(t, "rfc4475/escruri.dat").URI.Headers, ""},
		{"escruri: not sent on", firstLine(tortureRequest(t, "rfc4475/escruri.dat")), "INVITE sip:user@example.com SIP/2.0"},
		{"lwsstart: single blanks", firstLine(tortureRequest(t, "rfc4475/lwsstart.dat")), "INVITE sip:user@example.com SIP/2.0"},
		{"trws: no blanks at the end", firstLine(tortureRequest(t, "rfc4475/trws.dat")), "OPTIONS sip:remote-target@example.com SIP/2.0"},
		{"dblreq: method", string(tortureRequest(t, "rfc4475/dblreq.dat").Method), "REGISTER"},
		{"dblreq: rest thrown away", strconv.FormatBool(strings.Contains(tortureRequest(t, "rfc4475/dblreq.dat").String(), "INVITE")), "false"},
		{"intmeth: NUL in a quoted string", intTo.Name(), "BEL:\a NUL:\x00 DEL:\x7f"},
		{"intmeth: user", intTo.URI.User, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"},
		{"wsinv: Via of the second field", slices.Collect(wsinv.Values(HeaderVia))[2], "SIP  /    2.0   / UDP  192.168.255.111   ; branch=   z9hG4bK30239"},
		{"wsinv: From", wsFrom.Name() + " " + wsFrom.Tag(), `J Rosenberg \" 98asjd8`},
		{"wsinv: To tag", wsinv.ToTag(), "1918181833n"},
		{"wsinv: CSeq", wsSeq.String(), "9 INVITE"},
		{"wsinv: Max-Forwards", strconv.Itoa(int(wsForwards)), "68"},
		{"wsinv: Contact", wsContact.Name() + wsContact.Params.Get("newparam") + wsContact.Params.Get("q"), `Quoted string ""newvalue0.33`},
		{"wsinv: unknown header unchanged", wsinv.GetName("unknownheaderwithunusualvalue"), ";;,,;;,;"},
		{"wsinv: Subject", strconv.FormatBool(wsinv.Has(HeaderSubject)), "true"},
		{"cparam01: header parameter", string(cparam01.Params + "|" + cparam01.URI.Params), ";unknownparam|"},
		{"cparam02: URI parameter", string(cparam02.Params + "|" + cparam02.URI.Params), "|;unknownparam"},
		{"regescrt: kept whole", regescrt.String(), "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"},
		{"lwsdisp: display name", lwsdisp.Display, "caller"},
		{"port-ambiguous", tortureRequest(t, "rfc5118-wire/port-ambiguous.dat").URI.Host + tortureRequest(t, "rfc5118-wire/port-ambiguous.dat").URI.AOR(), "[2001:db8::10:5070]sip:[2001:db8::10:5070]"},
		{"port-unambiguous", strconv.Itoa(int(tortureRequest(t, "rfc5118-wire/port-unambiguous.dat").URI.Port)), "5070"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
	var aors []string
	for a := range escnull.Addresses(HeaderContact) {
		aors = append(aors, a.URI.AOR())
	}
	if len(aors) != 2 || aors[0] == aors[1] {
		t.Errorf("escnull: contacts %q", aors)
	}
	long := tortureRequest(t, "rfc4475/longreq.dat")
	if n := len(slices.Collect(long.Values(HeaderVia))); n != 34 {
		t.Errorf("longreq: %d Via values", n)
	}
}

func firstLine(r *Request) string {
	s, _, _ := strings.Cut(r.String(), "\r\n")
	return s
}

// received with and without brackets is one address (RFC 5118 §4.5), and an unknown transport below the top is no fault (RFC 4475 §3.1.1.10).
func TestTortureVia(t *testing.T) {
	with, err1 := tortureRequest(t, "rfc5118-wire/via-received-param-with-delim.dat").Via()
	without, err2 := tortureRequest(t, "rfc5118-wire/via-received-param-no-delim.dat").Via()
	if err1 != nil || err2 != nil || with.Received() != without.Received() || with.Received().String() != "2001:db8::9:255" {
		t.Errorf("%v %v, %v %v", with.Received(), without.Received(), err1, err2)
	}
	var last Via
	for s := range tortureRequest(t, "rfc5118-wire/mult-ip-in-header.dat").Values(HeaderVia) {
		last, _ = ParseVia(s)
	}
	if last.Received().String() != "192.0.2.200" || last.Host != "[2001:db8::9:255]" {
		t.Errorf("%+v", last)
	}
	mapped, _ := tortureRequest(t, "rfc5118-wire/ipv4-mapped-ipv6.dat").Via()
	if mapped.Addr().String() != "192.0.2.10" {
		t.Errorf("mapped address %v", mapped.Addr())
	}
	var transports []string
	for s := range tortureRequest(t, "rfc4475/transports.dat").Values(HeaderVia) {
		v, err := ParseVia(s)
		if err != nil {
			t.Error(err)
		}
		transports = append(transports, v.Transport)
	}
	if got := strings.Join(transports, " "); got != "UDP SCTP TLS UNKNOWN TCP" {
		t.Errorf("transports %s", got)
	}
}

// On a stream a length that cannot be trusted ends the connection, and one that waits for more waits.
func TestTortureStream(t *testing.T) {
	for name, want := range map[string]Status{"ncl": StatusBadRequest, "mcl01": StatusBadRequest, "inv2543": StatusBadRequest, "clerr": 0, "esc01": 200, "mpart01": 200} {
		raw := tortureFile(t, "rfc4475/"+name+".dat")
		var f Framer
		n, err := f.Next(raw)
		switch {
		case want == 200 && (err != nil || n != len(raw)):
			t.Errorf("%s: %d of %d, %v", name, n, len(raw), err)
		case want == 0 && !errors.Is(err, ErrShort):
			t.Errorf("%s: %v", name, err)
		case want == StatusBadRequest && (errors.Is(err, ErrShort) || StatusOf(err) != want || n == 0):
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
}

// The registrations and requests for services name what they cannot have: the tags of a 420 (RFC 4475 §3.3.5).
func TestTortureUnsupported(t *testing.T) {
	r := tortureRequest(t, "rfc4475/bext01.dat")
	if got := r.Unsupported(HeaderRequire); !slices.Equal(got, []string{"nothingSupportsThis", "nothingSupportsThisEither"}) {
		t.Errorf("Require: %v", got)
	}
	if got := r.Unsupported(HeaderProxyRequire); !slices.Equal(got, []string{"noProxiesSupportThis", "norDoAnyProxiesSupportThis"}) {
		t.Errorf("Proxy-Require: %v", got)
	}
}
