package session

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/media/carriage"
	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/media/sdp"
	"github.com/sipwerk/sipwerk/network"
)

// transports are those of a leg's lines.
func (l *Leg) transports() (all []*carriage.Transport) {
	for i := range l.lines {
		if n := &l.lines[i]; n.stream != nil && !slices.Contains(all, n.way) {
			all = append(all, n.way)
		}
	}
	return all
}

// TestBundle: between browsers everything goes over one port on each side, however many lines come and go; each line keeps its pictures to itself. RFC 9143 §7.3, RFC 9143 §9.
func TestBundle(t *testing.T) {
	bridgeVoices(t, WebRTC, WebRTC, [2]Voice{{Pictures: PictureCodecs()}, {Pictures: PictureCodecs()}}, func(b *bridged) {
		time.Sleep(time.Second)
		var tiles []*Picture
		for _, name := range []string{"carol", "dave", "erin"} {
			tiles = append(tiles, b.alice.AddPicture(sdp.SendOnly, name))
		}
		offered, answered := b.offer(b.alice, b.bob, b.a, b.b)
		time.Sleep(time.Second)
		for name, d := range map[string]*sdp.Description{"offered": offered, "answered": answered} {
			if got := d.Bundles(); len(got) != 1 || len(got[0]) != 5 {
				t.Errorf("%s:\n%s", name, d)
			}
		}
		if len(b.a.transports()) != 1 || len(b.b.transports()) != 1 || !b.alice.Bundles() || !b.bob.Bundles() {
			t.Errorf("%d and %d transports", len(b.a.transports()), len(b.b.transports()))
		}
		seen := b.bob.Pictures()
		if len(b.alice.Pictures()) != 4 || len(seen) != 4 {
			t.Fatalf("%d and %d pictures", len(b.alice.Pictures()), len(seen))
		}
		var from, to []*screen
		for i := range seen {
			from, to = append(from, watch(t, b.alice.Pictures()[i])), append(to, watch(t, seen[i]))
		}
		for range 10 {
			for _, s := range from {
				s.p.Send(s.packet(96))
			}
			time.Sleep(40 * time.Millisecond)
		}
		for i, s := range to {
			heard, _ := s.got()
			strange := slices.ContainsFunc(heard, func(b []byte) bool { p, err := rtp.Parse(b); return err != nil || p.SSRC != from[i].p.SSRC() })
			if len(heard) != 10 || strange {
				t.Errorf("line %d: %d pictures", i, len(heard))
			}
			s.p.Refresh(0)
			time.Sleep(100 * time.Millisecond)
			for j, f := range from {
				if asked := f.asked(); asked != (i == j) {
					t.Errorf("line %d is asked for pictures of line %d: %v", j, i, asked)
				}
			}
		}
		b.talk("beside four pictures")
		tiles[1].SetDirection(sdp.Inactive)
		tiles[1].SetID("frank")
		b.offer(b.alice, b.bob, b.a, b.b)
		b.offer(b.bob, b.alice, b.b, b.a)
		from[0].shows("after changes of both", to[0], 400*time.Millisecond)
		from[3].shows("after changes of both", to[3], 400*time.Millisecond)
		from[2].p.Send(from[2].packet(96))
		time.Sleep(100 * time.Millisecond)
		if heard, _ := to[2].got(); len(heard) != 0 {
			t.Error("an inactive line shows pictures")
		}
		b.talk("after changes of both")
	})
}

