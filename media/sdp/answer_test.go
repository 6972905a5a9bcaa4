package sdp

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// phoneCapabilities are those of a telephone.
func phoneCapabilities() *Capabilities {
	return &Capabilities{Media: []Capability{{
		Type: "audio",
		Codecs: []Codec{
			{PayloadType: 96, Name: "opus", Clock: 48000, Channels: 2, FMTP: "useinbandfec=1"},
			{PayloadType: 8, Name: "PCMA", Clock: 8000},
			{PayloadType: 0, Name: "PCMU", Clock: 8000},
			{PayloadType: 101, Name: "telephone-event", Clock: 8000, FMTP: "0-15"},
			{PayloadType: 102, Name: "telephone-event", Clock: 48000, FMTP: "0-15"},
		},
		Place: Place{
			RTP:  netip.MustParseAddrPort("198.51.100.1:40000"),
			RTCP: netip.MustParseAddrPort("198.51.100.1:40001"),
		},
		PacketTime: 20 * time.Millisecond,
	}}}
}

const answerHead = "v=0\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n"

func TestAnswer(t *testing.T) {
	for name, tt := range map[string]struct{ offer, want string }{
		"static types": {
			"m=audio 4000 RTP/AVP 0 8",
			"m=audio 40000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\na=ptime:20\r\n"},
		"payload types of the offer": {
			"m=audio 4000 RTP/AVP 120 8 121\na=rtpmap:120 OPUS/48000/2\na=fmtp:120 stereo=1\na=rtpmap:121 telephone-event/48000",
			"m=audio 40000 RTP/AVP 120 8 121\r\na=rtpmap:120 OPUS/48000/2\r\na=fmtp:120 useinbandfec=1\r\na=rtpmap:8 PCMA/8000\r\n" +
				"a=rtpmap:121 telephone-event/48000\r\na=fmtp:121 0-15\r\na=sendrecv\r\na=ptime:20\r\n"},
		"event of another clock": {
			"m=audio 4000 RTP/AVP 0 121 122\na=rtpmap:121 telephone-event/48000\na=rtpmap:122 telephone-event/8000",
			"m=audio 40000 RTP/AVP 0 122\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:122 telephone-event/8000\r\na=fmtp:122 0-15\r\n" +
				"a=sendrecv\r\na=ptime:20\r\n"},
		"second stream and others rejected": {
			"m=video 5000 RTP/AVP 31\nm=audio 4000 RTP/AVP 8\nm=audio 4002 RTP/AVP 8\nm=image 4004 udptl t38",
			"m=video 0 RTP/AVP 31\r\nm=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\na=ptime:20\r\n" +
				"m=audio 0 RTP/AVP 8\r\nm=image 0 udptl t38\r\n"},
		"rejected line is not used": {
			"m=audio 0 RTP/AVP 8\nm=audio 4000 RTP/AVP 8",
			"m=audio 0 RTP/AVP 8\r\nm=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\na=ptime:20\r\n"},
		"only the other profile is missing": {
			"m=audio 4000 RTP/SAVP 8\nm=audio 4000 RTP/AVP 8",
			"m=audio 0 RTP/SAVP 8\r\nm=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=sendrecv\r\na=ptime:20\r\n"},
		"mid, shorter packets, no mux": {
			"m=audio 4000 RTP/AVP 8\na=mid:a1\na=maxptime:10\na=rtcp-mux",
			"m=audio 40000 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=mid:a1\r\na=sendrecv\r\na=ptime:10\r\n"},
	} {
		offer := mustParse(t, "v=0\nc=IN IP4 192.0.2.1\nt=0 0\n"+tt.offer)
		answer, err := phoneCapabilities().Answer(offer)
		if got := answer.String(); err != nil || got != answerHead+tt.want {
			t.Errorf("%s: %v, got\n%s\nwant\n%s", name, err, got, answerHead+tt.want)
		}
	}
}

func TestAnswerOwnOrder(t *testing.T) {
	caps := phoneCapabilities()
	caps.Media[0].OwnOrder = true
	answer, err := caps.Answer(mustParse(t, "v=0\nm=audio 4000 RTP/AVP 0 8"))
	if err != nil || strings.Join(answer.Media[0].Formats, " ") != "8 0" {
		t.Errorf("%v, %v", err, answer)
	}
}

