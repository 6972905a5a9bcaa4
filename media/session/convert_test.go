package session

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/codec"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// TestConvert: one speaks G.722 only, the other PCMU only; each hears the other and its digits, before and after either has held. RFC 3264 §6.1, §8.3.2.
func TestConvert(t *testing.T) {
	voices := [2]Voice{{Formats: []codec.Format{codec.G722()}, Rate: 8000}, {Formats: []codec.Format{codec.PCMU()}}}
	for _, kinds := range [][2]Kind{{Plain, Plain}, {WebRTC, SDES}} {
		bridgeVoices(t, kinds[0], kinds[1], voices, func(b *bridged) {
			b.wait(time.Second)
			if b.a.Codec() != "G722" || b.b.Codec() != "PCMU" {
				t.Errorf("%s and %s are spoken", b.a.Codec(), b.b.Codec())
			}
			b.talk("at first")
			b.digits("12#")
			for _, side := range []struct {
				by, to    *Endpoint
				from, far *Leg
			}{{b.alice, b.bob, b.a, b.b}, {b.bob, b.alice, b.b, b.a}} {
				side.by.SetDirection(sdp.SendOnly)
				b.offer(side.by, side.to, side.from, side.far)
				b.music("held", side.to, side.by)
				side.by.SetDirection(sdp.SendRecv)
				b.offer(side.by, side.to, side.from, side.far)
				b.wait(time.Second)
				b.talk("after the hold")
			}
			b.digits("*9")
		})
	}
}

// digits dials each way.
func (b *bridged) digits(dialled string) {
	b.t.Helper()
	for _, way := range [][2]*Endpoint{{b.alice, b.bob}, {b.bob, b.alice}} {
		must(b.t, way[0].Dial(dialled))
		b.wait(2 * time.Second)
		var got []byte
		for len(way[1].Digits()) > 0 {
			got = append(got, <-way[1].Digits())
		}
		if string(got) != dialled {
			b.t.Errorf("dialled %q, heard %q (by alice: %v)", dialled, got, way[0] == b.alice)
		}
	}
}

// TestConvertible: what is offered to one who has refused the codecs of the other, and what is not turned into anything.
func TestConvertible(t *testing.T) {
	site := &Site{}
	for _, test := range []struct{ offer, want string }{
		{"m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n", "G722 PCMA telephone-event"},
		{"m=audio 4000 RTP/AVP 9 8\r\n", "PCMU telephone-event"},
		{"m=audio 4000 RTP/AVP 18\r\n", ""},    // G.729: only from end to end
		{"m=audio 4000 RTP/AVP 9 8 0\r\n", ""}, // nothing is left to offer
		{"m=audio 0 RTP/AVP 0\r\n", ""},        // rejected
		{"m=video 4000 RTP/AVP 31\r\n", ""},    // a picture
		{"m=image 4000 udptl t38\r\n", ""},     // a fax
		{"m=application 9 TCP/MSRP *\r\n", ""}, // no RTP
	} {
		d, err := sdp.Parse([]byte("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" + test.offer))
		must(t, err)
		before := string(d.AppendTo(nil))
		converted, ok := site.Convertible(d)
		got := ""
		for i, c := range converted.Media[0].Codecs() {
			if i > 0 {
				got += " "
			}
			got += c.Name
		}
		if ok != (test.want != "") || ok && got != test.want {
			t.Errorf("%q: %q (%t), want %q", test.offer, got, ok, test.want)
		}
		if string(d.AppendTo(nil)) != before {
			t.Errorf("%q: the offer was changed", test.offer)
		}
	}
}