// browser is what one offers or answers: its lines, each with the same transport.
func browser(t *testing.T, session string, lines ...string) *sdp.Description {
	t.Helper()
	all := []string{"v=0", "o=- 1 1 IN IP4 192.0.2.1", "s=-", "t=0 0", "a=fingerprint:sha-256 " + strings.TrimSuffix(strings.Repeat("AB:", 32), ":"), "a=setup:actpass"}
	if session != "" {
		all = append(all, session)
	}
	for _, l := range lines {
		m, mid, _ := strings.Cut(l, " mid ")
		mid, more, _ := strings.Cut(mid, " ")
		all = append(all, m, "c=IN IP4 192.0.2.1", "a=mid:"+mid, "a=ice-ufrag:abcd", "a=ice-pwd:abcdefghijklmnopqrstuv", "a=rtcp-mux", "a=rtpmap:96 VP8/90000", "a=extmap:9 "+midURI)
		if more != "" {
			all = append(all, "a="+more)
		}
	}
	return describe(t, all...)
}

const (
	browserSound    = "m=audio 4000 UDP/TLS/RTP/SAVPF 0 mid a"
	browserPicture  = "m=video 4000 UDP/TLS/RTP/SAVPF 96 mid v"
	noSound         = "m=audio 0 UDP/TLS/RTP/SAVPF 0 mid a"
	separatePicture = "m=video 4002 UDP/TLS/RTP/SAVPF 96 mid v"
	bundleOnly      = "m=video 0 UDP/TLS/RTP/SAVPF 96 mid v bundle-only"
)

// offerOf takes an offer through both legs; who is called has a port for each line.
func offerOf(t *testing.T, a, b *Leg, offer *sdp.Description) (answer string) {
	t.Helper()
	must(t, a.Offered(offer))
	asked, err := b.Offer(t.Context(), offer)
	must(t, err)
	back := asked.Clone()
	for i := range back.Media {
		if m := &back.Media[i]; !m.Rejected() {
			m.Port = uint16(5000 + 2*i)
		}
	}
	must(t, b.Answered(back))
	d, err := a.Answer(t.Context(), back)
	must(t, err)
	must(t, Settle(a, b))
	return d.String()
}

// TestGroups: which lines of a browser go over which transport, as its offers change. RFC 9143 §7.1, RFC 9143 §7.3.3.
func TestGroups(t *testing.T) {
	const both = "a=group:BUNDLE a v"
	for name, c := range map[string]struct {
		offers     []*sdp.Description
		group      string // of the last answer
		transports int
		rejected   int
	}{
		"both":                                      {[]*sdp.Description{browser(t, both, browserSound, browserPicture)}, both, 1, 0},
		"a line that is bundled or nothing":         {[]*sdp.Description{browser(t, both, browserSound, bundleOnly)}, both, 1, 0},
		"such a line without a group":               {[]*sdp.Description{browser(t, "", browserSound, bundleOnly)}, "", 1, 1},
		"no group":                                  {[]*sdp.Description{browser(t, "", browserSound, separatePicture)}, "", 2, 0},
		"a group of one":                            {[]*sdp.Description{browser(t, "a=group:BUNDLE a", browserSound, separatePicture)}, "a=group:BUNDLE a", 2, 0},
		"the other is tagged":                       {[]*sdp.Description{browser(t, "a=group:BUNDLE v a", browserSound, browserPicture)}, "a=group:BUNDLE v a", 1, 0},
		"tags that nobody has":                      {[]*sdp.Description{browser(t, "a=group:BUNDLE x a y v", browserSound, browserPicture)}, both, 1, 0},
		"a tagged line that is rejected":            {[]*sdp.Description{browser(t, both, noSound, browserPicture)}, "a=group:BUNDLE v", 1, 1},
		"a line more":                               {[]*sdp.Description{browser(t, "a=group:BUNDLE a", browserSound), browser(t, both, browserSound, bundleOnly)}, both, 1, 0},
		"a line less, the one that had the sockets": {[]*sdp.Description{browser(t, both, browserSound, browserPicture), browser(t, "a=group:BUNDLE v", noSound, browserPicture)}, "a=group:BUNDLE v", 1, 1},
		"and back again":                            {[]*sdp.Description{browser(t, both, browserSound, browserPicture), browser(t, "a=group:BUNDLE v", noSound, browserPicture), browser(t, both, browserSound, browserPicture)}, both, 1, 0},
		"bundled too late":                          {[]*sdp.Description{browser(t, "", browserSound, separatePicture), browser(t, both, browserSound, separatePicture)}, "a=group:BUNDLE a", 2, 0},
		"a line that leaves the group":              {[]*sdp.Description{browser(t, both, browserSound, browserPicture), browser(t, "a=group:BUNDLE a", browserSound, separatePicture)}, "a=group:BUNDLE a", 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, _ *network.Sim, site *Site) {
				a, b := site.NewLeg(Peer{Remote: alice4}, 1), site.NewLeg(Peer{Remote: bob4}, 2)
				var answer string
				for _, d := range c.offers {
					answer = offerOf(t, a, b, d.Clone())
				}
				if group := line1(answer, "a=group:"); group != c.group || strings.Contains(answer, "bundle-only") {
					t.Errorf("group %q, want %q:\n%s", group, c.group, answer)
				}
				if n := strings.Count(answer, "m=audio 0 ") + strings.Count(answer, "m=video 0 "); n != c.rejected || len(a.transports()) != c.transports {
					t.Errorf("%d transports, %d lines rejected:\n%s", len(a.transports()), n, answer)
				}
				if n := site.Relay.Streams(); n != c.transports+len(b.transports()) {
					t.Errorf("%d streams are open", n)
				}
				a.Close()
				b.Close()
			})
		})
	}
}

