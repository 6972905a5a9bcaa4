package sdp

import (
	"strings"
	"testing"
)

// RFC 3264 §5.1: the order is the preference, and what is not offered cannot be chosen.
func TestKeep(t *testing.T) {
	const offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 96 0 8 101\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n" +
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=sendrecv\r\nm=video 4002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\na=rtcp-fb:97 nack\r\n"
	for names, want := range map[string]string{
		"PCMA,pcmu":       "m=audio 4000 RTP/AVP 8 0 101 | m=video 0 RTP/AVP 97",
		"opus,VP8":        "m=audio 4000 RTP/AVP 96 101 | m=video 4002 RTP/AVP 97",
		"G729":            "m=audio 4000 RTP/AVP 96 0 8 101 | m=video 0 RTP/AVP 97",
		"telephone-event": "m=audio 4000 RTP/AVP 96 0 8 101 | m=video 0 RTP/AVP 97",
	} {
		d, err := Parse([]byte(offer))
		if err != nil {
			t.Fatal(err)
		}
		d.Keep(strings.Split(names, ","))
		var lines []string
		for l := range strings.SplitSeq(d.String(), "\r\n") {
			if strings.HasPrefix(l, "m=") {
				lines = append(lines, l)
			}
		}
		if got := strings.Join(lines, " | "); got != want {
			t.Errorf("%s: %s, want %s", names, got, want)
		}
		if names == "PCMA,pcmu" && (strings.Contains(d.String(), "opus") || strings.Contains(d.String(), "useinband") || !strings.Contains(d.String(), "101 telephone-event")) {
			t.Errorf("attributes of what is gone, or not of what is kept:\n%s", d)
		}
	}
}
