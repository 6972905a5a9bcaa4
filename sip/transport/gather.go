// Datagrams of a batch put in the order in which the system takes most of them as one. udp(7), UDP_SEGMENT.

package transport

import (
	"encoding/binary"

	"github.com/sipwerk/sipwerk/network"
)

// worthGathering is how many datagrams a batch must have: fewer seldom have anything in common.
const worthGathering = 8

// gathering is the room for one sorted batch.
type gathering struct {
	runs   []run
	of     []uint8 // the run of each datagram
	sorted []network.Datagram
}

// run is datagrams of one length that go to one port of a peer.
type run struct {
	key   uint64
	count int
	start int // where it lies in the sorted batch
}

// mostRuns is how many are kept apart; what fits none of them ends the gathering, and the rest stays as it is.
const mostRuns = 64

// gather returns ds with those together that go to one peer and are equally long, because the system takes neighbours of that kind as one. What one lane sends keeps its order: its
// messages may belong to one transaction. lanes holds the lane of each.
func (g *gathering) gather(ds []network.Datagram, lanes []uint8) []network.Datagram {
	if len(ds) < worthGathering {
		return ds
	}
	g.assign(ds, lanes)
	at := 0
	for i := range g.runs {
		g.runs[i].start = at
		at += g.runs[i].count
	}
	g.sorted = append(g.sorted[:0], ds...)
	for i, n := range g.of {
		r := &g.runs[n]
		g.sorted[r.start] = ds[i]
		r.start++
	}
	return g.sorted
}

// assign gives each datagram the first run that it fits and that lies behind the one its lane used last, or a new one.
func (g *gathering) assign(ds []network.Datagram, lanes []uint8) {
	var earliest [256]uint8 // of each lane
	g.runs, g.of = g.runs[:0], g.of[:0]
	for i := range ds {
		key, lane := keyOf(&ds[i]), lanes[i]
		n := int(earliest[lane])
		for n < len(g.runs) && g.runs[n].key != key {
			n++
		}
		switch {
		case n < len(g.runs):
		case n < mostRuns:
			g.runs = append(g.runs, run{key: key})
		default:
			return
		}
		g.runs[n].count++
		g.of = append(g.of, uint8(n))
		earliest[lane] = uint8(n)
	}
}

// keyOf is a number that datagrams share which go to one port of a peer and are equally long. Others may share it, too: they only stand in the way.
func keyOf(d *network.Datagram) uint64 {
	const prime = 0x9e3779b97f4a7c15
	a := d.Peer.Addr().As16()
	h := binary.LittleEndian.Uint64(a[:])*prime ^ binary.LittleEndian.Uint64(a[8:])
	return (h*prime^uint64(d.Peer.Port()))*prime ^ uint64(len(d.Buf))
}
