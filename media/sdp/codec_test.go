package sdp

import (
	"slices"
	"testing"
	"time"
)

func TestCodecs(t *testing.T) {
	for name, tt := range map[string]struct {
		in   string
		want []Codec
	}{
		"static": {"m=audio 1 RTP/AVP 0 8 9 18 31", []Codec{
			{0, "PCMU", 8000, 1, ""}, {8, "PCMA", 8000, 1, ""}, {9, "G722", 8000, 1, ""}, {18, "G729", 8000, 1, ""},
			{31, "H261", 90000, 1, ""}}},
		"dynamic": {"m=audio 1 UDP/TLS/RTP/SAVPF 111 101\na=fmtp:111  minptime=10;useinbandfec=1\na=rtpmap:111 opus/48000/2\n" +
			"a=rtpmap:101 telephone-event/8000\na=fmtp:101 0-16", []Codec{
			{111, "opus", 48000, 2, "minptime=10;useinbandfec=1"}, {101, "telephone-event", 8000, 1, "0-16"}}},
		"static overridden":  {"m=audio 1 RTP/AVP 0\na=rtpmap:0 L16/16000", []Codec{{0, "L16", 16000, 1, ""}}},
		"unexplained":        {"m=audio 1 RTP/AVP 96 19 0", []Codec{{0, "PCMU", 8000, 1, ""}}},
		"twice":              {"m=audio 1 RTP/AVP 8 8", []Codec{{8, "PCMA", 8000, 1, ""}}},
		"fmtp alone":         {"m=audio 1 RTP/AVP 96\na=fmtp:96 x", nil},
		"not numbers":        {"m=audio 1 RTP/AVP x -1 128 256 4294967296\na=rtpmap:x y/8000", nil},
		"rtpmap nonsense":    {"m=audio 1 RTP/AVP 96 97 98 99\na=rtpmap:96\na=rtpmap:97 x\na=rtpmap:98 x/0\na=rtpmap:99 /8000", nil},
		"channels nonsense":  {"m=audio 1 RTP/AVP 96\na=rtpmap:96 x/8000/999", []Codec{{96, "x", 8000, 1, ""}}},
		"clock out of range": {"m=audio 1 RTP/AVP 96\na=rtpmap:96 x/2147483648", nil},
		"not RTP":            {"m=image 1 udptl 0", nil},
	} {
		d := mustParse(t, "v=0\n"+tt.in)
		if got := d.Media[0].Codecs(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

func TestPacketTime(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"a=ptime:20": 20 * time.Millisecond, "a=ptime: 30 ": 30 * time.Millisecond, "a=ptime:-1": 0, "a=ptime:99999999999": 0, "a=x": 0,
	} {
		d := mustParse(t, "v=0\nm=audio 1 RTP/AVP 0\n"+in+"\na=maxptime:60")
		if got := d.Media[0].PacketTime(); got != want {
			t.Errorf("%q: %v", in, got)
		}
		if got := d.Media[0].MaxPacketTime(); got != 60*time.Millisecond {
			t.Errorf("%q: at most %v", in, got)
		}
	}
}

func TestMatches(t *testing.T) {
	opus := Codec{Name: "opus", Clock: 48000, Channels: 2}
	for _, tt := range []struct {
		c    Codec
		want bool
	}{
		{Codec{PayloadType: 9, Name: "OPUS", Clock: 48000, Channels: 2, FMTP: "x"}, true},
		{Codec{Name: "opus", Clock: 48000}, false},
		{Codec{Name: "opus", Clock: 8000, Channels: 2}, false},
		{Codec{Name: "opus2", Clock: 48000, Channels: 2}, false},
	} {
		if got := opus.Matches(tt.c); got != tt.want {
			t.Errorf("%+v: %v", tt.c, got)
		}
	}
	if !(Codec{Name: "PCMU", Clock: 8000}).Matches(Codec{Name: "pcmu", Clock: 8000, Channels: 1}) {
		t.Error("one channel is the default")
	}
}
