package video

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/rtp"
)

// camera is somebody who sends pictures: whole ones when asked, and others.
type camera struct {
	*Source
	ssrc     uint32
	sequence uint16
	stamp    uint32
	asked    int
	again    []uint16
	sent     map[uint16][]byte
}

func newCamera(ssrc uint32, rids ...string) *camera {
	c := &camera{Source: new(Source), ssrc: ssrc, sequence: uint16(ssrc * 100), sent: map[uint16][]byte{}}
	c.Source.Refresh = func(uint32) { c.asked++ }
	c.Source.Again = func(_ uint32, lost []uint16) { c.again = append(c.again, lost...) }
	c.Agree(map[uint8]Format{96: H264}, rids)
	return c
}

// shoot sends a packet of a stream; an IDR if key.
func (c *camera) shoot(w *wall, rid string, key bool, size int) {
	b := c.make(key, size)
	c.Hear(b, rid, w.now)
}

func (c *camera) make(key bool, size int) []byte {
	c.sequence++
	c.stamp += 3000
	payload := make([]byte, max(size, 2))
	payload[0] = 0x41
	if key {
		payload[0] = 0x65
	}
	p := rtp.Packet{Header: rtp.Header{PayloadType: 96, SSRC: c.ssrc, Sequence: c.sequence, Timestamp: c.stamp}, Payload: payload}
	b := p.AppendTo(nil)
	c.sent[c.sequence] = b
	return b
}

// wall is a clock, and somebody who looks at tiles.
type wall struct {
	now  time.Time
	view Viewer
	got  []rtp.Packet
}

func newWall() *wall { return &wall{now: time.Unix(1000, 0)} }

func (w *wall) tile(ssrc uint32) *Tile {
	t := NewTile(ssrc, func(b []byte) {
		p, err := rtp.Parse(slices.Clone(b))
		if err != nil {
			panic(err)
		}
		w.got = append(w.got, p)
	})
	t.Agree(map[Format]uint8{H264: 102})
	return t
}

// pass lets time go by, with ticks.
func (w *wall) pass(d time.Duration, sources ...*camera) {
	for ; d > 0; d -= 100 * time.Millisecond {
		w.now = w.now.Add(100 * time.Millisecond)
		w.view.Tick(w.now)
		for _, s := range sources {
			s.Tick(w.now)
		}
	}
}

// inOrder fails the test unless what came is one stream.
func (w *wall) inOrder(t *testing.T, ssrc uint32) {
	t.Helper()
	for i, p := range w.got {
		if p.SSRC != ssrc || p.PayloadType != 102 || i > 0 && p.Sequence != w.got[i-1].Sequence+1 {
			t.Errorf("packet %d: %+v", i, p.Header)
		}
	}
}

// TestSwitch: a tile goes on with what it shows until the next source begins a whole picture, asks for that until it comes, and what comes out is one stream. RFC 7667 §3.7.
func TestSwitch(t *testing.T) {
	w, alice, bob := newWall(), newCamera(1), newCamera(2)
	tile := w.tile(77)
	w.view.Arrange([]*Tile{tile})
	tile.Show(alice.Source, w.now)
	alice.shoot(w, "", false, 100)
	w.pass(100*time.Millisecond, alice)
	if alice.asked != 1 || len(w.got) != 0 {
		t.Fatalf("asked %d times, %d packets", alice.asked, len(w.got))
	}
	alice.shoot(w, "", true, 100)
	alice.shoot(w, "", false, 100)
	tile.Show(bob.Source, w.now)
	bob.shoot(w, "", false, 100) // the first sign of him
	w.pass(100*time.Millisecond, alice, bob)
	bob.make(true, 100) // his whole picture is lost on the way
	for range 8 {
		alice.shoot(w, "", false, 100)
		bob.shoot(w, "", false, 100)
		w.pass(100*time.Millisecond, alice, bob)
	}
	if bob.asked < 2 || tile.Shown() != alice.Source {
		t.Errorf("bob was asked %d times; alice is shown: %t", bob.asked, tile.Shown() == alice.Source)
	}
	bob.shoot(w, "", true, 100)
	alice.shoot(w, "", false, 100)
	bob.shoot(w, "", false, 100)
	if len(w.got) != 2+8+2 || tile.Shown() != bob.Source {
		t.Errorf("%d packets; bob is shown: %t", len(w.got), tile.Shown() == bob.Source)
	}
	w.inOrder(t, 77)
	asked := alice.asked + bob.asked
	w.pass(2*time.Second, alice, bob)
	if alice.asked+bob.asked != asked {
		t.Error("somebody is asked who is shown")
	}
	tile.Show(nil, w.now)
	bob.shoot(w, "", true, 100)
	if n, switches := tile.Counts(); n != 12 || switches != 2 || tile.Shown() != nil || len(bob.tiles)+len(alice.tiles) != 0 {
		t.Errorf("%d packets, %d switches, %d tiles left", n, switches, len(bob.tiles)+len(alice.tiles))
	}
}