// TestIdentifierStays: the identifier of the tag is that of the peer's offer from then on, whatever the far side says. RFC 8285 §7.
func TestIdentifierStays(t *testing.T) {
	world(t, func(t *testing.T, _ *network.Sim, site *Site) {
		a, b := site.NewLeg(Peer{Remote: alice4}, 1), site.NewLeg(Peer{Remote: bob4}, 2)
		answer := offerOf(t, a, b, browser(t, "a=group:BUNDLE a v", browserSound, browserPicture))
		for far, want := range map[string]int{"a=extmap:9 " + levelURI: 1, "a=extmap:3 " + midURI: 2, "a=extmap:9 " + midURI: 2, "a=tool:x": 2} {
			d, err := a.Offer(t.Context(), describe(t, "v=0", "o=- 1 1 IN IP4 192.0.2.2", "s=-", "c=IN IP4 192.0.2.2", "t=0 0", "m=audio 5000 RTP/AVPF 0", far, "m=video 5002 RTP/AVPF 96", "a=rtpmap:96 VP8/90000"))
			must(t, err)
			if strings.Count(answer, "a=extmap:9 "+midURI) != 2 || strings.Count(d.String(), "a=extmap:9 "+midURI) != want || strings.Count(d.String(), midURI) != want {
				t.Errorf("%s: answered\n%soffered\n%s", far, answer, d)
			}
			a.Abandon()
		}
		a.Close()
		b.Close()
	})
}

// TestTagOfOne: what goes to a browser bears the tag though there is one line: Chromium hears nothing without once it is agreed on. RFC 9143 §15.
func TestTagOfOne(t *testing.T) {
	bridge(t, Plain, WebRTC, func(b *bridged) {
		time.Sleep(time.Second)
		id := b.bob.said.Media[0]
		tags := 0
		b.bob.stream.Record(func(packet []byte, _ time.Time, control bool) {
			p, err := rtp.Parse(packet)
			if tag, ok := p.ExtensionElement(identifierOf(&id, midURI)); !control && err == nil && ok && string(tag) == id.MID() {
				tags++
			}
		})
		b.talk("with tags")
		b.bob.stream.Record(nil)
		if synctest.Wait(); tags < 10 {
			t.Errorf("%d packets bear the tag", tags)
		}
	})
}

