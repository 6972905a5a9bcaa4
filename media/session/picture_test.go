package session

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/network"
)

// screen notes what a picture hears and is told.
type screen struct {
	t        *testing.T
	p        *Picture
	sequence uint16

	mu    sync.Mutex // guards what follows
	heard [][]byte
	rids  []string
	told  []rtp.ControlPacket
}

func watch(t *testing.T, p *Picture) *screen {
	s := &screen{t: t, p: p}
	p.Hear(func(b []byte, rid string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.heard, s.rids = append(s.heard, bytes.Clone(b)), append(s.rids, rid)
	})
	p.Feedback(func(c rtp.ControlPacket) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, c)
	})
	return s
}

// packet is a picture of the screen's own.
func (s *screen) packet(payload uint8) []byte {
	s.sequence++
	p := rtp.Packet{Header: rtp.Header{PayloadType: payload, Sequence: s.sequence, Timestamp: 3000 * uint32(s.sequence), SSRC: s.p.SSRC()}, Payload: []byte("picture")}
	return p.AppendTo(nil)
}

// got returns what came since it was called last.
func (s *screen) got() (heard [][]byte, told []rtp.ControlPacket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	heard, told = s.heard, s.told
	s.heard, s.told = nil, nil
	return heard, told
}

// shows lets s send pictures for that long, and looks whether the other gets each of them.
func (s *screen) shows(when string, other *screen, d time.Duration) {
	s.t.Helper()
	other.got()
	var sent [][]byte
	for range int(d / (40 * time.Millisecond)) {
		sent = append(sent, s.packet(s.p.Codecs()[0].PayloadType))
		s.p.Send(sent[len(sent)-1])
		time.Sleep(40 * time.Millisecond)
	}
	time.Sleep(100 * time.Millisecond)
	synctest.Wait()
	same := func(a, b []byte) bool {
		x, err := rtp.Parse(a)
		y, wrong := rtp.Parse(b)
		return err == nil && wrong == nil && bytes.Equal(x.Payload, y.Payload) && x.Sequence == y.Sequence && x.SSRC == y.SSRC // the tag of a line comes and goes
	}
	if heard, _ := other.got(); !slices.EqualFunc(heard, sent, same) {
		s.t.Errorf("%s: %d of %d pictures arrived as they were", when, len(heard), len(sent))
	}
}

// asked tells whether s was told to send whole pictures.
func (s *screen) asked() bool {
	_, told := s.got()
	return slices.ContainsFunc(told, func(c rtp.ControlPacket) bool {
		p, ok := c.(*rtp.PictureLoss)
		return ok && p.Media == s.p.SSRC()
	})
}

// screens returns those of the first picture of both sides.
func (b *bridged) screens() (alice, bob *screen) {
	b.t.Helper()
	one, other := b.alice.Pictures(), b.bob.Pictures()
	if len(one) != 1 || len(other) != 1 {
		b.t.Fatalf("%d and %d pictures", len(one), len(other))
	}
	return watch(b.t, one[0]), watch(b.t, other[0])
}

// TestPictures: each kind of leg as caller and as callee: pictures pass both ways, and whole ones are asked for; so after a change by either side.
func TestPictures(t *testing.T) {
	for _, kinds := range [][2]Kind{{Plain, WebRTC}, {SDES, DTLS}, {DTLS, Plain}, {WebRTC, SDES}, {WebRTC, WebRTC}} {
		caller, callee := kinds[0], kinds[1]
		t.Run(caller.String()+" to "+callee.String(), func(t *testing.T) {
			t.Parallel()
			var legs *bridged
			voices := [2]Voice{{Pictures: PictureCodecs()}, {Pictures: PictureCodecs(), Refresh: func() { legs.a.RefreshPicture() }}}
			bridgeVoices(t, caller, callee, voices, func(b *bridged) {
				legs = b
				time.Sleep(time.Second) // checks and handshakes
				alice, bob := b.screens()
				for _, change := range []func(){func() { b.offer(b.alice, b.bob, b.a, b.b) }, func() { b.offer(b.bob, b.alice, b.b, b.a) }, func() {}} {
					alice.shows("to bob", bob, 400*time.Millisecond)
					bob.shows("to alice", alice, 400*time.Millisecond)
					bob.p.Refresh(0)
					time.Sleep(100 * time.Millisecond)
					if !alice.asked() {
						t.Error("nobody asks for a whole picture")
					}
					change()
				}
				b.talk("beside the pictures")
			})
		})
	}
}

// showing runs f with two endpoints that show pictures.
func showing(t *testing.T, a, b Voice, f func(t *testing.T, a, b *Endpoint)) {
	if a.Pictures == nil {
		a.Pictures = PictureCodecs()
	}
	voices(t, network.Conditions{Delay: 10 * time.Millisecond}, a, b, f)
}