// TestParameters: a stream whose parameters come in a packet of their own is shown from them on, and is asked until the picture comes. RFC 6184 §5.2.
func TestParameters(t *testing.T) {
	w, alice := newWall(), newCamera(1)
	tile := w.tile(77)
	tile.Show(alice.Source, w.now)
	b := alice.make(false, 20)
	b[rtp.HeaderSize] = 0x67
	alice.Hear(b, "", w.now)
	w.view.Arrange([]*Tile{tile})
	w.pass(100*time.Millisecond, alice)
	b = alice.make(false, 20)
	b[rtp.HeaderSize] = 0x67
	alice.Hear(b, "", w.now)
	w.pass(time.Second, alice)
	if len(w.got) != 1 || alice.asked < 2 {
		t.Errorf("%d packets, asked %d times", len(w.got), alice.asked)
	}
	alice.shoot(w, "", true, 100)
	asked := alice.asked
	w.pass(time.Second, alice)
	if alice.asked != asked {
		t.Error("asked again for what has come")
	}
}

// TestAgain: what a receiver has lost it gets again, under the same number, unless that was too long ago; what never came the source is asked for, once however many ask. RFC 4585 §6.2.1, RFC 4588 §8.1.
func TestAgain(t *testing.T) {
	w, alice := newWall(), newCamera(1)
	tile := w.tile(77)
	w.view.Arrange([]*Tile{tile})
	tile.Show(alice.Source, w.now)
	alice.shoot(w, "", true, 100)
	w.pass(100*time.Millisecond, alice)
	alice.shoot(w, "", true, 100)
	first := w.got[0].Sequence
	lost := alice.make(false, 50)
	alice.shoot(w, "", false, 60)
	w.got = nil
	nack := &rtp.Nack{Media: 77, Lost: []uint16{first, first + 1, first + 2, first + 3}}
	w.view.Feedback(nack, w.now)
	w.view.Feedback(nack, w.now)
	if len(w.got) != 4 || w.got[0].Sequence != first || w.got[1].Sequence != first+2 || len(w.got[1].Payload) != 60 {
		t.Errorf("got %v", w.got)
	}
	if fmt.Sprint(alice.again) != fmt.Sprint([]uint16{alice.sequence - 1}) {
		t.Errorf("alice was asked for %v", alice.again)
	}
	w.got = nil
	var again []uint16
	tile.Resend = func(b []byte) { p, _ := rtp.Parse(b); again = append(again, p.Sequence) }
	w.view.Feedback(&rtp.Nack{Media: 77, Lost: []uint16{first + 2}}, w.now)
	if tile.Resend = nil; len(w.got) != 0 || !slices.Equal(again, []uint16{first + 2}) {
		t.Errorf("sent again as the first time: %v, and otherwise: %v", w.got, again)
	}
	alice.Hear(lost, "", w.now) // she sends it again
	if len(w.got) != 1 || w.got[0].Sequence != first+1 {
		t.Errorf("got %v", w.got)
	}
	asked := alice.asked
	w.got, w.now = nil, w.now.Add(KeepTime)
	w.view.Feedback(&rtp.Nack{Media: 77, Lost: []uint16{first, first + 2}}, w.now)
	w.now = w.now.Add(time.Millisecond)
	w.view.Feedback(&rtp.Nack{Media: 77, Lost: []uint16{first, first + 2}}, w.now)
	if len(w.got) != 2 {
		t.Errorf("got %v of what is just kept, and of what was kept longer", w.got)
	}
	w.view.Feedback(&rtp.PictureLoss{Media: 77}, w.now)
	w.view.Feedback(&rtp.FullIntra{Requests: []rtp.IntraRequest{{SSRC: 77}}}, w.now) // is too soon
	w.view.Feedback(&rtp.PictureLoss{Media: 78}, w.now)
	if alice.asked != asked+1 {
		t.Errorf("asked %d times", alice.asked-asked)
	}
}