// TestPicturesApart: a picture that was to be bundled ends with a peer that does not; others take its place on ports of their own.
func TestPicturesApart(t *testing.T) {
	world(t, func(t *testing.T, _ *network.Sim, site *Site) {
		e, err := site.NewEndpoint(t.Context(), Peer{Remote: alice4, Kind: WebRTC}, Voice{Pictures: PictureCodecs()})
		must(t, err)
		if offer := e.Offer(); !offer.Media[1].BundleOnly() || line1(offer.String(), "a=group") != "a=group:BUNDLE 0 1" || !e.Bundles() {
			t.Errorf("offered\n%s", offer)
		}
		waiting := e.AddPicture(sdp.SendOnly, "carol")
		offer := browser(t, "", browserSound, separatePicture)
		answer, err := e.Answer(offer)
		must(t, err)
		if e.Bundles() || len(e.Pictures()) != 1 || answer.Media[0].Port == answer.Media[1].Port || site.Relay.Streams() != 2 || waiting.Codecs() != nil {
			t.Errorf("%d pictures, %d streams, answered\n%s", len(e.Pictures()), site.Relay.Streams(), answer)
		}
		if again := e.Offer(); len(again.Media) != 2 || line1(again.String(), "a=group") != "" {
			t.Errorf("offered again\n%s", again)
		}
		e.Close()
	})
}

// line1 returns the first line that begins so.
func line1(text, prefix string) string {
	for l := range strings.SplitSeq(text, "\r\n") {
		if strings.HasPrefix(l, prefix) {
			return l
		}
	}
	return ""
}

// TestBundleOffers: what a browser is offered: at first a port for each line, and with its answer one for those that it bundles; later lines go there or nowhere. RFC 9143 §7.2.1.
func TestBundleOffers(t *testing.T) {
	plain := func(lines ...string) *sdp.Description {
		return describe(t, append([]string{"v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=-", "c=IN IP4 192.0.2.9", "t=0 0"}, lines...)...)
	}
	two := []string{"m=audio 4000 RTP/AVP 0", "m=video 4002 RTP/AVP 96", "a=rtpmap:96 VP8/90000"}
	world(t, func(t *testing.T, _ *network.Sim, site *Site) {
		l := site.NewLeg(Peer{Remote: alice4, Kind: WebRTC}, 1)
		d, err := l.Offer(t.Context(), plain(two...))
		must(t, err)
		if d.Media[0].Port == d.Media[1].Port || line1(d.String(), "a=group") != "a=group:BUNDLE 0 1" || strings.Count(d.String(), midURI) != 2 || strings.Contains(d.String(), "bundle-only") {
			t.Errorf("offered\n%s", d)
		}
		answer := browser(t, "a=group:BUNDLE 0 1", strings.Replace(browserSound, "mid a", "mid 0", 1), strings.Replace(browserPicture, "mid v", "mid 1", 1))
		must(t, l.Answered(answer))
		must(t, l.settle())
		if len(l.transports()) != 1 || site.Relay.Streams() != 1 {
			t.Errorf("%d transports, %d streams", len(l.transports()), site.Relay.Streams())
		}
		d, err = l.Offer(t.Context(), plain(append(two, "m=video 4004 RTP/AVP 96", "a=rtpmap:96 VP8/90000")...))
		must(t, err)
		if d.Media[0].Port != d.Media[1].Port || !d.Media[2].BundleOnly() || line1(d.String(), "a=group") != "a=group:BUNDLE 0 1 2" {
			t.Errorf("offered\n%s", d)
		}
		l.Abandon()
		if len(l.transports()) != 1 || len(l.lines) != 3 || l.lines[2].stream != nil {
			t.Error("a refused offer left something")
		}
		_, err = l.Offer(t.Context(), plain(append(two, "m=video 4004 RTP/AVP 96", "a=rtpmap:96 VP8/90000")...))
		must(t, err)
		answer.Media = append(answer.Media, browser(t, "", strings.Replace(separatePicture, "mid v", "mid 2", 1)).Media...) // it does as if there were a port
		must(t, l.Answered(answer))
		must(t, l.settle())
		if l.lines[2].stream != nil || len(l.transports()) != 1 {
			t.Error("a line that was to be bundled is not, and lives")
		}
		l.Close()
	})
	world(t, func(t *testing.T, _ *network.Sim, site *Site) {
		l := site.NewLeg(Peer{Remote: alice4, Kind: WebRTC}, 1)
		_, err := l.Offer(t.Context(), plain(two...))
		must(t, err)
		must(t, l.Answered(browser(t, "", strings.Replace(browserSound, "mid a", "mid 0", 1), strings.Replace(separatePicture, "mid v", "mid 1", 1))))
		must(t, l.settle())
		d, err := l.Offer(t.Context(), plain(two...))
		must(t, err)
		if len(l.transports()) != 2 || d.Media[0].Port == d.Media[1].Port || line1(d.String(), "a=group") != "" {
			t.Errorf("a peer that does not bundle is offered\n%s", d)
		}
		l.Close()
	})
}

