// What stands on the arrow of a SIP message. RFC 3665 §1.2.

package ladder

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Text says in a few words what a datagram or a message on a stream is: "INVITE [sdp]", "180 Ringing (INVITE)", "keep-alive". It takes any
// bytes.
func Text(b []byte) string {
	if len(bytes.Trim(b, "\r\n")) == 0 {
		return "keep-alive"
	}
	if sip.IsResponse(b) {
		res, err := sip.ParseResponse(bytes.Clone(b))
		if err != nil {
			return "malformed response"
		}
		return ResponseText(res)
	}
	req, err := sip.ParseRequest(bytes.Clone(b))
	if err != nil {
		return strconv.Itoa(len(b)) + " bytes"
	}
	return RequestText(req)
}

// RequestText is [Text] for a request.
func RequestText(r *sip.Request) string {
	return string(r.Method) + bodyText(&r.Message)
}

// ResponseText is [Text] for a response: status and phrase, and the method it answers.
func ResponseText(r *sip.Response) string {
	phrase := r.Reason
	if phrase == "" {
		phrase = r.Status.Reason()
	}
	text := strings.TrimSpace(strconv.Itoa(int(r.Status)) + " " + phrase)
	if cseq, err := r.CSeq(); err == nil {
		text += " (" + string(cseq.Method) + ")"
	}
	return text + bodyText(&r.Message)
}

// bodyText names the body.
func bodyText(m *sip.Message) string {
	if len(m.Body()) == 0 {
		return ""
	}
	_, subtype, _ := strings.Cut(m.ContentType(), "/")
	return " [" + subtype + "]"
}
