package relay

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
	"github.com/sipwerk/sipwerk/network"
)

// rideMID is the identifier of the tag in the tests.
const rideMID = 4

// bundled is alice, who sends sound and two lines of pictures over one port, and bob with a port for each.
type bundled struct {
	*testing.T
	alice *party
	bob   [3]*party
	lines [3]*Stream // of alice, the first has the sockets
	far   [3]*Stream
	to    netip.AddrPort
}

// share runs f with a bundle whose pictures have the same payload types.
func share(t *testing.T, f func(b *bundled)) {
	world(t, func(t *testing.T, sim *network.Sim, r *Relay) {
		r.Ports.Max = 10015
		b := &bundled{T: t, alice: newParty(t, sim.Host(netip.MustParseAddr("192.0.2.1")), "192.0.2.1:4000")}
		host := sim.Host(netip.MustParseAddr("192.0.2.2"))
		b.lines[0] = open(t, r)
		b.lines[1], b.lines[2] = b.lines[0].Ride(), b.lines[0].Ride()
		aim(b.lines[0], "192.0.2.1:4000", "192.0.2.1:4000")
		b.lines[0].Mux(true)
		b.sort()
		for i := range b.far {
			b.bob[i], b.far[i] = newParty(t, host, fmt.Sprintf("192.0.2.2:%d", 5000+2*i)), open(t, r)
			aim(b.far[i], fmt.Sprintf("192.0.2.2:%d", 5000+2*i), fmt.Sprintf("192.0.2.2:%d", 5000+2*i))
			b.far[i].Mux(true)
			b.lines[i].Aim(Peer{RTP: netip.MustParseAddrPort("192.0.2.1:4000"), RTCP: netip.MustParseAddrPort("192.0.2.1:4000"), Clock: 90000})
			Join(b.lines[i], b.far[i])
		}
		b.to, _ = b.lines[1].Local()
		f(b)
	})
}

func (b *bundled) sort() {
	b.lines[0].Sort(rideMID, Lane{b.lines[0], "a", []uint8{0, 8}}, Lane{b.lines[1], "v", []uint8{96, 97}}, Lane{b.lines[2], "w", []uint8{96, 97}})
}

// tagged is a packet with a tag; an empty one is left out.
func tagged(ssrc uint32, payload uint8, mid string) []byte {
	b := rtpPacket(1, ssrc, "picture")
	b[1] = payload
	if mid == "" {
		return b
	}
	s := stamp{identifier: rideMID, mid: mid}
	return s.put(append(make([]byte, 0, 200), b...))
}

// reaches sends a packet of alice and tells which of bob's ports it comes to.
func (b *bundled) reaches(packet []byte) (ports []int) {
	b.Helper()
	b.alice.send(b.T, b.to, packet)
	for i, p := range b.bob {
		if got := p.take(); len(got) > 0 {
			ports = append(ports, i)
		}
	}
	return ports
}

// TestSort: by the tag, then by the SSRC that was seen with it, then by the payload type if only one line has it; else it is dropped. RFC 9143 §9.2.
func TestSort(t *testing.T) {
	share(t, func(b *bundled) {
		for _, c := range []struct {
			name   string
			packet []byte
			want   []int
		}{
			{"a payload type of one line", tagged(1, 0, ""), []int{0}},
			{"a payload type of two", tagged(2, 96, ""), nil},
			{"a tag", tagged(2, 96, "w"), []int{2}},
			{"an SSRC that was seen with a tag", tagged(2, 97, ""), []int{2}},
			{"the same with a payload type of another line", tagged(2, 0, ""), nil},
			{"another tag", tagged(2, 96, "v"), []int{1}},
			{"the SSRC after that", tagged(2, 96, ""), []int{1}},
			{"a tag that nobody has", tagged(3, 96, "x"), nil},
			{"a tag with a payload type of another line", tagged(4, 96, "a"), nil},
			{"a payload type that nobody has", tagged(1, 101, ""), nil},
			{"an SSRC known by its payload type, with a tag", tagged(1, 96, "v"), []int{1}},
		} {
			if got := b.reaches(c.packet); !slices.Equal(got, c.want) {
				t.Errorf("%s: came to %v, want %v", c.name, got, c.want)
			}
		}
		before := b.lines[1].Counters().PacketsIn
		b.sort() // a re-offer
		if got := b.reaches(tagged(2, 96, "")); !slices.Equal(got, []int{1}) || b.lines[1].Counters().PacketsIn != before+1 || b.lines[1].Counters().LastIn < 0 {
			t.Errorf("after it was sorted anew: %v", got)
		}
		b.lines[2].Close()
		if got := b.reaches(tagged(5, 96, "w")); got != nil {
			t.Errorf("a line that has ended reaches %v", got)
		}
		b.lines[0].Sort(0)
		if got := b.reaches(tagged(2, 96, "v")); !slices.Equal(got, []int{0}) {
			t.Errorf("unsorted: %v", got)
		}
	})
}

