package b2bua

import (
	"strconv"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
)

// TestMultipart: the description is ours on each side, what stands beside it passes as it is. RFC 5621 §3.
func TestMultipart(t *testing.T) {
	const kind = "multipart/mixed;boundary=b"
	beside := "Content-Type: application/pidf+xml\r\nContent-ID: <x@y>\r\n\r\n<presence/>"
	wrap := func(d string) string {
		return "--b\r\n" + beside + "\r\n--b\r\nContent-Type: application/sdp\r\n\r\n" + d + "\r\n--b--\r\n"
	}
	play(t, func(w *world) {
		w.phone("bob", 2)
		body := wrap(offer("192.0.2.1", 4000))
		tx := w.inviteBytes("bob", "", []string{"Content-Type: " + kind, "MIME-Version: 1.0", "Content-Length: " + strconv.Itoa(len(body))}, body)
		s := w.one(sip.MethodInvite)
		d, err := description.Find(&s.Message)
		if err != nil || d == nil || !strings.Contains(string(s.Body()), beside) || strings.Contains(string(s.Body()), "192.0.2.1\r\n") || s.Get(sip.HeaderMIMEVersion) != "1.0" {
			t.Fatalf("bob got (%v)\n%s", err, s)
		}
		w.bodyType = kind
		w.reply(s, sip.StatusOK, wrap(offer("192.0.2.2", 6000)))
		w.bodyType = ""
		res := w.answerTo(tx)
		if d, err := description.Find(&res.Message); err != nil || d == nil || !strings.Contains(string(res.Body()), beside) || strings.Contains(string(res.Body()), "192.0.2.2\r\n") {
			t.Errorf("alice got (%v)\n%s", err, res)
		}
		w.ack(tx, "")
		w.hangUp(tx, 2)
	})
}
