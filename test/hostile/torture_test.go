// Every torture message, sent as one datagram to the whole server. RFC 4475; RFC 5118.

package hostile

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// tormented is a line of sip/testdata/index.json.
type tormented struct {
	File    string   `json:"file"`
	Section string   `json:"section"`
	RFC     string   `json:"rfc"`
	Kind    string   `json:"kind"`
	Verdict string   `json:"verdict"`
	Expect  []string `json:"expect"`
}

func index(t *testing.T) []tormented {
	t.Helper()
	var all []tormented
	if err := json.Unmarshal(torture(t, "index.json"), &all); err != nil {
		t.Fatal(err)
	}
	if len(all) != 62 {
		t.Fatalf("%d torture messages, want 62", len(all))
	}
	for i := range all {
		// The archive of RFC 5118 has other line ends and lengths than a wire; the same messages put right lie beside it.
		all[i].File = strings.Replace(all[i].File, "rfc5118/", "rfc5118-wire/", 1)
	}
	return all
}

// localize does what a live run must: the answer comes to this socket, and the server is the one asked. Nothing else changes.
func localize(message []byte, sentBy string) []byte {
	head, body, _ := bytes.Cut(message, []byte("\r\n\r\n"))
	via := regexp.MustCompile(`(?i)(\r\n(?:via|v)[ \t]*:\s*SIP\s*/\s*[27]\.0\s*/\s*[^\s]+\s+)([^\s;,]+)`)
	if at := via.FindSubmatchIndex(head); at != nil {
		head = slices.Concat(head[:at[4]], []byte(sentBy), head[at[5]:])
	}
	line, fields, _ := bytes.Cut(head, []byte("\r\n"))
	// Neither the address without brackets of RFC 5118 §4.2 nor a scheme that is not ours has a host to replace.
	domain := regexp.MustCompile(`(?i)(sips?:(?:[^@ ]*@)?)(\[[^\]]*\]|[a-z][a-z0-9.-]*|[0-9]+(?:\.[0-9]+){3})`)
	line = domain.ReplaceAll(line, []byte("${1}example.org"))
	if bytes.HasPrefix(line, []byte("REGISTER")) {
		to := regexp.MustCompile(`(?i)\r\n(?:to|t)[ \t]*:[^\r]*`)
		fields = to.ReplaceAllFunc(slices.Concat([]byte("\r\n"), fields), func(b []byte) []byte {
			return domain.ReplaceAll(b, []byte("${1}example.org"))
		})[2:]
	}
	if !bytes.Contains(message, []byte("\r\n\r\n")) {
		return slices.Concat(line, []byte("\r\n"), fields)
	}
	return slices.Concat(line, []byte("\r\n"), fields, []byte("\r\n\r\n"), body)
}

// in reports whether a response is among what the index expects.
func in(expect []string, res *sip.Response) bool {
	if res == nil {
		return slices.Contains(expect, "drop") || slices.Contains(expect, "response")
	}
	return slices.Contains(expect, strconv.Itoa(int(res.Status))) || slices.Contains(expect, "ok") && res.Status != sip.StatusBadRequest && res.Status != sip.StatusServerInternalError
}

