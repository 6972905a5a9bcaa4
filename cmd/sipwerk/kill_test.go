// What a crash in the middle of many calls leaves behind.

package main

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/store"
)

// bothSides plays the telephones of both sides of many calls over one socket.
type bothSides struct {
	t        *testing.T
	conn     net.Conn
	finished map[string]bool // Call-IDs of the callers' legs whose BYE has its 200
}

// header returns the value of the first header field called name.
func header(text, name string) string {
	_, value, _ := strings.Cut(text, "\r\n"+name+": ")
	value, _, _ = strings.Cut(value, "\r\n")
	return value
}

const killSDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"

func (b *bothSides) send(format string, args ...any) {
	b.t.Helper()
	if _, err := fmt.Fprintf(b.conn, format, args...); err != nil {
		b.t.Fatal(err)
	}
}

// request sends a request of the caller of call number i, in the dialog whose To and Contact are given.
func (b *bothSides) request(method string, i int, uri, to, body string) {
	b.t.Helper()
	extra, cseq := "", 1
	if method == "BYE" {
		cseq = 2
	}
	if body != "" {
		extra = "Content-Type: application/sdp\r\n"
	}
	b.send("%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s-%d\r\nMax-Forwards: 70\r\nFrom: <sip:x@example.org>;tag=a%d\r\nTo: %s\r\nCall-ID: kill-%d\r\nCSeq: %d %s\r\n"+
		"Contact: <sip:x@%s>\r\n%sContent-Length: %d\r\n\r\n%s", method, uri, b.conn.LocalAddr(), strings.ToLower(method), i, i, to, i, cseq, method, b.conn.LocalAddr(), extra, len(body), body)
}

// take takes what comes for so long, until enough calls are finished; it reports whether they are.
func (b *bothSides) take(wait time.Duration, enough int) bool {
	b.t.Helper()
	buf := make([]byte, 65536)
	for len(b.finished) < enough {
		b.conn.SetReadDeadline(time.Now().Add(wait))
		n, err := b.conn.Read(buf)
		if err != nil {
			return false
		}
		b.message(string(buf[:n]))
	}
	return true
}

// message does what a telephone does with one message. Every second call is hung up at once.
func (b *bothSides) message(text string) {
	b.t.Helper()
	method := header(text, "CSeq")
	method = method[strings.LastIndex(method, " ")+1:]
	switch {
	case strings.HasPrefix(text, "INVITE "):
		b.answer(text, ";tag=b", killSDP)
	case strings.HasPrefix(text, "BYE "):
		b.answer(text, "", "")
	case strings.HasPrefix(text, "SIP/2.0 200 "):
		var i int
		if _, err := fmt.Sscanf(header(text, "Call-ID"), "kill-%d", &i); err != nil {
			return
		}
		contact := strings.Trim(header(text, "Contact"), "<>")
		switch {
		case method == "INVITE":
			b.request("ACK", i, contact, header(text, "To"), "")
			if i%2 == 0 {
				b.request("BYE", i, contact, header(text, "To"), "")
			}
		case method == "BYE":
			b.finished[header(text, "Call-ID")] = true
		}
	}
}

// answer answers a request of the server with 200.
func (b *bothSides) answer(text, tag, body string) {
	b.t.Helper()
	var vias strings.Builder
	for line := range strings.SplitSeq(text, "\r\n") {
		if strings.HasPrefix(line, "Via: ") {
			vias.WriteString(line + "\r\n")
		}
	}
	extra := ""
	if body != "" {
		extra = "Content-Type: application/sdp\r\n"
	}
	b.send("SIP/2.0 200 OK\r\n%sFrom: %s\r\nTo: %s%s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:u0@%s>\r\n%sContent-Length: %d\r\n\r\n%s", vias.String(), header(text, "From"), header(text, "To"), tag,
		header(text, "Call-ID"), header(text, "CSeq"), b.conn.LocalAddr(), extra, len(body), body)
}

// TestKill9Calls: the process is killed in the middle of a hundred calls; every call whose BYE it has answered has its record after the restart.
func TestKill9Calls(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	line{args: "account import - --data DIR --domain example.org", in: "user,password\nu0,p0\n", want: "1 accounts imported into example.org\n"}.run(t, dir, nil)
	p, lines := run(t, "ready", serveArgs(dir)...)
	b := &bothSides{t: t, conn: connect(t, port(t, lines)), finished: make(map[string]bool)}
	send(t, b.conn, 0, 1, fmt.Sprintf("Contact: <sip:u0@%s>\r\n", b.conn.LocalAddr()))
	receive(t, b.conn)
	const calls = 100
	for i := range calls {
		b.request("INVITE", i, "sip:u0@example.org", "<sip:u0@example.org>", killSDP)
	}
	if !b.take(time.Minute, calls/4) {
		t.Fatalf("%d calls are finished", len(b.finished))
	}
	p.Process.Kill()
	p.end()
	b.take(200*time.Millisecond, calls) // what was answered before the end
	p, _ = run(t, "ready", serveArgs(dir)...)
	var out strings.Builder
	reader := programWith(&out, &out, nil)
	if code := reader.run([]string{"cdr", "export", "--json", "--data", dir}); code != 0 {
		t.Fatal(out.String())
	}
	var records []store.CDR
	if err := json.Unmarshal([]byte(out.String()), &records); err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Status != 200 || r.By != "caller" || r.Final != "u0" || len(r.Legs) != 2 {
			t.Errorf("record %+v", r)
		}
		delete(b.finished, r.CallID)
	}
	for id := range b.finished {
		t.Errorf("the record of %s is lost", id)
	}
	p.Process.Kill()
}
