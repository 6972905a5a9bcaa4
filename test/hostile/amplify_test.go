// What a forged source address can make the server send to somebody else. RFC 3261 §26.1.5; RFC 4475 §3.3.10.

package hostile

import (
	"crypto/rand"
	"fmt"
	"strings"
	"testing"
)

// TestAmplification: a stranger gets a datagram at most for each one, and three times its bytes at most.
func TestAmplification(t *testing.T) {
	h := strict(t)
	a := h.attacker()
	_, port, _ := strings.Cut(a.conn.LocalAddr().String(), ":")
	id := func() string { return rand.Text()[:3] }
	short := func(method, uri string) string {
		return fmt.Sprintf("%s %s SIP/2.0\nv:SIP/2.0/UDP a:%s\nf:<sip:a>\nt:<%s>\ni:%s\nCSeq:1 %s\n\n", method, uri, port, uri, id(), method)
	}
	chain := strings.Repeat("v:SIP/2.0/UDP a:"+port+";rport\n", 64)
	list := "v:" + strings.TrimSuffix(strings.Repeat("SIP/2.0/UDP a:"+port+",", 64), ",") + "\n"
	long := strings.Repeat("x", 20000)
	cases := map[string]string{
		"OPTIONS":           short("OPTIONS", "sip:example.org"),
		"OPTIONS, foreign":  short("OPTIONS", "sip:b"),
		"REGISTER":          short("REGISTER", "sip:example.org"),
		"REGISTER by IP":    short("REGISTER", "sip:127.0.0.1"),
		"INVITE":            short("INVITE", "sip:example.org"),
		"INVITE to a phone": short("INVITE", "tel:1"),
		"BYE":               short("BYE", "sip:127.0.0.1"),
		"SUBSCRIBE":         short("SUBSCRIBE", "sip:127.0.0.1"),
		"SUBSCRIBE, known":  strings.Replace(short("SUBSCRIBE", "sip:127.0.0.1"), "CSeq", "o:conference\nCSeq", 1),
		"MESSAGE":           short("MESSAGE", "sip:127.0.0.1"),
		"REFER":             short("REFER", "sip:127.0.0.1"),
		"X":                 short("X", "sip:127.0.0.1"),
		"CANCEL":            short("CANCEL", "sip:a"),
		"scheme":            short("OPTIONS", "a:b"),
		"Require":           strings.Replace(short("OPTIONS", "sip:127.0.0.1"), "CSeq", "Require:a\nCSeq", 1),
		"merged":            strings.Replace(short("INVITE", "sip:127.0.0.1"), "v:", "v:SIP/2.0/UDP a:"+port+";branch=z9hG4bK1\nv:", 1),
		"version":           "X sip:a SIP/3.0\nv:SIP/3.0/UDP a:" + port + "\n\n",
		"Via alone":         "X sip:a SIP/2.0\nv:SIP/2.0/UDP a:" + port + "\n\n",
		"broken Via":        "X sip:a SIP/2.0\nv:SIP/2.0/UDP a:" + port + ";;\n\n",
		"64 Via":            strings.Replace(short("OPTIONS", "sip:127.0.0.1"), "v:", chain+"v:", 1),
		"64 Via in a list":  strings.Replace(short("OPTIONS", "sip:127.0.0.1"), "v:", list+"v:", 1),
		"64 Via, malformed": strings.Replace(short("OPTIONS", "sip:127.0.0.1"), "v:", chain+list+"v:;\nv:", 1),
		"huge Call-ID":      strings.Replace(short("OPTIONS", "sip:127.0.0.1"), "i:", "i:"+long, 1),
		"huge tag":          strings.Replace(short("INVITE", "sip:127.0.0.1"), "f:<sip:a>", "f:<sip:a>;tag="+long, 1),
		"huge Timestamp":    strings.Replace(short("INVITE", "sip:127.0.0.1"), "f:", "Timestamp:"+long+"\nf:", 1),
		"huge Require":      strings.Replace(short("OPTIONS", "sip:127.0.0.1"), "f:", "Require:"+long+"\nf:", 1),
		"many Require":      strings.Replace(short("OPTIONS", "sip:127.0.0.1"), "f:", "Require:"+strings.Repeat("a,", 9000)+"a\nf:", 1),
		"line ends":         "\r\n\r\n",
		"STUN":              "\x00\x01\x00\x00\x21\x12\xA4\x42123456789012",
	}
	answered := 0
	for name, datagram := range cases {
		if name == "line ends" || name == "STUN" {
			a.send([]byte(datagram))
			if n := a.size(); n > 3*len(datagram) {
				t.Errorf("%s: %d bytes for %d", name, n, len(datagram))
			}
			continue
		}
		replies, sum := a.ask([]byte(datagram)), 0
		for _, r := range replies {
			sum += r.size
		}
		if len(replies) > 1 || sum > 3*len(datagram) {
			t.Errorf("%s: %d bytes in %d datagrams for %d\n%s\n%v", name, sum, len(replies), len(datagram), datagram, replies)
		}
		answered += len(replies)
	}
	// What is shorter than anything an honest telephone sends may stay without an answer.
	if answered < len(cases)/2 {
		t.Errorf("%d answers to %d requests", answered, len(cases))
	}
	if n := h.count("sipwerk_transactions"); n != 0 {
		t.Errorf("%d transactions were made for a stranger", n)
	}
	h.audit()
}

// TestFlood: INVITEs of strangers make no transactions, calls or dialogs, and take nothing from others.
func TestFlood(t *testing.T) {
	h := strict(t)
	a := h.attacker()
	for range 2000 {
		a.ask([]byte(withBody(request("INVITE", "sip:bob@example.org", "UDP "+a.conn.LocalAddr().String()), "application/sdp", offer)))
		a.ask([]byte(strings.Replace(request("SUBSCRIBE", "sip:bob@example.org", "UDP "+a.conn.LocalAddr().String()), "CSeq", "Event: conference\r\nCSeq", 1)))
	}
	if n := h.count("sipwerk_transactions", "sipwerk_calls", "sipwerk_dialogs", "sipwerk_media_streams", "sipwerk_subscriptions"); n != 0 {
		t.Errorf("%d things were made for strangers", n)
	}
	h.audit()
}
