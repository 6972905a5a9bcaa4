package session

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
)

// again lets s send a picture that was lost, and one that was not, once more; it returns what the other hears, by number.
func (s *screen) again(other *screen) (numbers []uint16) {
	s.t.Helper()
	first, lost, last := s.packet(s.p.Codecs()[0].PayloadType), s.packet(s.p.Codecs()[0].PayloadType), s.packet(s.p.Codecs()[0].PayloadType)
	other.got()
	for _, send := range []func(){func() { s.p.Send(first) }, func() { s.p.Send(last) }, func() { s.p.Send(first) }, func() { s.p.Resend(lost) }, func() { s.p.Resend(last) }} {
		send()
		time.Sleep(100 * time.Millisecond)
	}
	synctest.Wait()
	heard, _ := other.got()
	begin, _ := rtp.Parse(first)
	for _, b := range heard {
		p, err := rtp.Parse(b)
		if err != nil || p.SSRC != s.p.SSRC() || p.PayloadType != other.p.Codecs()[0].PayloadType || string(p.Payload) != "picture" {
			s.t.Errorf("heard %+v, %v", p, err)
		}
		numbers = append(numbers, p.Sequence-begin.Sequence)
	}
	return numbers
}

// TestRepairs: what is sent again comes as another stream with numbers of its own, through a bridge too, and is the packet that was lost; the cipher seals no number twice, so that without repairs nothing comes again. RFC 4588 §4, RFC 4588 §8.
func TestRepairs(t *testing.T) {
	for _, c := range []struct {
		caller, callee Kind
		agreed         bool
		want           []uint16
	}{
		{WebRTC, WebRTC, true, []uint16{0, 2, 1, 2}},
		{Plain, WebRTC, false, []uint16{0, 2, 1}}, // from the side that has no cipher the bridge gets them, and does not seal them twice
	} {
		t.Run(c.caller.String(), func(t *testing.T) {
			bridgeVoices(t, c.caller, c.callee, [2]Voice{{Pictures: PictureCodecs()}, {Pictures: PictureCodecs()}}, func(b *bridged) {
				time.Sleep(time.Second)
				alice, bob := b.screens()
				for _, change := range []func(){func() { b.offer(b.alice, b.bob, b.a, b.b) }, func() { b.offer(b.bob, b.alice, b.b, b.a) }, func() {}} {
					if got := alice.again(bob); !slices.Equal(got, c.want) {
						t.Errorf("bob heard %v, want %v", got, c.want)
					}
					if n := len(bob.p.is().repairs.sends); (n > 0) != c.agreed {
						t.Errorf("%d payload types are repaired", n)
					}
					change()
				}
			})
		})
	}
}