// TestSourcesAreCapped: who sends under more sources than a transport knows pushes out its own oldest ones, and nothing grows.
func TestSourcesAreCapped(t *testing.T) {
	share(t, func(b *bundled) {
		for ssrc := range uint32(1000) {
			b.alice.send(t, b.to, tagged(100+ssrc, 96, "v"))
			b.alice.send(t, b.to, tagged(5000+ssrc, 0, ""))
			b.alice.send(t, b.to, tagged(9000+ssrc, 96, "none"))
		}
		if l := b.lines[0].lanes; l.heard.known != maxSources || l.sent.known > maxSources {
			t.Errorf("%d and %d sources are known", l.heard.known, l.sent.known)
		}
		for _, p := range b.bob {
			p.take()
		}
		if got := b.reaches(tagged(7, 96, "w")); !slices.Equal(got, []int{2}) {
			t.Errorf("after that an honest packet came to %v", got)
		}
		if got := b.lines[0].Counters().Refused; got != 1000 {
			t.Errorf("%d packets refused", got)
		}
	})
}

// TestStrangersOfABundle: what a third party sends is heard on no line, whatever it bears.
func TestStrangersOfABundle(t *testing.T) {
	share(t, func(b *bundled) {
		if got := b.reaches(tagged(1, 96, "v")); !slices.Equal(got, []int{1}) {
			t.Fatalf("came to %v", got)
		}
		later(2 * time.Second)
		for i, mid := range []string{"", "a", "v", "w", "x"} {
			b.bob[0].send(t, b.to, tagged(uint32(i), 96, mid))
			b.bob[0].send(t, b.to, tagged(1, 0, mid))
		}
		for i, p := range b.bob {
			if got := p.take(); len(got) != 0 {
				t.Errorf("port %d heard %x", i, got)
			}
		}
	})
}

// TestBundledReports: RTCP goes to the lines that it speaks of: by who sends it, by what it reports on, by what it asks for. RFC 9143 §9.2.
func TestBundledReports(t *testing.T) {
	share(t, func(b *bundled) {
		b.reaches(tagged(1, 0, ""))
		b.reaches(tagged(2, 96, "v"))
		b.reaches(tagged(3, 96, "w"))
		for i, p := range b.bob { // under SSRC 11 to 13
			at, _ := b.far[i].Local()
			p.send(t, at, tagged(uint32(11+i), 96, ""))
		}
		for i, p := range b.bob {
			p.take()
			if got := len(b.alice.take()); i == 0 && got != 3 {
				t.Fatalf("alice got %d packets", got)
			}
		}
		about := func(sender uint32, ssrcs ...uint32) []byte {
			r := rtp.ReceiverReport{SSRC: sender}
			for _, s := range ssrcs {
				r.Reports = append(r.Reports, rtp.ReceptionReport{SSRC: s, Lost: int32(s)})
			}
			return r.AppendTo(nil)
		}
		for name, c := range map[string]struct {
			packet []byte
			want   []int
		}{
			"a sender":                 {about(2), []int{1}},
			"a report":                 {about(99, 13), []int{2}},
			"reports on two":           {about(99, 11, 12), []int{0, 1}},
			"a demand":                 {(&rtp.PictureLoss{SSRC: 99, Media: 12}).AppendTo(nil), []int{1}},
			"a demand of several":      {(&rtp.FullIntra{SSRC: 99, Requests: []rtp.IntraRequest{{SSRC: 12}, {SSRC: 13}}}).AppendTo(nil), []int{1, 2}},
			"an estimate":              {(&rtp.Estimate{SSRC: 99, SSRCs: []uint32{13, 12}}).AppendTo(nil), []int{1, 2}},
			"several packets":          {(&rtp.PictureLoss{SSRC: 3, Media: 12}).AppendTo(about(99)), []int{1, 2}},
			"nothing that is known":    {about(99, 98, 97), []int{0}},
			"what is cut in the midst": {append(about(2), 0x81, 201, 0, 9), []int{1}},
		} {
			if got := b.reaches(c.packet); !slices.Equal(got, c.want) {
				t.Errorf("%s: came to %v, want %v", name, got, c.want)
			}
		}
		b.reaches(about(99, 11, 12, 13))
		for i, want := range []int64{11, 12, 13} {
			if got := b.lines[i].Counters().PeerLost; got != want {
				t.Errorf("line %d: the peer misses %d, want %d", i, got, want)
			}
		}
	})
}

