// Connections that are slow, broken or abandoned. RFC 3261 §18.3; RFC 4475 §3.1.2.2, §3.1.2.3, §3.3.9.

package hostile

import (
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// line is a TCP connection to the server, and what has come on it.
type line struct {
	t    *testing.T
	conn *net.TCPConn
	got  []byte
}

func (h *house) connect() *line {
	h.t.Helper()
	conn, err := net.DialTCP("tcp", nil, net.TCPAddrFromAddrPort(h.tcp))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	return &line{t: h.t, conn: conn}
}

func (l *line) send(text string) {
	l.t.Helper()
	if _, err := l.conn.Write([]byte(text)); err != nil {
		l.t.Fatal(err)
	}
}

// next returns the next whole message, or the error that ended the connection.
func (l *line) next() ([]byte, error) {
	l.t.Helper()
	room := make([]byte, 4096)
	var frame sip.Framer
	for {
		if n, err := frame.Next(l.got); len(l.got) > 0 && !errors.Is(err, sip.ErrShort) {
			if err != nil {
				l.t.Fatalf("the server's stream has no frames: %v\n%q", err, l.got)
			}
			message := l.got[:n]
			l.got = slices.Clone(l.got[n:])
			return message, nil
		}
		if err := l.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			l.t.Fatal(err)
		}
		n, err := l.conn.Read(room)
		if l.got = append(l.got, room[:n]...); err != nil {
			return nil, err
		}
	}
}

// response returns the next message, which must be a well-formed response.
func (l *line) response() *sip.Response {
	l.t.Helper()
	b, err := l.next()
	if err != nil {
		l.t.Fatalf("no answer: %v", err)
	}
	res, err := sip.ParseResponse(b)
	if err == nil {
		err = wellFormed(res)
	}
	if err != nil {
		l.t.Fatalf("the server sent a malformed response: %v\n%q", err, b)
	}
	return res
}

// alive asks on the connection whether it works.
func (l *line) alive() {
	l.t.Helper()
	l.send(request("OPTIONS", "sip:example.org", "TCP "+l.conn.LocalAddr().String()))
	if res := l.response(); res.Status != sip.StatusOK {
		l.t.Errorf("OPTIONS is answered %d", res.Status)
	}
}

// TestFraming: a message whose end cannot be told ends its connection behind one answer, and no other.
func TestFraming(t *testing.T) {
	h := trusting(t)
	other := h.connect()
	for file, answered := range map[string]bool{
		"rfc4475/ncl.dat":   true,  // RFC 4475 §3.1.2.3
		"rfc4475/mcl01.dat": true,  // RFC 4475 §3.3.9
		"rfc4475/clerr.dat": false, // RFC 4475 §3.1.2.2: the rest may come, until the peer says that it does not
		"":                  true,  // no Content-Length at all
		"response":          false,
	} {
		l := h.connect()
		message := string(localize(torture(t, "rfc4475/inv2543.dat"), l.conn.LocalAddr().String()))
		switch file {
		case "":
		case "response":
			message = "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP h\r\nContent-Length: -1\r\n\r\n"
		default:
			message = string(localize(torture(t, file), l.conn.LocalAddr().String()))
		}
		l.send(message)
		other.alive()
		if answered {
			if res := l.response(); res.Status != sip.StatusBadRequest {
				t.Errorf("%s: answered %d, want 400", file, res.Status)
			}
		} else if err := l.conn.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if b, err := l.next(); err == nil || !errors.Is(err, io.EOF) && !isReset(err) {
			t.Errorf("%s: the connection goes on: %q %v", file, b, err)
		}
	}
	other.alive()
	h.until(1, "sipwerk_connections")
	h.audit()
}

// isReset reports whether the peer ended the connection with bytes unread.
func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

// TestSlowConnections: connections that say nothing, little, or break in the middle of a request disturb nobody.
func TestSlowConnections(t *testing.T) {
	h := trusting(t)
	var lines []*line
	for range 100 {
		lines = append(lines, h.connect())
	}
	honest := h.connect()
	invite := withBody(request("INVITE", "sip:bob@example.org", "TCP "+honest.conn.LocalAddr().String(), "Contact: <sip:a@127.0.0.1>"), "application/sdp", offer)
	for i, l := range lines {
		switch i % 4 {
		case 0: // says nothing
		case 1:
			l.send(invite[:i])
		case 2:
			l.send(invite[:len(invite)-i%50-1])
		case 3:
			l.send(request("INVITE", "sip:bob@example.org", "TCP "+l.conn.LocalAddr().String(), "Contact: <sip:a@127.0.0.1>"))
		}
	}
	for i := range 50 { // one byte more on each
		for at := 1; at < len(lines); at += 4 {
			lines[at].send(invite[at+i : at+i+1])
		}
		honest.alive()
		h.honest()
	}
	for _, l := range lines {
		if err := l.conn.SetLinger(0); err != nil { // a reset, as of a telephone that has lost its power
			t.Fatal(err)
		}
		l.conn.Close()
	}
	h.until(1, "sipwerk_connections")
	h.audit()
}
