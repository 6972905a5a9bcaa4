package session_test

import (
	"context"
	"fmt"
	"io"
	"net/netip"

	"github.com/sipwerk/sipwerk/media/relay"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/network"
)

// An announcement answers the offer of a caller and echoes what it hears.
func ExampleEndpoint() {
	site := &session.Site{Relay: &relay.Relay{Network: network.OS{}}}
	defer site.Relay.Close()
	caller := session.Peer{Remote: netip.MustParseAddr("127.0.0.1")}
	echo, err := site.NewEndpoint(context.Background(), caller, session.Voice{})
	if err != nil {
		fmt.Println(err)
		return
	}
	offer, err := sdp.Parse([]byte("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 40000 RTP/AVP 18 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	answer, err := echo.Answer(offer)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range answer.Media[0].Codecs() {
		fmt.Println(c.PayloadType, c.Name)
	}
	go io.Copy(echo, echo)
	echo.Close()
	// Output:
	// 0 PCMU
	// 101 telephone-event
}