// carried names what an answer must hold beside its status.
func carried(file string) string {
	return map[string]string{
		"rfc4475/intmeth.dat":  `To: "BEL:\` + "\a NUL:\\\x00 DEL:\\\x7f", // RFC 4475 §3.1.1.2
		"rfc4475/badinv01.dat": "Via: SIP/2.0/UDP 127.0.0.1:",
		"rfc4475/bext01.dat":   "\nUnsupported: nothingSupportsThis, nothingSupportsThisEither\r", // RFC 4475 §3.3.5
		"rfc4475/invut.dat":    "\nAccept: application/sdp\r",                                     // RFC 4475 §3.3.6
		"rfc4475/cparam01.dat": "<sip:+19725552222@gw1.example.net>;unknownparam",                 // RFC 4475 §3.3.12
		"rfc4475/cparam02.dat": "<sip:+19725552222@gw1.example.net;unknownparam>",                 // RFC 4475 §3.3.13
		"rfc4475/regescrt.dat": "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>",          // RFC 4475 §3.3.14
	}[file]
}

// acknowledge ends the repetition of a refusal of an INVITE. RFC 3261 §17.1.1.3.
func (a *attacker) acknowledge(datagram []byte, res *sip.Response) {
	a.t.Helper()
	req, err := sip.ParseRequest(bytes.Clone(datagram))
	if err != nil || req.Method != sip.MethodInvite || res == nil {
		return
	}
	via, err := req.Via()
	cseq, err2 := req.CSeq()
	if err != nil || err2 != nil {
		return
	}
	ack := sip.NewRequest(sip.MethodAck, req.URI)
	ack.Set(sip.HeaderVia, via.String())
	for _, h := range []sip.Header{sip.HeaderFrom, sip.HeaderCallID} {
		ack.Set(h, req.Get(h))
	}
	ack.Set(sip.HeaderTo, res.Get(sip.HeaderTo))
	ack.Set(sip.HeaderCSeq, sip.CSeq{Number: cseq.Number, Method: sip.MethodAck}.String())
	if got := a.ask([]byte(ack.String())); len(got) > 0 {
		a.t.Errorf("an ACK is answered: %v", got)
	}
}

// forget removes the bindings that a torture message has made: nobody is to be called at their example addresses.
func (a *attacker) forget() {
	for _, u := range []string{"user", "j.user", "watson"} {
		uri := "sip:" + u + "@example.org"
		a.ask([]byte(request("REGISTER", "sip:example.org", "UDP x", "To: <"+uri+">", "Contact: *", "Expires: 0")))
	}
}

// TestTorture: a server that knows its source says what RFC 4475 and RFC 5118 ask for.
func TestTorture(t *testing.T) {
	h := trusting(t)
	for _, c := range index(t) {
		t.Run(c.File, func(t *testing.T) {
			a := h.attacker()
			a.t = t
			datagram := localize(torture(t, c.File), a.conn.LocalAddr().String())
			res := final(t, a.ask(datagram))
			switch c.File {
			case "rfc4475/escnull.dat":
				// RFC 4475 §3.1.1.4 is for a registrar that has such an account; here no name of one can hold a NUL.
				c.Expect = []string{"404"}
			case "rfc4475/test.dat":
				c.Expect = []string{"drop"} // its first line does not say that it is SIP
			}
			if !in(c.Expect, res) {
				t.Errorf("%s §%s: %v, want %v\n%s", c.RFC, c.Section, res, c.Expect, datagram)
			}
			if part := carried(c.File); res == nil && part != "" || res != nil && !strings.Contains(res.String(), part) {
				t.Errorf("%s §%s: no %q in\n%v", c.RFC, c.Section, part, res)
			}
			a.acknowledge(datagram, res)
			a.forget()
		})
	}
	h.audit()
}

// TestTortureOfStranger: the same messages from a source that has proved nothing. What is malformed is refused as before, the rest may be challenged.
func TestTortureOfStranger(t *testing.T) {
	h := strict(t)
	for _, c := range index(t) {
		a := h.attacker()
		datagram := localize(torture(t, c.File), a.conn.LocalAddr().String())
		replies := a.ask(datagram)
		if len(replies) > 1 {
			t.Errorf("%s: answered %v", c.File, replies)
		}
		if res := final(t, replies); !in(append(c.Expect, "401", "404"), res) && c.File != "rfc4475/test.dat" {
			t.Errorf("%s: %v, want %v or a challenge", c.File, res, c.Expect)
		}
	}
	if n := h.count("sipwerk_transactions"); n != 0 {
		t.Errorf("%d transactions were made for a stranger", n)
	}
	h.audit()
}