// RFC 5761 §5.1.1.
func TestAnswerMux(t *testing.T) {
	caps := phoneCapabilities()
	caps.Media[0].RTCPMux = true
	caps.Media[0].Place.RTCP = netip.MustParseAddrPort("198.51.100.1:50000")
	for offered, want := range map[string][2]bool{"a=rtcp-mux": {true, false}, "a=x": {false, true}} {
		answer, err := caps.Answer(mustParse(t, "v=0\nm=audio 4000 RTP/AVP 0 8\n"+offered))
		if err != nil {
			t.Fatal(err)
		}
		_, mux := answer.Media[0].Lines.Attribute("rtcp-mux")
		_, rtcp := answer.Media[0].Lines.Attribute("rtcp")
		if got := [2]bool{mux, rtcp}; got != want {
			t.Errorf("%s: mux and rtcp %v, want %v", offered, got, want)
		}
	}
}

func TestAnswerTime(t *testing.T) {
	answer, err := phoneCapabilities().Answer(mustParse(t, "v=0\nt=3149328700 0\nm=audio 4000 RTP/AVP 0"))
	if v, _ := answer.Lines.Value('t'); err != nil || v != "3149328700 0" {
		t.Errorf("%v, t=%s", err, v)
	}
}

func TestAnswerNothingCommon(t *testing.T) {
	for _, offer := range []string{
		"v=0",
		"v=0\nm=audio 0 RTP/AVP 0",
		"v=0\nm=audio 4000 RTP/AVP 18",
		"v=0\nm=audio 4000 RTP/SAVP 0",
		"v=0\nm=audio 4000 RTP/AVP 101\na=rtpmap:101 telephone-event/8000",
		"v=0\nm=video 4000 RTP/AVP 0",
		"v=0\nm=image 4000 udptl t38",
	} {
		d := mustParse(t, offer)
		answer, err := phoneCapabilities().Answer(d)
		if !errors.Is(err, ErrNothingCommon) || len(answer.Media) != len(d.Media) {
			t.Errorf("%q: %v, %v", offer, err, answer)
		}
		for i := range answer.Media {
			if !answer.Media[i].Rejected() {
				t.Errorf("%q: %v", offer, answer)
			}
		}
	}
}

// Everybody whose offer was recorded gets an answer that they understand.
func TestAnswerGolden(t *testing.T) {
	caps := phoneCapabilities()
	caps.Media[0].Protos = []string{"RTP/AVP", "RTP/SAVP", "UDP/TLS/RTP/SAVPF"}
	for name, s := range samples(t) {
		answer, err := caps.Answer(mustParse(t, s))
		if err != nil && !errors.Is(err, ErrNothingCommon) {
			t.Fatal(err)
		}
		checkGolden(t, "testdata/"+name+".answer", answer.String())
	}
}

func TestOffer(t *testing.T) {
	caps := phoneCapabilities()
	caps.Media[0].Codecs = caps.Media[0].Codecs[1:]
	caps.Media[0].Direction = RecvOnly
	want := answerHead + "m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n" +
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=recvonly\r\na=ptime:20\r\n"
	if got := caps.Offer().String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	caps.Name, caps.Media[0].RTCPMux, caps.Media[0].Protos = "Sipwerk", true, []string{"RTP/SAVP"}
	caps.Media[0].Place = relayPlaces()[1]
	want = "v=0\r\ns=Sipwerk\r\nc=IN IP6 2001:db8:1::1\r\nt=0 0\r\nm=audio 30002 RTP/SAVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\n" +
		"a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtcp:30005 IN IP4 198.51.100.2\r\n" +
		"a=rtcp-mux\r\na=recvonly\r\na=ptime:20\r\n"
	if got := caps.Offer().String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if c := phoneCapabilities(); len(c.Offer().Media[0].Formats) != 5 || len(c.Media[0].Codecs) != 5 {
		t.Error("an offer changed the capabilities")
	}
}
