package transport

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// batchOf makes datagrams and their lanes of words such as "3a" and "3a5": lane 3, peer a, and so many bytes beside the number of the datagram.
func batchOf(words string) (ds []network.Datagram, lanes []uint8) {
	for i, w := range strings.Fields(words) {
		peer := netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, w[1]}), 5060)
		ds = append(ds, network.Datagram{Buf: fmt.Appendf(nil, "%03d%s", i, w), Peer: peer})
		lanes = append(lanes, w[0]-'0')
	}
	return ds, lanes
}

// What goes to one peer and is equally long comes together, unless that would bring what one lane sends out of its order.
func TestGather(t *testing.T) {
	for _, c := range [...]struct{ batch, want string }{
		{"1a 2b 3a 4b 5a 6b 7a", "1a 2b 3a 4b 5a 6b 7a"}, // too few
		{"1a 2b 3a 4b 5a 6b 7a 8b", "1a 3a 5a 7a 2b 4b 6b 8b"},
		{"1a 2a5 3a 4a5 5a 6b 7a 8b", "1a 3a 5a 7a 2a5 4a5 6b 8b"},
		{"1a 1a5 2a 2a5 3a5 3a 1a 4a", "1a 2a 4a 1a5 2a5 3a5 3a 1a"},
	} {
		var got []string
		for _, d := range new(gathering).gather(batchOf(c.batch)) {
			got = append(got, string(d.Buf[3:]))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.batch, s, c.want)
		}
	}
}

// However a batch looks, each datagram leaves once, and behind what its lane sent before.
func TestGatherKeepsOrder(t *testing.T) {
	var g gathering
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		var words strings.Builder
		for range random.IntN(300) {
			fmt.Fprintf(&words, "%d%c%s ", random.IntN(8), 'a'+random.IntN(5), strings.Repeat("x", random.IntN(20)))
		}
		ds, lanes := batchOf(words.String())
		seen, last := make(map[string]bool), make(map[byte]string)
		for _, d := range g.gather(ds, lanes) {
			number, lane := string(d.Buf[:3]), d.Buf[3]
			if seen[number] || number <= last[lane] {
				t.Fatalf("seed %d: %s behind %s of its lane", seed, number, last[lane])
			}
			seen[number], last[lane] = true, number
		}
		if len(seen) != len(ds) {
			t.Fatalf("seed %d: %d of %d left", seed, len(seen), len(ds))
		}
	}
}

// Sorting a batch costs no memory, and little time beside that of sending it.
func BenchmarkGather(b *testing.B) {
	var words strings.Builder
	for i := range 80 {
		fmt.Fprintf(&words, "%c%c%s ", '0'+i%64, 'a'+i%2, strings.Repeat("x", i%9))
	}
	ds, lanes := batchOf(words.String())
	var g gathering
	b.ReportAllocs()
	for b.Loop() {
		g.gather(ds, lanes)
	}
}

// A message that came by a connection and has waited may be refused unread, too, if it was framed.
func TestSpareOfStream(t *testing.T) {
	spared, handled := 0, 0
	l := &Layer{Spare: func(p *Packet) bool { spared++; return p.Outline() != nil }, Handle: func(*Packet) { handled++ }}
	l.begin()
	flow := sip.Flow{Transport: sip.TCP, ID: 1, Remote: netip.MustParseAddrPort("192.0.2.1:5060")}
	p := l.packet(new(stream), new(Outbox))
	l.take(p, flow, optionsInside(1), nil)
	if spared != 0 || handled != 1 {
		t.Errorf("it did not wait: %d were offered, %d handled", spared, handled)
	}
	p.Waited = 1
	l.take(p, flow, optionsInside(2), nil)
	if spared != 1 || handled != 1 {
		t.Errorf("it has waited: %d were offered, %d handled", spared, handled)
	}
	l.take(p, flow, optionsInside(3), errFraming)
	if spared != 1 || handled != 2 {
		t.Errorf("its frame is broken: %d were offered, %d handled", spared, handled)
	}
}
