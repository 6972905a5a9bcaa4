package turn

// What stands in front of the protocol: limits for whoever has proved nothing yet.

import (
	"encoding/binary"
	"hash/maphash"
	"net"
	"sync/atomic"
	"time"
)

// strangers is how many requests without credentials of one source are answered in a second. An answer may be five times as long as its
// request, and over UDP the source may be forged.
const strangers = 10

// gate is a UDP socket that passes on so many requests without credentials of a source.
type gate struct {
	net.PacketConn
	ignored *atomic.Uint64
	seed    maphash.Seed

	// Only the goroutine that reads uses what follows. Sources share places by their hash: nothing grows.
	second int64
	counts [4096]uint8
}

func newGate(c net.PacketConn, ignored *atomic.Uint64) *gate {
	return &gate{PacketConn: c, ignored: ignored, seed: maphash.MakeSeed()}
}

// ReadFrom implements net.PacketConn.
func (g *gate) ReadFrom(b []byte) (int, net.Addr, error) {
	for {
		n, from, err := g.PacketConn.ReadFrom(b)
		if err != nil || proves(b[:n]) || g.admit(from, time.Now()) {
			return n, from, err
		}
		g.ignored.Add(1)
	}
}

func (g *gate) admit(from net.Addr, now time.Time) bool {
	u, ok := from.(*net.UDPAddr)
	if !ok {
		return false
	}
	if s := now.Unix(); s != g.second {
		g.second, g.counts = s, [4096]uint8{}
	}
	n := &g.counts[maphash.Comparable(g.seed, u.AddrPort().Addr().Unmap())%uint64(len(g.counts))]
	if *n >= strangers {
		return false
	}
	*n++
	return true
}

// proves tells whether a datagram is of somebody with credentials, or makes nobody answer: one with MESSAGE-INTEGRITY, data in a channel,
// an indication. RFC 8489 §5, RFC 8489 §14.5; RFC 8656 §12.
func proves(b []byte) bool {
	if len(b) < 20 || b[0] > 3 {
		return true
	}
	if typ := binary.BigEndian.Uint16(b); typ&0x0110 != 0 {
		return true
	}
	for rest := b[20:]; len(rest) >= 4; {
		typ, n := binary.BigEndian.Uint16(rest), int(binary.BigEndian.Uint16(rest[2:]))
		if typ == 0x0008 || typ == 0x001C {
			return true
		}
		rest = rest[min(len(rest), 4+(n+3)&^3):]
	}
	return false
}