// TestSimulcast: a receiver that has room for it is shown the best stream; one that has less the next one, from a whole picture on; one that has none for a second tile the first alone.
// RFC 8853 §5.
func TestSimulcast(t *testing.T) {
	w := newWall()
	high, low := newCamera(1), newCamera(2) // two streams of one source
	source := high.Source
	source.Agree(map[uint8]Format{96: H264}, []string{"h", "l"})
	tile := w.tile(77)
	w.view.Arrange([]*Tile{tile})
	tile.Show(source, w.now)
	run := func(d time.Duration) {
		for ; d > 0; d -= 100 * time.Millisecond {
			for n := range 10 {
				high.Hear(high.make(n == 0, 1000), "h", w.now)
				source.Hear(low.make(n == 0, 100), "l", w.now)
			}
			w.pass(100*time.Millisecond, high)
		}
	}
	shows := func(size int) {
		t.Helper()
		if p := w.got[len(w.got)-1]; len(p.Payload) != size {
			t.Errorf("%d octets are shown, want %d; budget %d", len(p.Payload), size, w.view.budget.Rate())
		}
		w.inOrder(t, 77)
		w.got = nil
	}
	run(3 * time.Second)
	shows(1000)
	w.view.Estimate(300_000, w.now)
	run(2 * time.Second)
	shows(100)
	run(20 * time.Second) // it may try again by now
	shows(1000)
	w.view.Feedback(&rtp.ReceiverReport{Reports: []rtp.ReceptionReport{{SSRC: 77, FractionLost: 128}}}, w.now)
	run(time.Second)
	shows(100)
	second := w.tile(78)
	other := newCamera(3)
	w.view.Arrange([]*Tile{tile, second})
	second.Show(other.Source, w.now)
	w.view.Estimate(60_000, w.now)
	other.shoot(w, "", true, 9000)
	run(300 * time.Millisecond)
	other.shoot(w, "", true, 9000)
	if second.Shown() != nil || tile.Shown() != source {
		t.Error("there is room for both")
	}
	if limit := other.Tick(w.now); limit != leastSent {
		t.Errorf("who is not shown sends %d", limit)
	}
}

// TestUnknownFormat: a receiver that has not the codec is sent nothing.
func TestUnknownFormat(t *testing.T) {
	w, alice := newWall(), newCamera(1)
	tile := w.tile(77)
	tile.Agree(map[Format]uint8{VP8: 100})
	tile.Show(alice.Source, w.now)
	w.view.Arrange([]*Tile{tile})
	alice.shoot(w, "", true, 100)
	w.pass(time.Second, alice)
	alice.shoot(w, "", true, 100)
	if len(w.got) != 0 || tile.Takes(alice.Source) {
		t.Errorf("%d packets", len(w.got))
	}
	alice.Agree(map[uint8]Format{97: VP8}, nil)
	alice.Hear([]byte{1, 2, 3}, "", w.now)
	for i := range 10 {
		alice.shoot(w, fmt.Sprint(i), true, 100) // another payload type than agreed
	}
	if len(alice.layers) > maxLayers {
		t.Errorf("%d streams", len(alice.layers))
	}
}
