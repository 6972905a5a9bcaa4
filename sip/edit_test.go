package sip

import "testing"

func TestAddTag(t *testing.T) {
	for value, want := range map[string]string{
		`<sip:bob@example.org>`:               `<sip:bob@example.org>;tag=x`,
		`sip:bob@example.org`:                 `sip:bob@example.org;tag=x`,
		`"Bob \">" <sip:bob@example.org>;a=b`: `"Bob \">" <sip:bob@example.org>;a=b;tag=x`,
	} {
		var m Message
		m.Set(HeaderTo, value)
		m.AddTag(HeaderTo, "x")
		if got := m.Get(HeaderTo); got != want || m.ToTag() != "x" {
			t.Errorf("%s became %s with tag %q", value, got, m.ToTag())
		}
	}
	var none Message
	if none.AddTag(HeaderTo, "x"); none.Has(HeaderTo) {
		t.Error("a To was made of nothing")
	}
}

func TestBorrow(t *testing.T) {
	src, err := ParseRequest([]byte("MESSAGE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=a\r\n" +
		"To: <sip:bob@example.org>\r\nCall-ID: c\r\nCSeq: 1 MESSAGE\r\nContent-Length: 2\r\n\r\nhi"))
	if err != nil {
		t.Fatal(err)
	}
	src.Set(HeaderSubject, "edited")
	before := src.String()
	var work Request
	for range 2 {
		work.Borrow(src)
		if work.String() != before {
			t.Errorf("the copy is\n%s", work.String())
		}
		work.Prepend(HeaderVia, "SIP/2.0/UDP other;branch=z9hG4bK2")
		work.Set(HeaderSubject, "other")
		work.Remove(HeaderFrom)
		if src.String() != before {
			t.Errorf("the original became\n%s", src.String())
		}
	}
}

func TestExtract(t *testing.T) {
	const text = "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nf: <sip:a@example.org>;tag=1\r\nX-Own:  folded\r\n value\r\nTo: <sip:bob@example.org>\r\n" +
		"Call-ID: c\r\nCSeq: 7 INVITE\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi"
	b := []byte(text)
	r, err := ParseRequest(b)
	if err != nil {
		t.Fatal(err)
	}
	r.Set(HeaderSubject, "edited")
	extract := r.Extract(func(h Header) bool { return h == HeaderVia || h == HeaderContentType || h == HeaderContentLength })
	clear(b) // the text owns its memory
	const want = "INVITE sip:bob@example.org SIP/2.0\r\nf: <sip:a@example.org>;tag=1\r\nX-Own: folded   value\r\nTo: <sip:bob@example.org>\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\nSubject: edited\r\n"
	if extract != want {
		t.Errorf("got\n%swant\n%s", extract, want)
	}
	c, err := ParseRequest([]byte(extract))
	if err != nil || c.Get(HeaderSubject) != "edited" || len(c.Body()) > 0 {
		t.Errorf("read again: %v, %v", c, err)
	}
	if seq, err := c.CSeq(); err != nil || seq.Number != 7 {
		t.Errorf("CSeq %v, %v", seq, err)
	}
}

// TestSetValues: what is written in place is what its text says, and replaces all that was there.
func TestSetValues(t *testing.T) {
	var m Message
	for _, h := range [...]Header{HeaderFrom, HeaderCSeq, HeaderSessionID} {
		m.Set(h, "before")
	}
	who := Address{Display: "Bob, junior", URI: MustParseURI("sip:bob@example.org"), Params: ";tag=x"}
	seq := CSeq{Number: 1<<31 - 1, Method: MethodInvite}
	session := SessionID{Local: "0123456789abcdef0123456789abcdef"}
	m.SetAddress(HeaderFrom, who)
	m.SetCSeq(seq)
	m.SetSessionID(session)
	for h, want := range map[Header]string{HeaderFrom: who.String(), HeaderCSeq: seq.String(), HeaderSessionID: session.String()} {
		if got := m.Get(h); got != want || len(m.fields) != 3 {
			t.Errorf("%s: %q, want %q of 3 fields: %d", h, got, want, len(m.fields))
		}
	}
	if read, err := m.CSeq(); err != nil || read != seq || m.FromTag() != "x" || m.SessionID().Local != session.Local {
		t.Errorf("read back: %v %v %q %v", read, err, m.FromTag(), m.SessionID())
	}
	if m.SetCSeq(CSeq{Number: 1, Method: "BYE\r\nX: y"}); m.Get(HeaderCSeq) != "1 BYE" {
		t.Errorf("a header was smuggled in: %q", m.Get(HeaderCSeq))
	}
}

// TestReset: a request that is used again says nothing of what it was.
func TestReset(t *testing.T) {
	uri := MustParseURI("sip:bob@example.org")
	r := NewRequest(MethodInvite, uri)
	r.Set(HeaderSubject, "hello")
	r.SetBody("text/plain", []byte("hi"))
	if r.Reset(MethodAck, uri); r.String() != NewRequest(MethodAck, uri).String() {
		t.Errorf("it says %s", r)
	}
}
