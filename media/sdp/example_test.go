package sdp_test

import (
	"fmt"
	"log"
	"net/netip"
	"strings"

	"github.com/sipwerk/sipwerk/media/sdp"
)

// A phone offers, we answer and learn where to send.
func Example() {
	offer, err := sdp.Parse([]byte("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" +
		"m=audio 49170 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"))
	if err != nil {
		log.Fatal(err)
	}
	us := &sdp.Originator{SessionID: 42, Address: netip.MustParseAddr("198.51.100.1")}
	caps := &sdp.Capabilities{Media: []sdp.Capability{{
		Type:   "audio",
		Codecs: []sdp.Codec{{PayloadType: 0, Name: "PCMU", Clock: 8000}},
		Place:  sdp.Place{RTP: netip.MustParseAddrPort("198.51.100.1:30000")},
	}}}
	answer, err := caps.Answer(offer)
	if err != nil {
		log.Fatal(err)
	}
	us.Stamp(answer)
	to, _ := offer.Address(&offer.Media[0]).AddrPort()
	fmt.Println("send to", to)
	fmt.Print(strings.ReplaceAll(answer.String(), "\r\n", "\n"))
	// Output:
	// send to 192.0.2.1:49170
	// v=0
	// o=- 42 1 IN IP4 198.51.100.1
	// s=-
	// c=IN IP4 198.51.100.1
	// t=0 0
	// m=audio 30000 RTP/AVP 0
	// a=rtpmap:0 PCMU/8000
	// a=recvonly
}

// A relay puts itself between two phones and leaves the rest alone.
func ExampleDescription_Relocate() {
	d, err := sdp.Parse([]byte("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n" +
		"m=audio 49170 RTP/AVP 0 18\r\na=fmtp:18 annexb=no\r\n"))
	if err != nil {
		log.Fatal(err)
	}
	d.Relocate([]sdp.Place{{RTP: netip.MustParseAddrPort("198.51.100.1:30000")}})
	(&sdp.Originator{SessionID: 42}).Stamp(d)
	fmt.Print(strings.ReplaceAll(d.String(), "\r\n", "\n"))
	// Output:
	// v=0
	// o=- 42 1 IN IP4 198.51.100.1
	// s=-
	// c=IN IP4 198.51.100.1
	// t=0 0
	// m=audio 30000 RTP/AVP 0 18
	// a=fmtp:18 annexb=no
}
