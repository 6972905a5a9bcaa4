// Text that wants to become a header, or to break the other leg of a call. RFC 3261 §7.3.1, §25.1; RFC 3325 §5; RFC 4475 §3.1.2.15.

package hostile

import (
	"context"
	"crypto/rand"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// callee is a telephone that refuses every call, and passes on what it was sent.
func (h *house) callee() (invites <-chan []byte) {
	h.t.Helper()
	l := h.connect()
	ctx, cancel := context.WithCancel(h.t.Context())
	h.t.Cleanup(cancel)
	at := l.conn.LocalAddr().String()
	l.send(request("REGISTER", "sip:example.org", "TCP "+at, "To: <sip:bob@example.org>", "Contact: <sip:bob@"+at+";transport=tcp>"))
	if res := l.response(); res.Status != sip.StatusOK {
		h.t.Fatalf("REGISTER is answered %d", res.Status)
	}
	heard := make(chan []byte, 100)
	done := make(chan struct{})
	h.t.Cleanup(func() { l.conn.Close(); <-done })
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			b, err := l.next()
			if err != nil {
				return
			}
			req, err := sip.ParseRequest(slices.Clone(b))
			if err == nil && req.Method == sip.MethodInvite {
				if _, err := l.conn.Write([]byte(req.Reply(sip.StatusBusyHere).String())); err != nil {
					return
				}
				heard <- b
			}
		}
	}()
	return heard
}

// stranger is a caller at an address that is not trusted.
func (h *house) stranger() *attacker {
	h.t.Helper()
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)}, net.UDPAddrFromAddrPort(h.udp))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	return &attacker{t: h.t, conn: conn, heard: make(map[string]bool)}
}

// call has alice call bob, proving who she is, with these headers; it returns the INVITE that bob got, nil if the server refused it.
func (a *attacker) call(invites <-chan []byte, lines ...string) []byte {
	a.t.Helper()
	text := request("INVITE", "sip:bob@example.org", "UDP "+a.conn.LocalAddr().String(), append([]string{"Contact: <sip:alice@127.0.0.2>"}, lines...)...)
	res := final(a.t, a.ask([]byte(text)))
	if res == nil || res.Status != sip.StatusUnauthorized {
		return nil
	}
	req, err := sip.ParseRequest([]byte(text))
	if err != nil {
		a.t.Fatal(err)
	}
	c := &digest.Client{User: "alice", Password: "secret of alice", Host: "example.org", Realm: "example.org"}
	req, ok := c.Authorize(req, res)
	if !ok {
		a.t.Fatalf("no answer to %v", res)
	}
	// What is sent is the text as it was, and the proof.
	head, _, _ := strings.Cut(text, "Content-Length:")
	head = strings.Replace(head, "branch=z9hG4bK", "branch=z9hG4bK"+rand.Text(), 1)
	head = strings.Replace(head, "CSeq: 1 ", "CSeq: 2 ", 1)
	proof := []byte(head + "Authorization: " + req.Get(sip.HeaderAuthorization) + "\r\nContent-Length: 0\r\n\r\n")
	a.send(proof)
	for {
		if r := a.read(); r.Status.Final() {
			a.heard[r.Response.String()] = true
			a.acknowledge(proof, r.Response)
			if r.Status == sip.StatusForbidden { // that is not her name
				return nil
			}
			if r.Status != sip.StatusBusyHere {
				a.t.Errorf("%v: the call is refused with %d", lines, r.Status)
				return nil
			}
			return <-invites
		}
	}
}

// TestSmuggling: what a caller writes reaches the callee as what it is, well formed, or not at all.
func TestSmuggling(t *testing.T) {
	h := openWith(t, map[string]string{"trust": "127.0.0.1/32"}, unhurried)
	invites := h.callee()
	a := h.stranger()
	const tag = ";tag=1"
	for _, c := range []struct {
		lines   []string
		refused bool
		has     string
	}{
		{lines: []string{"From: Alice <sip:alice@example.org>" + tag}, has: "From: Alice <sip:alice@example.org>;tag="},
		{lines: []string{"From: \xc3\xa4 {}[]?!\xff <sip:alice@example.org>" + tag}, has: "From: \"\xc3\xa4 {}[]?!\xff\" <sip:alice@example.org>;tag="},
		{lines: []string{"From: \"a\\\x00\\\x07b\" <sip:alice@example.org>" + tag}, has: "From: \"a\\\x00\\\x07b\" <sip:alice@example.org>;tag="},
		{lines: []string{"From: Bell, Alexander <sip:alice@example.org>" + tag}, refused: true},
		{lines: []string{"From: \"open <sip:alice@example.org>" + tag}, refused: true},
		{lines: []string{"From: \"a\x00b\" <sip:alice@example.org>" + tag}, refused: true},
		{lines: []string{"From: \"\\\" <sip:alice@example.org>\" <sip:president@example.org>" + tag}, refused: true},
		{lines: []string{"From: <sip:alice@example.org>" + tag + ";x=\"%0d%0aEvil: 1\";y=<z>"}, has: "From: <sip:alice@example.org>;tag="},
		{lines: []string{"To: \"%0d%0aEvil: 1\" <sip:bob%0d%0aEvil:1@example.org;x=%0d%0aEvil>"}, has: "To: \"%0d%0aEvil: 1\" <sip:bob%0d%0aEvil:1@example.org;x=%0d%0aEvil>"},
		{lines: []string{"Subject: a%0d%0aEvil: 1"}, has: "Subject: a%0d%0aEvil: 1\r\n"},
		{lines: []string{"Subject: a\r\n Evil: 1"}, has: "Subject: a"},
		{lines: []string{"Subject: a\rEvil: 1"}, refused: true},
		{lines: []string{"P-Asserted-Identity: <sip:president@example.org>"}, refused: true},
		{lines: []string{"P-Asserted-Identity : <sip:president@example.org>"}, refused: true},
		{lines: []string{"Diversion: <sip:president@example.org>", "Remote-Party-ID: <sip:president@example.org>"}},
		{lines: []string{"Alert-Info \t : <http://president>", "Evil: 1"}},
	} {
		got := a.call(invites, c.lines...)
		if (got == nil) != c.refused {
			t.Errorf("%q: refused %v", c.lines, got == nil)
		}
		if got == nil {
			continue
		}
		req, err := sip.ParseRequest(slices.Clone(got))
		if err == nil {
			err = req.Validate()
		}
		if err != nil {
			t.Errorf("%q goes out malformed: %v\n%q", c.lines, err, got)
			continue
		}
		if !strings.Contains(string(got), c.has) || strings.Contains(string(got), "president") || len(req.GetName("Evil")) > 0 {
			t.Errorf("%q becomes\n%q\nwithout %q", c.lines, got, c.has)
		}
	}
	h.audit()
}