// TestRepairsOfABrowser: payload types as browsers have them, whose numbers our own lines must not use for something else. RFC 4588 §8.6, RFC 5576 §4.2, RFC 8852 §4.2, RFC 9143 §10.1.2.
func TestRepairsOfABrowser(t *testing.T) {
	showing(t, Voice{}, Voice{}, func(t *testing.T, a, _ *Endpoint) {
		offer := describe(t, "v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0", "m=audio 4000 RTP/AVPF 8", "m=video 4002 RTP/AVPF 96 97 98 99 100", "a=rtpmap:96 VP8/90000", "a=rtpmap:97 rtx/90000",
			"a=fmtp:97 apt=96", "a=rtpmap:98 VP9/90000", "a=rtpmap:99 rtx/90000", "a=fmtp:99 apt=98", "a=rtpmap:100 rtx/90000", "a=fmtp:100 apt=97", "a=rtcp-fb:96 nack", "a=rtcp-fb:96 nack pli",
			"a=extmap:5 "+ridURI, "a=extmap:6 "+repairURI, "a=rid:lo send", "a=rid:hi send", "a=simulcast:send hi;lo", "a=ssrc-group:FID 1 2", "a=ssrc-group:FID 1", "a=ssrc-group:FID x 2", "a=ssrc-group:SIM 1 2 3")
		answer, err := a.Answer(offer)
		must(t, err)
		p := a.Pictures()[0]
		if got := answer.Media[1].Formats; !slices.Equal(got, []string{"96", "97"}) || len(p.Codecs()) != 1 {
			t.Errorf("answered %v\n%s", got, answer)
		}
		for _, want := range []string{"a=fmtp:97 apt=96\r\n", "a=extmap:6 " + repairURI, fmt.Sprintf("a=ssrc-group:FID %d %d\r\n", p.SSRC(), p.repairing.ssrc)} {
			if strings.Count(answer.String(), want) != 1 {
				t.Errorf("%q is not in\n%s", want, answer)
			}
		}
		a.AddPicture(sdp.SendOnly, "x")
		for i, m := range a.Offer().Media[1:] {
			if !slices.Equal(m.Formats, []string{"96", "97"}) || repairsOf(&m)[96] != 97 {
				t.Errorf("line %d is offered with %v", i, m.Formats)
			}
		}
		s := watch(t, p)
		comes := func(ssrc uint32, payload uint8, id byte, rid, text string) (heard []rtp.Header) {
			packet := rtp.Packet{Header: rtp.Header{PayloadType: payload, SSRC: ssrc, Sequence: uint16(len(s.rids) + 100)}, ExtensionProfile: 0xbede, Extension: append([]byte{id<<4 | 1}, rid+"\x00"...), Payload: []byte(text)}
			if rid == "" {
				packet.ExtensionProfile, packet.Extension = 0, nil
			}
			p.take(packet.AppendTo(nil), time.Now(), false)
			got, _ := s.got()
			for _, b := range got {
				h, _ := rtp.Parse(b)
				heard = append(heard, h.Header)
			}
			return heard
		}
		for i, c := range []struct {
			heard []rtp.Header
			want  string
		}{
			{comes(11, 96, 5, "lo", "picture"), "[11 96 100]"},
			{comes(12, 96, 5, "hi", "picture"), "[12 96 101]"},
			{comes(21, 97, 0, "", "\x00\x66again"), "[]"}, // of which it is nobody knows yet
			{comes(21, 97, 6, "lo", "\x00\x66again"), "[11 96 102]"},
			{comes(21, 97, 0, "", "\x00\x67again"), "[11 96 103]"},
			{comes(22, 97, 6, "hi", "\x00\x68again"), "[12 96 104]"},
			{comes(22, 97, 6, "hi", "\x00\x69"), "[]"}, // fills the way
			{comes(22, 97, 6, "no", "\x00\x69again"), "[12 96 105]"},
			{comes(23, 97, 6, "no", "\x00\x69again"), "[]"},
			{comes(22, 100, 6, "hi", "\x00\x69again"), "[]"},
		} {
			got := "["
			for _, h := range c.heard {
				got += fmt.Sprintf("%d %d %d", h.SSRC, h.PayloadType, h.Sequence)
			}
			if got += "]"; got != c.want {
				t.Errorf("packet %d is heard as %s, want %s", i, got, c.want)
			}
		}
		for ssrc := range uint32(1000) {
			comes(1000+ssrc, 97, 6, "hi", "\x00\x69again")
		}
		if n := len(p.is().repairs.of); n > maxSources {
			t.Errorf("%d streams of repairs are known", n)
		}
	})
}