// TestBundledAttack: who has the keys of a bundle, and sends what belongs to no line of it, is not heard by the other side, and does not end the call.
func TestBundledAttack(t *testing.T) {
	bridgeVoices(t, WebRTC, Plain, [2]Voice{{Pictures: PictureCodecs()}, {Pictures: PictureCodecs()}}, func(b *bridged) {
		time.Sleep(time.Second)
		alice, bob := b.screens()
		alice.shows("at first", bob, 400*time.Millisecond)
		before := b.bob.Statistics().Received.Packets
		sound, stream := b.alice.stream, alice.p.stream
		sound.Stamp(0, "", false)
		stream.Stamp(9, "nobody", true) // 9 is not what was agreed on
		for i := range 1000 {
			for _, s := range []interface{ Send([]byte) }{sound, stream} {
				p := rtp.Packet{Header: rtp.Header{PayloadType: uint8(60 + i%30), SSRC: uint32(i)}, ExtensionProfile: 0xbede, Extension: []byte{0x10, 'x', 0x20, 'y', 0x30, 'z', 0x40, 'w'}}
				s.Send(p.AppendTo(nil))
			}
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if heard, _ := bob.got(); len(heard) != 0 || b.bob.Statistics().Received.Packets > before+20 {
			t.Errorf("bob sees %d pictures, hears %d packets", len(heard), b.bob.Statistics().Received.Packets-before)
		}
		b.offer(b.alice, b.bob, b.a, b.b)
		alice.shows("after that", bob, 400*time.Millisecond)
		b.talk("after that")
	})
}

// TestOrientation: how a camera is held is between the two sides, where both have said that they understand it; a side that cannot is not told, so that the other turns its pictures itself. 3GPP TS 26.114, 7.4.5.
func TestOrientation(t *testing.T) {
	const orientation = "extmap:11 urn:3gpp:video-orientation"
	world(t, func(t *testing.T, _ *network.Sim, site *Site) {
		for _, kind := range []Kind{WebRTC, Plain} {
			a, b := site.NewLeg(Peer{Remote: alice4}, 1), site.NewLeg(Peer{Remote: alice4, Kind: kind}, 2)
			must(t, a.Offered(browser(t, "a=group:BUNDLE a v", browserSound, browserPicture+" "+orientation)))
			asked, err := b.Offer(t.Context(), browser(t, "a=group:BUNDLE a v", browserSound, browserPicture+" "+orientation))
			must(t, err)
			if told := strings.Contains(asked.String(), "a="+orientation+"\r\n"); told != (kind == WebRTC) {
				t.Errorf("%v is told %v:\n%s", kind, told, asked)
			}
			must(t, b.Answered(asked))
			answer, err := a.Answer(t.Context(), asked)
			must(t, err)
			if told := strings.Contains(answer.String(), "a="+orientation+"\r\n"); told != (kind == WebRTC) {
				t.Errorf("beside %v the caller is told %v:\n%s", kind, told, answer)
			}
			a.Close()
			b.Close()
		}
	})
}
