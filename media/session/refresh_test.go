package session

import (
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/network"
)

// TestInvitePictures: a browser may ask by RTCP though the other side knows nothing of it, and in an answer only by what it has offered. RFC 4585 §4.2; RFC 5104 §7.1.
func TestInvitePictures(t *testing.T) {
	plain := func(t *testing.T) *sdp.Description {
		return describe(t, "v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0", "m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 96", "a=rtpmap:96 H264/90000")
	}
	world(t, func(t *testing.T, _ *network.Sim, site *Site) {
		l := site.NewLeg(Peer{Remote: alice4, Kind: WebRTC}, 1)
		defer l.Close()
		if got := present(t, l.Offer, plain(t)); strings.Count(got, "a=rtcp-fb:* nack pli\r\n") != 1 || strings.Count(got, "a=rtcp-fb:* ccm fir\r\n") != 1 {
			t.Errorf("offered\n%s", got)
		}
	})
	for fb, kind := range map[string]string{"nack pli": "ccm fir", "ccm fir": "nack pli"} {
		world(t, func(t *testing.T, _ *network.Sim, site *Site) {
			l := site.NewLeg(Peer{Remote: alice4}, 1)
			defer l.Close()
			offer := plain(t)
			offer.Media[1].Proto = "RTP/AVPF"
			offer.Media[1].Lines.AddAttribute("rtcp-fb", "96 "+fb)
			must(t, l.Offered(offer))
			if got := present(t, l.Answer, plain(t)); strings.Count(got, "a=rtcp-fb:* "+fb+"\r\n") != 1 || strings.Contains(got, kind) {
				t.Errorf("answered %s with\n%s", fb, got)
			}
		})
	}
	world(t, func(t *testing.T, _ *network.Sim, site *Site) {
		l := site.NewLeg(Peer{Remote: alice4}, 1)
		defer l.Close()
		if got := present(t, l.Offer, plain(t)); strings.Contains(got, "rtcp-fb") {
			t.Errorf("a telephone was offered\n%s", got)
		}
	})
}
