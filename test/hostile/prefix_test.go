// Good messages that break off. RFC 3261 §18.3, §8.2.

package hostile

import (
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// offer is a session description.
const offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"

// withBody gives a request a body.
func withBody(req, kind, body string) string {
	m, err := sip.ParseRequest([]byte(req))
	if err != nil {
		panic(err)
	}
	m.SetBody(kind, []byte(body))
	return m.String()
}

// TestPrefixes: every prefix of a good message costs one answer at most, and a response, or what may be an ACK, none.
func TestPrefixes(t *testing.T) {
	for name, h := range map[string]*house{"trusting": trusting(t), "strict": strict(t)} {
		a := h.attacker()
		via := "UDP " + a.conn.LocalAddr().String()
		for kind, message := range map[string]string{
			"INVITE":   withBody(request("INVITE", "sip:bob@example.org", via, "Contact: <sip:alice@127.0.0.1>"), "application/sdp", offer),
			"REGISTER": request("REGISTER", "sip:example.org", via, "To: <sip:bob@example.org>", "Contact: <sip:bob@127.0.0.1:9>"),
			"ACK":      request("ACK", "sip:bob@example.org", via),
			"CANCEL":   request("CANCEL", "sip:bob@example.org", via),
			"BYE":      request("BYE", "sip:bob@example.org", via, "To: <sip:bob@example.org>;tag=none"),
			"response": "SIP/2.0 200 OK" + strings.TrimPrefix(request("INVITE", "sip:bob@example.org", via), "INVITE sip:bob@example.org SIP/2.0"),
		} {
			for n := range len(message) {
				replies := a.ask([]byte(message[:n]))
				if len(replies) > 1 || len(replies) > 0 && (kind == "ACK" || kind == "response") {
					t.Fatalf("%s: %q is answered %v", name, message[:n], replies)
				}
			}
		}
		h.audit()
	}
}
