package description

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/sip"
)

const sample = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"

// message makes a message of a body and its type; lines are further headers.
func message(t *testing.T, contentType, body string, lines ...string) *sip.Message {
	t.Helper()
	head := "INVITE sip:bob@example.org SIP/2.0\r\n"
	if contentType != "" {
		head += "Content-Type: " + contentType + "\r\n"
	}
	for _, l := range lines {
		head += l + "\r\n"
	}
	req, err := sip.ParseRequest(fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n%s", head, len(body), body))
	if err != nil {
		t.Fatal(err)
	}
	return &req.Message
}

func mixed(parts ...string) string {
	return "--b\r\n" + strings.Join(parts, "\r\n--b\r\n") + "\r\n--b--\r\n"
}

const (
	sdpPart      = "Content-Type: application/sdp\r\n\r\n" + sample
	location     = "Content-Type: application/pidf+xml\r\nContent-ID: <x@y>\r\n\r\n<presence/>"
	optional     = "Content-Type: application/isup\r\nContent-Disposition: signal;handling=optional\r\n\r\n\x01\x02"
	earlySession = "Content-Type: application/sdp\r\nContent-Disposition: early-session;handling=optional\r\n\r\n" + sample
)

// TestRead: RFC 5621 §3, §8.4; RFC 3959 §6.
func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, contentType, body string
		read, find              error
		found                   bool
	}{
		{"none", "", "", nil, nil, false},
		{"alone", "application/sdp", sample, nil, nil, true},
		{"no description", "application/sdp", "hello", sip.StatusBadRequest, sip.StatusBadRequest, false},
		{"another type", "text/plain", "hello", sip.StatusUnsupportedMediaType, nil, false},
		{"with what may be left out", "multipart/mixed;boundary=b", mixed(optional, sdpPart), nil, nil, true},
		{"with what must be known", "multipart/mixed;boundary=b", mixed(sdpPart, location), sip.StatusUnsupportedMediaType, nil, true},
		{"the last alternative", "multipart/alternative;boundary=b", mixed("\r\nhello", sdpPart), nil, nil, true},
		{"another use", "multipart/mixed;boundary=b", mixed(earlySession), nil, nil, false},
		{"cut", "multipart/mixed;boundary=b", "--b\r\n" + sdpPart, sip.StatusUnsupportedMediaType, sip.StatusBadRequest, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := message(t, tt.contentType, tt.body)
			read, err := Read(m)
			if !errors.Is(err, tt.read) || (read != nil) != (tt.found && tt.read == nil) {
				t.Errorf("Read: %v, %v", read, err)
			}
			found, err := Find(m)
			if !errors.Is(err, tt.find) || (found != nil) != tt.found {
				t.Errorf("Find: %v, %v", found, err)
			}
		})
	}
}

// TestReplace: what is not the description passes untouched. RFC 5621 §3.
func TestReplace(t *testing.T) {
	for _, tt := range []struct{ contentType, body, want string }{
		{"application/sdp", sample, "new"},
		{"", "", "new"},
		{"multipart/mixed;boundary=b", mixed(location, sdpPart, optional), mixed(location, "Content-Type: application/sdp\r\n\r\nnew", optional)},
	} {
		kind, body := Replace(message(t, tt.contentType, tt.body), []byte("new"))
		want := Type
		if strings.HasPrefix(tt.contentType, "multipart") {
			want = tt.contentType
		}
		if kind != want || string(body) != tt.want {
			t.Errorf("%s became %s\n%q\nwant\n%q", tt.contentType, kind, body, tt.want)
		}
	}
}

func TestStatus(t *testing.T) {
	for err, want := range map[error]sip.Status{
		fmt.Errorf("x: %w", sip.StatusBadRequest):      sip.StatusBadRequest,
		fmt.Errorf("x: %w", sdp.ErrNothingCommon):      sip.StatusNotAcceptableHere,
		fmt.Errorf("relay: %w in 1-2", relay.ErrPorts): sip.StatusServiceUnavailable,
		errors.New("x"): sip.StatusServerInternalError,
	} {
		if got := Status(err); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

func ExampleRead() {
	req := sip.NewRequest(sip.MethodInvite, sip.MustParseURI("sip:bob@example.org"))
	req.SetBody(Type, []byte(sample))
	d, err := Read(&req.Message)
	fmt.Println(d.Media[0].Type, d.Media[0].Port, err)
	// Output: audio 4000 <nil>
}
