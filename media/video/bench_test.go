package video

import (
	"testing"
	"time"
)

// crowd is one source that so many look at.
func crowd(n int) (*camera, *wall) {
	w, alice := newWall(), newCamera(1)
	for i := range n {
		t := NewTile(uint32(100+i), func([]byte) {})
		t.Agree(map[Format]uint8{H264: 102})
		t.Show(alice.Source, w.now)
	}
	alice.shoot(w, "", true, 100)
	alice.Tick(w.now)
	for _, t := range alice.tiles {
		t.choose(0, w.now)
	}
	alice.shoot(w, "", true, 1100)
	return alice, w
}

// TestForwardAllocates nothing, however many look.
func TestForwardAllocates(t *testing.T) {
	alice, w := crowd(10)
	b := alice.make(false, 1100)
	for range pastLength { // its memory is there
		alice.Hear(alice.make(false, 1100), "", w.now)
	}
	if n := testing.AllocsPerRun(100, func() { alice.Hear(b, "", w.now) }); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
	if shown := alice.tiles[0].Shown(); shown != alice.Source {
		t.Error("nobody looks")
	}
}

// BenchmarkForward is one packet to ten who look, without the sockets.
func BenchmarkForward(b *testing.B) {
	alice, w := crowd(10)
	packet := alice.make(false, 1100)
	b.ReportAllocs()
	for b.Loop() {
		w.now = w.now.Add(time.Millisecond)
		alice.Hear(packet, "", w.now)
	}
}