// TestReportsOfRepairs: what is sent again is a stream of its own in the reports of its sender, too, by the same name; one that sends nothing again says nothing of it. RFC 4588 §4, RFC 3550 §6.4.1.
func TestReportsOfRepairs(t *testing.T) {
	bridgeVoices(t, WebRTC, WebRTC, [2]Voice{{Pictures: PictureCodecs()}, {Pictures: PictureCodecs()}}, func(b *bridged) {
		time.Sleep(time.Second)
		alice, bob := b.screens()
		again := alice.p.repairing.ssrc
		reported := func() (packets uint32) {
			t.Helper()
			bob.got()
			for range 100 {
				alice.p.Send(alice.packet(alice.p.Codecs()[0].PayloadType))
				time.Sleep(40 * time.Millisecond)
			}
			_, told := bob.got()
			for _, c := range told {
				if r, ok := c.(*rtp.SenderReport); ok && r.SSRC == again {
					packets += r.Packets
				}
			}
			return packets
		}
		if n := reported(); n != 0 {
			t.Errorf("%d packets sent again are reported before one was", n)
		}
		for range 2 {
			alice.p.Resend(alice.packet(alice.p.Codecs()[0].PayloadType))
		}
		if n := reported(); n != 2 {
			t.Errorf("%d packets sent again are reported, want 2", n)
		}
		alice.p.mu.Lock()
		defer alice.p.mu.Unlock()
		last, err := rtp.ParseRTCP(alice.p.goodbyeLocked())
		must(t, err)
		if bye := last[len(last)-1].(*rtp.Goodbye); !slices.Equal(bye.SSRCs, []uint32{alice.p.SSRC(), again}) {
			t.Errorf("the last packet says goodbye of %v: RFC 4588 §6.1", bye.SSRCs)
		}
		alice.p.reports.repair.note(100, 1, time.Now())
		packets, err := rtp.ParseRTCP(alice.p.reports.statement(time.Now(), again, "alice"))
		must(t, err)
		who := packets[len(packets)-1].(*rtp.SourceDescription)
		if len(packets) != 3 || !slices.ContainsFunc(who.Sources, func(s rtp.Source) bool { return s.SSRC == again && s.CNAME == "alice" }) {
			t.Errorf("said is %+v", packets)
		}
	})
}

// TestRepairedIsLost: in the reports of who receives, what came as a repair remains lost on the stream that lost it, and counts on the stream of repairs. RFC 4588 §6.2, RFC 3550 §A.3.
func TestRepairedIsLost(t *testing.T) {
	bridgeVoices(t, WebRTC, WebRTC, [2]Voice{{Pictures: PictureCodecs()}, {Pictures: PictureCodecs()}}, func(b *bridged) {
		time.Sleep(time.Second)
		alice, bob := b.screens()
		alice.got()
		for i := range 100 {
			send := alice.p.Send
			if i%10 == 5 {
				send = alice.p.Resend // it was lost
			}
			send(alice.packet(alice.p.Codecs()[0].PayloadType))
			time.Sleep(40 * time.Millisecond)
		}
		synctest.Wait()
		if heard, _ := bob.got(); len(heard) != 100 {
			t.Errorf("bob heard %d packets, want all 100", len(heard))
		}
		_, told := alice.got()
		last := map[uint32]rtp.ReceptionReport{}
		for _, c := range told {
			if r, ok := c.(*rtp.ReceiverReport); ok {
				for _, report := range r.Reports {
					last[report.SSRC] = report
				}
			}
		}
		if own, again := last[alice.p.SSRC()], last[alice.p.repairing.ssrc]; own.Lost < 5 || own.FractionLost < 10 || again.SSRC == 0 || again.Lost != 0 {
			t.Errorf("bob reports %+v of the pictures and %+v of what is sent again", own, again)
		}
	})
}

// TestKeeps: a description says how long packets are kept, where something is sent, and that of the peer is understood. RFC 4588 §8.1.
func TestKeeps(t *testing.T) {
	voice := Voice{Pictures: PictureCodecs(), Keeps: 1500 * time.Millisecond}
	bridgeVoices(t, WebRTC, WebRTC, [2]Voice{voice, {Pictures: PictureCodecs()}}, func(b *bridged) {
		offered, answered := b.offer(b.alice, b.bob, b.a, b.b)
		for name, d := range map[string]string{"offered": offered.String(), "answered": answered.String()} {
			if says := strings.Contains(d, ";rtx-time=1500\r\n"); says != (name == "offered") || !strings.Contains(d, "apt=") {
				t.Errorf("%s: it says so: %v\n%s", name, says, d)
			}
		}
		time.Sleep(time.Second)
		if alice, bob := b.screens(); len(alice.p.is().repairs.sends) == 0 || len(bob.p.is().repairs.sends) == 0 {
			t.Error("nothing is repaired")
		}
	})
}