// TestReportsOfPictures: who sends is told what arrives, and how much can be taken. RFC 3550 §6.4; draft-alvestrand-rmcat-remb.
func TestReportsOfPictures(t *testing.T) {
	showing(t, Voice{}, Voice{Pictures: PictureCodecs()}, func(t *testing.T, a, b *Endpoint) {
		alice, bob := watch(t, a.Pictures()[0]), watch(t, b.Pictures()[0])
		bob.p.Limit(300_000)
		for range 300 {
			alice.p.Send(alice.packet(alice.p.Codecs()[0].PayloadType))
			time.Sleep(40 * time.Millisecond)
		}
		_, toAlice := alice.got()
		_, toBob := bob.got()
		var reports, estimates, senders int
		for _, c := range toAlice {
			switch c := c.(type) {
			case *rtp.ReceiverReport:
				if len(c.Reports) == 1 && c.Reports[0].SSRC == alice.p.SSRC() && c.Reports[0].Lost == 0 {
					reports++
				}
			case *rtp.Estimate:
				if c.Bitrate/1000 == 299 || c.Bitrate == 300_000 {
					estimates++
				}
			}
		}
		for _, c := range toBob {
			if c, ok := c.(*rtp.SenderReport); ok && c.SSRC == alice.p.SSRC() && c.Packets > 0 {
				senders++
			}
		}
		if reports < 1 || reports != estimates || senders < 1 {
			t.Errorf("%d reports and %d estimates in 12 s, and %d of the sender", reports, estimates, senders)
		}
		alice.p.Ask(&rtp.Nack{SSRC: alice.p.SSRC(), Media: bob.p.SSRC(), Lost: []uint16{7}})
		time.Sleep(time.Second)
		if _, told := bob.got(); !slices.ContainsFunc(told, func(c rtp.ControlPacket) bool { n, ok := c.(*rtp.Nack); return ok && slices.Equal(n.Lost, []uint16{7}) }) {
			t.Errorf("bob was told %v", told)
		}
	})
}

// TestPictureLines: lines keep their slots whatever comes and goes; a slot that was given up is used again. RFC 3264 §8.1, RFC 3264 §8.2; who is shown: RFC 8830 §2.
func TestPictureLines(t *testing.T) {
	showing(t, Voice{}, Voice{}, func(t *testing.T, a, b *Endpoint) {
		if len(a.Pictures())+len(b.Pictures()) != 0 {
			t.Error("pictures with somebody who has none")
		}
		one := a.AddPicture(sdp.SendOnly, "alice")
		offer := a.Offer()
		if len(offer.Media) != 2 || offer.Media[1].Rejected() || !strings.Contains(offer.String(), "a=msid:alice alicev\r\n") || !strings.Contains(offer.String(), "a=sendonly") {
			t.Errorf("the slot is not used again:\n%s", offer)
		}
		b.voice.Pictures = PictureCodecs()
		agree(t, a, b)
		shown, seen := a.Pictures(), b.Pictures()
		if len(shown) != 1 || shown[0] != one || len(seen) != 1 || one.Direction() != sdp.SendOnly || seen[0].Direction() != sdp.RecvOnly {
			t.Fatalf("%v %v", shown, seen)
		}
		alice, bob := watch(t, one), watch(t, seen[0])
		alice.shows("one way", bob, time.Second)
		bob.p.Send(bob.packet(96))
		time.Sleep(time.Second)
		if heard, _ := alice.got(); len(heard) != 0 {
			t.Error("pictures came against the agreement")
		}
		other := a.AddPicture(sdp.SendOnly, "carol")
		offered, answered := agree(t, a, b) // b has no second port for them
		if strings.Count(offered, "m=video") != 2 || strings.Count(answered, "m=video") != 2 || !strings.Contains(answered, "m=video 0 ") {
			t.Errorf("offered\n%sanswered\n%s", offered, answered)
		}
		if other.Codecs() != nil || other.Direction() != sdp.Inactive || len(a.Pictures()) != 1 {
			t.Error("a picture that was refused is there")
		}
		alice.shows("beside one that was refused", bob, time.Second)
	})
}

// TestPicturesOfAPeer: of what a peer offers the codecs are taken in our order and in the profile that we have; what it takes by INFO alone is asked for by INFO.
func TestPicturesOfAPeer(t *testing.T) {
	asked := 0
	showing(t, Voice{Refresh: func() { asked++ }}, Voice{}, func(t *testing.T, a, _ *Endpoint) {
		offer := describe(t, "v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0", "m=video 4002 RTP/AVP 100 101 102 103 104", "a=rtpmap:100 H264/90000",
			"a=fmtp:100 profile-level-id=640c1f;packetization-mode=1", "a=rtpmap:101 H264/90000", "a=fmtp:101 profile-level-id=42e00b;packetization-mode=1", "a=rtpmap:102 rtx/90000", "a=fmtp:102 apt=101",
			"a=rtpmap:103 VP8/90000", "a=rtpmap:104 H264/90000", "m=audio 4000 RTP/AVP 8")
		a.Prefer("H264")
		answer, err := a.Answer(offer)
		must(t, err)
		if got := answer.Media[0].Formats; !slices.Equal(got, []string{"101", "104", "103"}) {
			t.Errorf("answered %v\n%s", got, answer)
		}
		p := a.Pictures()[0]
		if got := p.Codecs()[0]; got.PayloadType != 101 || !strings.Contains(got.FMTP, "42e00b") {
			t.Errorf("codecs %+v", p.Codecs())
		}
		if p.Refresh(1); asked != 1 {
			t.Errorf("asked %d times by INFO", asked)
		}
		s := watch(t, p)
		if a.Refreshed(); !s.asked() {
			t.Error("what the peer asks for by INFO is not told")
		}
		offer.Media[0].Reject()
		_, err = a.Answer(offer)
		must(t, err)
		if p.Send(s.packet(101)); len(a.Pictures()) != 0 || p.Codecs() != nil {
			t.Error("the picture outlives its line")
		}
	})
}

