package video

import "testing"

// payloads are the beginnings of packets and what they are: "" nothing, "opens" parameters, "whole" a whole picture.
var payloads = []struct {
	name    string
	format  Format
	payload []byte
	want    string
}{
	{"VP8 without extension, key frame", VP8, []byte{0x10, 0x50, 0, 0}, "whole"},
	{"VP8 without extension, other frame", VP8, []byte{0x10, 0x51, 0, 0}, ""},
	{"VP8 later packet of a key frame", VP8, []byte{0x00, 0x50, 0, 0}, ""},
	{"VP8 second partition", VP8, []byte{0x11, 0x50, 0, 0}, ""},
	{"VP8 with a short picture", VP8, []byte{0x90, 0x80, 0x11, 0x10, 0}, "whole"},
	{"VP8 with everything", VP8, []byte{0x90, 0xf0, 0x80, 0x01, 0x02, 0x60, 0x10, 0}, "whole"},
	{"VP8 with everything, other frame", VP8, []byte{0x90, 0xf0, 0x80, 0x01, 0x02, 0x60, 0x11, 0}, ""},
	{"VP8 descriptor alone", VP8, []byte{0x90, 0xf0, 0x80, 0x01, 0x02, 0x60}, ""},
	{"VP8 cut in the picture", VP8, []byte{0x90, 0x80, 0x80}, ""},
	{"VP8 empty", VP8, nil, ""},
	{"H.264 IDR", H264, []byte{0x65, 0x88}, "whole"},
	{"H.264 other slice", H264, []byte{0x41, 0x9a}, ""},
	{"H.264 SPS", H264, []byte{0x67, 0x42, 0xe0, 0x1f}, "opens"},
	{"H.264 PPS", H264, []byte{0x68, 0xce}, ""},
	{"H.264 STAP-A of SPS and PPS", H264, []byte{0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xce}, "opens"},
	{"H.264 STAP-A of SPS, PPS and IDR", H264, []byte{0x78, 0, 2, 0x67, 0x42, 0, 1, 0x68, 0, 2, 0x65, 0x88}, "whole"},
	{"H.264 STAP-A of SEI and slice", H264, []byte{0x78, 0, 1, 0x06, 0, 1, 0x41}, ""},
	{"H.264 STAP-A cut", H264, []byte{0x78, 0, 9, 0x67}, ""},
	{"H.264 STAP-A of nothing", H264, []byte{0x78, 0, 0, 0x67, 1}, ""},
	{"H.264 FU-A, IDR begins", H264, []byte{0x7c, 0x85, 0x88}, "whole"},
	{"H.264 FU-A, IDR goes on", H264, []byte{0x7c, 0x05, 0x88}, ""},
	{"H.264 FU-A, other slice", H264, []byte{0x5c, 0x81}, ""},
	{"H.264 FU-A cut", H264, []byte{0x7c}, ""},
	{"H.264 empty", H264, nil, ""},
	{"no format", 0, []byte{0x65}, ""},
}

// TestOpens: where somebody may begin to look. RFC 7741 §4.2, §4.3; RFC 6184 §5.2, §5.7.1, §5.8.
func TestOpens(t *testing.T) {
	for _, tt := range payloads {
		opens, whole := tt.format.Opens(tt.payload)
		got := ""
		switch {
		case whole && !opens:
			got = "whole, and does not open"
		case whole:
			got = "whole"
		case opens:
			got = "opens"
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestFormatOf: encoding names are told whatever their case. RFC 8866 §6.6.
func TestFormatOf(t *testing.T) {
	for name, want := range map[string]Format{"vp8": VP8, "H264": H264, "h264": H264, "VP9": 0, "": 0, "none": 0} {
		if got := FormatOf(name); got != want {
			t.Errorf("%s is %s", name, got)
		}
	}
}

// FuzzPayload: nothing that is sent as a picture breaks what looks into it, and renumbering leaves the size and the kind of a packet.
func FuzzPayload(f *testing.F) {
	for _, tt := range payloads {
		f.Add(byte(tt.format), tt.payload)
	}
	f.Fuzz(func(t *testing.T, format byte, b []byte) {
		form := Format(format) % Formats
		opens, whole := form.Opens(b)
		if whole && !opens {
			t.Error("whole, and does not open")
		}
		var p pictures
		p.begin(b)
		p.renumber(b, true)
		p.begin(b)
		p.renumber(b, true)
		if o, w := form.Opens(b); form == VP8 && (o != opens || w != whole) {
			t.Errorf("% x is another packet now", b)
		}
	})
}
