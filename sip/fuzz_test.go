// Fuzzing: nothing panics, and what is taken and printed is taken again as the same. The seeds are the tables and the torture messages.

package sip

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func FuzzMessage(f *testing.F) {
	f.Add([]byte(invite))
	for _, c := range torture(f) {
		f.Add(tortureFile(f, c.File))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if IsResponse(raw) {
			fuzzResponse(t, raw)
			return
		}
		sameOutline(t, raw)
		_, _, _ = ReadAck(raw)
		r, err := ParseRequest(slices.Clone(raw))
		_ = r.Reply(StatusOf(err)).String()
		readAll(&r.Message)
		if err != nil {
			return
		}
		valid := r.Validate() == nil
		first := r.String()
		again, err := ParseRequest([]byte(first))
		if err != nil {
			t.Fatalf("%v\n%q\n%q", err, raw, first)
		}
		if second := again.String(); second != first || (again.Validate() == nil) != valid || !bytes.Equal(again.Body(), r.Body()) {
			t.Fatalf("valid %v, then %v\n%q\n%q\n%q", valid, again.Validate(), raw, first, second)
		}
		if c := r.Clone().String(); c != first {
			t.Fatalf("clone %q\n%q", c, first)
		}
		fuzzEdits(t, r)
	})
}

func fuzzResponse(t *testing.T, raw []byte) {
	r, err := ParseResponse(slices.Clone(raw))
	readAll(&r.Message)
	if err != nil {
		return
	}
	first := r.String()
	again, err := ParseResponse([]byte(first))
	if err != nil || again.String() != first || (again.Validate() == nil) != (r.Validate() == nil) {
		t.Fatalf("%v\n%q\n%q\n%q", err, raw, first, again)
	}
}

// readAll asks for everything that a message can be asked for.
func readAll(m *Message) {
	_, _ = m.Via()
	_, _ = m.From()
	_, _ = m.To()
	_, _ = m.CSeq()
	_, _ = m.Contact()
	_, _, _ = m.FromTag(), m.ToTag(), m.ContentType()
	for h := range headerCount {
		for range m.Addresses(h) {
		}
		for range m.Values(h) {
		}
		_, _ = m.Uint(h)
	}
	for range m.Fields() {
	}
}

// fuzzEdits makes the edits of a proxy and looks whether what comes out is still one message.
func fuzzEdits(t *testing.T, r *Request) {
	fields := len(r.fields)
	res := r.Reply(StatusOK)
	checkKnown(t, "reply", &res.Message)
	res.AddTag(HeaderTo, "x")
	checkKnown(t, "tagged reply", &res.Message)
	checkKnown(t, "request", &r.Message)
	r.Prepend(HeaderVia, "SIP/2.0/UDP proxy;branch=z9hG4bKx")
	r.Prepend(HeaderRecordRoute, "<sip:proxy;lr>")
	r.SetFirst(HeaderVia, "SIP/2.0/UDP other;branch=z9hG4bKy")
	top := r.PopFirst(HeaderVia)
	if top != "SIP/2.0/UDP other;branch=z9hG4bKy" {
		t.Fatalf("popped %q", top)
	}
	r.Prepend(HeaderVia, top)
	again, err := ParseRequest([]byte(r.String()))
	// Content-Length is written if it was not there, and the cap on fields may be met.
	if err == nil && len(again.fields) != fields+2 && len(again.fields) != fields+3 || err != nil && fields < maxFields-3 {
		t.Fatalf("%v: %d fields, then %d\n%q", err, fields, len(again.fields), r)
	}
}

func FuzzURI(f *testing.F) {
	for _, s := range slices.Concat(goodURIs, badURIs) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if err != nil {
			return
		}
		first := u.String()
		v, err := ParseURI(first)
		if err != nil || v.String() != first {
			t.Fatalf("%q\n%q: %v\n%q", s, first, err, v)
		}
		if !u.Equal(u) || !u.Equal(u.Clone()) || u.IsSIP() && strings.IndexByte(u.User, '#') < 0 && !u.Equal(v) {
			t.Fatalf("%q is not equal to itself", s)
		}
		if a := u.AOR(); MustParseURI(a).AOR() != a {
			t.Fatalf("AOR of %q is %q, and then %q", s, a, MustParseURI(a).AOR())
		}
		_ = u.UserName()
	})
}

func FuzzHeader(f *testing.F) {
	for _, c := range goodHeaders {
		f.Add(c.header, c.in)
	}
	for _, c := range badHeaders {
		f.Add(c.header, c.in)
	}
	f.Fuzz(func(t *testing.T, header, s string) {
		parse, ok := structured[header]
		if !ok || strings.ContainsAny(s, "\r\n\x00") {
			return // a field of a message holds none of these
		}
		first, err := parse(s)
		if err != nil {
			return
		}
		if second, err := parse(first); err != nil || second != first {
			t.Fatalf("%s\n%q\n%q: %v\n%q", header, s, first, err, second)
		}
	})
}

func FuzzFrame(f *testing.F) {
	for _, c := range frames {
		f.Add([]byte(c.in), 3)
	}
	for _, c := range torture(f) {
		f.Add(tortureFile(f, c.File), 100)
	}
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		limits := FrameLimits{Header: 4096, Message: 8192}
		whole := Framer{Limits: limits}
		n, err := whole.Next(b)
		if n < 0 || n > len(b) || err == nil && n == 0 {
			t.Fatalf("%d of %d, %v", n, len(b), err)
		}
		// In two pieces it is the same, unless the first piece is already too much.
		parts := Framer{Limits: limits}
		cut = max(0, min(cut, len(b)))
		m, partErr := parts.Next(b[:cut])
		if errors.Is(partErr, ErrShort) {
			m, partErr = parts.Next(b)
		}
		if m != n || (err == nil) != (partErr == nil) || errors.Is(err, ErrShort) != errors.Is(partErr, ErrShort) {
			t.Fatalf("at once %d, %v; cut at %d: %d, %v", n, err, cut, m, partErr)
		}
		if err != nil {
			return
		}
		// The parser sees the same end.
		r, parseErr := ParseRequest(slices.Clone(b[:n]))
		if parseErr == nil && len(r.raw) != n {
			t.Fatalf("framed %d, parsed %d", n, len(r.raw))
		}
	})
}