// TestWrongPictures: what was not agreed on, and what is no RTP at all, is not heard.
func TestWrongPictures(t *testing.T) {
	showing(t, Voice{}, Voice{Pictures: PictureCodecs()}, func(t *testing.T, a, b *Endpoint) {
		alice, bob := watch(t, a.Pictures()[0]), watch(t, b.Pictures()[0])
		alice.shows("at first", bob, time.Second)
		stream := alice.p.stream
		for _, b := range [][]byte{alice.packet(0), alice.packet(127), alice.packet(99), {}, make([]byte, 100), alice.packet(96)[:11]} {
			stream.Send(b)
		}
		for range 5 {
			stream.SendControl([]byte{0x81, 206, 0, 1, 0, 0, 0, 1})
		}
		for i := range uint32(1000) { // each a source of its own
			p := rtp.Packet{Header: rtp.Header{PayloadType: 96, SSRC: i}}
			stream.Send(p.AppendTo(nil))
		}
		time.Sleep(time.Second)
		heard, told := bob.got()
		if slices.ContainsFunc(heard, func(b []byte) bool { return b[1]&0x7f != 96 }) || len(told) != 0 {
			t.Errorf("heard %d, told %v", len(heard), told)
		}
		if n := len(bob.p.reports.sources); n > maxSources {
			t.Errorf("%d sources are known", n)
		}
		alice.shows("after all that", bob, time.Second)
	})
}

// TestLayers: of several encodings of a picture each is known by its name, which the first packets bear and later ones of the same source do not. RFC 8853 §5.3; RFC 8852 §4.1.
func TestLayers(t *testing.T) {
	showing(t, Voice{}, Voice{}, func(t *testing.T, a, _ *Endpoint) {
		offer := describe(t, "v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0", "m=audio 4000 RTP/AVP 8", "m=video 4002 RTP/AVP 96", "a=rtpmap:96 VP8/90000", "a=extmap:5/sendonly "+ridURI,
			"a=rid:lo send", "a=rid:hi send", "a=rid:odd send", "a=simulcast:send lo;hi")
		answer, err := a.Answer(offer)
		must(t, err)
		for _, want := range []string{"a=rid:lo recv\r\n", "a=rid:hi recv\r\n", "a=simulcast:recv lo;hi\r\n", "a=extmap:5 " + ridURI} {
			if !strings.Contains(answer.String(), want) || !strings.Contains(a.Offer().String(), want) {
				t.Errorf("%q is not in\n%s\nor\n%s", want, answer, a.Offer())
			}
		}
		p := a.Pictures()[0]
		if got := p.Layers(); !slices.Equal(got, []string{"lo", "hi"}) {
			t.Fatalf("layers %q", got)
		}
		s := watch(t, p)
		sequence := map[uint32]uint16{}
		comes := func(ssrc uint32, rid string) string {
			sequence[ssrc]++
			packet := rtp.Packet{Header: rtp.Header{PayloadType: 96, SSRC: ssrc, Sequence: sequence[ssrc]}, Payload: []byte("picture")}
			if rid != "" {
				packet.ExtensionProfile, packet.Extension = 0xbede, append([]byte{0x50 | byte(len(rid)-1)}, rid...)
				for len(packet.Extension)%4 != 0 {
					packet.Extension = append(packet.Extension, 0)
				}
			}
			p.take(packet.AppendTo(nil), time.Now(), false)
			if heard, _ := s.got(); len(heard) == 0 {
				return "not"
			}
			return s.rids[len(s.rids)-1]
		}
		for i, c := range []struct {
			ssrc      uint32
			rid, want string
		}{{1, "", "not"}, {1, "lo", "lo"}, {1, "", "lo"}, {2, "hi", "hi"}, {1, "", "lo"}, {2, "", "hi"}, {3, "odd", "not"}, {3, "", "not"}, {2, "lo", "lo"}} {
			if got := comes(c.ssrc, c.rid); got != c.want {
				t.Errorf("packet %d is of %q, want %q", i, got, c.want)
			}
		}
		offer.Media[1].Lines.RemoveAttribute("simulcast")
		_, err = a.Answer(offer)
		must(t, err)
		if got := comes(1, ""); got != "" || p.Layers() != nil {
			t.Errorf("one encoding is %q", got)
		}
	})
}