// TestStamp: what goes to a peer that bundles bears the tag of its line. RFC 9143 §15.2, RFC 8285 §4.
func TestStamp(t *testing.T) {
	plain := rtp.Packet{Header: rtp.Header{SSRC: 1}, Payload: []byte("picture")}
	with := func(profile uint16, extension ...byte) []byte {
		p := plain
		p.ExtensionProfile, p.Extension = profile, extension
		return p.AppendTo(nil)
	}
	for name, c := range map[string]struct {
		packet []byte
		bare   bool
		want   string // the extension in hex; empty: the packet stays as it is
	}{
		"none":            {plain.AppendTo(nil), false, "bede 43746167 31000000"},
		"one that has it": {with(0xbede, 0x43, 't', 'a', 'g', '1', 0, 0, 0), false, ""},
		"another tag":     {with(0xbede, 0x40, 'x', 0x10, 7), false, "bede 1007437461673100"},
		"others":          {with(0xbede, 0x10, 7, 0, 0), false, "bede 1007437461673100"},
		"others, bare":    {with(0xbede, 0x10, 7, 0, 0), true, "bede 43746167 31000000"},
		"two bytes":       {with(0x1000, 1, 1, 7, 4, 1, 'x', 0, 0), false, "1000 010107 0404 74616731 000000"},
		"reserved":        {with(0xbede, 0xf0, 1, 1, 1), false, "bede 43746167 31000000"},
		"another kind":    {with(0x1234, 1, 2, 3, 4), false, ""},
		"a kind, bare":    {with(0x1234, 1, 2, 3, 4), true, "bede 43746167 31000000"},
		"cut":             {with(0xbede, 0x1f, 1, 1, 1), false, "bede 43746167 31000000"},
		"no RTP":          {[]byte("hello, world"), false, ""},
	} {
		s := stamp{identifier: rideMID, mid: "tag1", bare: c.bare}
		got := s.put(append(make([]byte, 0, len(c.packet)+stampRoom), c.packet...))
		if c.want == "" {
			if !bytes.Equal(got, c.packet) {
				t.Errorf("%s: changed to %x", name, got)
			}
			continue
		}
		p, err := rtp.Parse(got)
		if x := fmt.Sprintf("%x%x", binary.BigEndian.AppendUint16(nil, p.ExtensionProfile), p.Extension); err != nil || x != string(bytes.ReplaceAll([]byte(c.want), []byte(" "), nil)) || string(p.Payload) != "picture" || p.SSRC != 1 {
			t.Errorf("%s: %v %s %q", name, err, x, p.Payload)
		}
	}
}

// FuzzStamp: whatever a packet has, it stays within its memory, and what it carries is what it was.
func FuzzStamp(f *testing.F) {
	for _, b := range [][]byte{rtpPacket(1, 2, "x"), tagged(1, 96, "v"), {0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 1, 1, 9, 0, 0}} {
		f.Add(b, "tag", uint8(3), false)
		f.Add(b, "0123456789abcdef", uint8(14), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, mid string, identifier uint8, bare bool) {
		if len(b) < rtp.HeaderSize {
			return
		}
		before, err := rtp.Parse(bytes.Clone(b))
		s := &Stream{relay: new(Relay)}
		s.Stamp(identifier, mid, bare)
		memory := append(make([]byte, 0, len(b)+stampRoom), b...)
		l := newLanes(identifier, []Lane{{s, mid, []uint8{before.PayloadType}}})
		l.concerned(memory)
		if s.stamp == nil {
			return
		}
		got := s.stamp.put(memory)
		after, wrong := rtp.Parse(got)
		if (err == nil) != (wrong == nil) || !bytes.Equal(before.Payload, after.Payload) || before.Header != after.Header || !bytes.Equal(before.CSRC, after.CSRC) {
			t.Errorf("%x became %x", b, got)
		}
		if tag, ok := after.ExtensionElement(identifier); err == nil && !bytes.Equal(got, b) && (!ok || string(tag) != mid) {
			t.Errorf("%x bears %q", got, tag)
		}
		if found := l.find(&after.Header, got); wrong == nil && !bytes.Equal(got, b) && found != s {
			t.Errorf("%x is not found again", got)
		}
	})
}

// WriteBatch implements network.PacketConn.
func (c *counted) WriteBatch(ms []network.Datagram) (int, error) {
	c.n += len(ms)
	return len(ms), nil
}

// TestRideAllocates: on a shared transport nothing is allocated for a packet either.
func TestRideAllocates(t *testing.T) {
	r := &Relay{started: time.Now()}
	a, b := &Stream{relay: r}, &Stream{relay: r}
	video := a.Ride()
	a.Sort(rideMID, Lane{a, "a", []uint8{0}}, Lane{video, "v", []uint8{96}})
	a.latches[media].open(sdpAddress, sdpAddress.Addr())
	b.latches[media].open(natAddress, natAddress.Addr())
	video.partner.Store(b)
	b.partner.Store(video)
	video.Stamp(rideMID, "v", false)
	b.mux = true
	memory, packet, back, report := make([]byte, room+spare), tagged(7, 96, "v"), rtpPacket(1, 9, "picture"), (&rtp.PictureLoss{SSRC: 7, Media: 9}).AppendTo(nil)
	sink := new(counted)
	b.sockets[media].conn = sink // what a report becomes leaves at once
	k := &socket{stream: a, component: media}
	n := testing.AllocsPerRun(200, func() {
		k.take(sink, memory[:copy(memory, packet)], arrival{from: sdpAddress})
		k.take(sink, memory[:copy(memory, report)], arrival{from: sdpAddress})
		video.speak(sink, media, memory[:copy(memory, back)])
	})
	if n != 0 || sink.n != 3*201 {
		t.Errorf("%v allocations a packet, %d packets", n, sink.n)
	}
}
