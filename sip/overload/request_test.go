package overload

import (
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// plain is a new request; the words in front of it are replaced to make others.
const plain = "INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n" +
	"From: <sip:alice@example.org>;tag=1\r\nTo: <sip:bob@example.org>\r\nCall-ID: 0\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"

// invite returns a new request with a Call-ID, with pairs of words replaced.
func invite(callID string, replace ...string) *sip.Request {
	text := strings.NewReplacer(append(replace, "Call-ID: 0", "Call-ID: "+callID)...).Replace(plain)
	req, err := sip.ParseRequest([]byte(text))
	if err != nil {
		panic(err)
	}
	return req
}
