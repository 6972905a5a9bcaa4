package b2bua

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/description"
)

// videoPort is where a description wants the RTCP of its second stream.
func videoPort(t *testing.T, body []byte) netip.AddrPort {
	t.Helper()
	d, err := sdp.Parse(body)
	if err != nil || len(d.Media) != 2 {
		t.Fatalf("%v: %s", err, body)
	}
	at, ok := d.RTCPAddress(&d.Media[1]).AddrPort()
	if !ok {
		t.Fatalf("no address: %s", body)
	}
	return at
}

// TestPictures: alice asks for a whole picture by INFO and is asked so, bob by RTCP; each gets what it understands, and no storm of it. RFC 5168; RFC 4585 §6.3.1; RFC 5104 §4.3.1.
func TestPictures(t *testing.T) {
	for _, feedback := range []string{"nack pli", "ccm fir"} {
		play(t, func(w *world) {
			w.phone("bob", 2)
			tx := w.invite("bob", offer("192.0.2.1", 4000, "m=video 4002 RTP/AVP 96", "a=rtpmap:96 H264/90000"))
			s := w.one(sip.MethodInvite)
			w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000, "m=video 6002 RTP/AVP 96", "a=rtpmap:96 H264/90000", "a=rtcp-fb:* "+feedback))
			w.ack(tx, "")
			bob := w.sim.Host(netip.MustParseAddr("192.0.2.2"))
			picture, control := listen(t, bob, 6002), listen(t, bob, 6003)
			defer picture.Close()
			heard := make(chan []byte, 10)
			go hear(control, heard)
			to := videoPort(t, s.Body())
			write(t, picture, (&rtp.Packet{Header: rtp.Header{PayloadType: 96, SSRC: 77, Sequence: 1}, Payload: []byte("slice")}).AppendTo(nil), netip.AddrPortFrom(to.Addr(), to.Port()-1))

			w.bodyType = "application/media_control+xml"
			info := w.inside(tx, sip.MethodInfo, 2, `<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>`)
			w.bodyType = ""
			if got := w.answerTo(info).Status; got != sip.StatusOK || len(w.take(sip.MethodInfo)) > 0 {
				t.Errorf("%s: alice's INFO got %d, or went on to bob", feedback, got)
			}
			synctest.Wait()
			if got := <-heard; !strings.Contains(asked(t, got), "77") {
				t.Errorf("%s: bob was told %s", feedback, asked(t, got))
			}

			demand := (&rtp.ReceiverReport{SSRC: 78}).AppendTo(nil)
			demand = (&rtp.PictureLoss{SSRC: 78, Media: 5}).AppendTo(demand)
			for range 3 {
				write(t, control, demand, to)
			}
			w.pass(pictureInterval)
			if infos := w.take(sip.MethodInfo); len(infos) != 1 || !description.DemandsPicture(infos[0].Request) {
				t.Errorf("%s: %d INFOs to alice", feedback, len(infos))
			}
			write(t, control, demand, to)
			w.pass(time.Millisecond)
			if infos := w.take(sip.MethodInfo); len(infos) != 1 {
				t.Errorf("%s: %d INFOs to alice a second later", feedback, len(infos))
			}
			control.Close()
			w.hangUp(tx, 3)
		})
	}
}

func listen(t *testing.T, host *network.SimHost, port uint16) network.PacketConn {
	t.Helper()
	conns, err := host.ListenPacket(t.Context(), netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), port), 1)
	if err != nil {
		t.Fatal(err)
	}
	return conns[0]
}

func write(t *testing.T, c network.PacketConn, b []byte, to netip.AddrPort) {
	t.Helper()
	if _, err := c.WriteBatch([]network.Datagram{{Buf: b, Peer: to}}); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Millisecond)
	synctest.Wait()
}

// hear collects datagrams until the socket is closed.
func hear(c network.PacketConn, heard chan<- []byte) {
	for {
		ms := []network.Datagram{{Buf: make([]byte, 1500)}}
		n, err := c.ReadBatch(ms)
		if err != nil {
			return
		}
		if n == 1 {
			heard <- ms[0].Buf[:ms[0].N]
		}
	}
}

// asked says for which sources RTCP asks for a whole picture.
func asked(t *testing.T, b []byte) (list string) {
	t.Helper()
	packets, err := rtp.ParseRTCP(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		switch p := p.(type) {
		case *rtp.PictureLoss:
			list += fmt.Sprint(p.Media, " ")
		case *rtp.FullIntra:
			list += fmt.Sprint(p.Requests[0].SSRC, " ")
		}
	}
	return list
}
