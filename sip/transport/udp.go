// Datagrams: one goroutine per socket, blocking in recvmmsg, a batch in, each message handled, a batch out. RFC 3261 §18.

package transport

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

const (
	// sharedBatch is how many datagrams one call takes from a socket that shares its address.
	sharedBatch = 16
	// singleBatch is the same for the only socket of a listener: a phone, or a simulation.
	singleBatch = 2
	// restEvery is how long a reader stays away from the scheduler. The runtime takes the P of a goroutine that is in a system call and
	// was not scheduled for 10 ms, every 20 µs anew, and each datagram then pays for getting it back.
	restEvery = 8 * time.Millisecond
	// datagramRoom takes the longest datagram; a message is copied from there into a packet of its own size. Rooms do not start at
	// multiples of a power of two, because those would share the same few lines of the processor's cache.
	datagramRoom = 64<<10 + 17*64
)

// read runs until the socket is closed.
func (l *Layer) read(ln *listener, socket network.PacketConn) {
	batch := singleBatch
	if l.Readers != 1 {
		batch = sharedBatch
	}
	arena := make([]byte, batch*datagramRoom)
	ms := make([]network.Datagram, batch)
	for i := range ms {
		ms[i].Buf = arena[i*datagramRoom:][:64<<10]
	}
	out := l.outbox(ln, socket)
	rested := time.Now()
	for {
		if time.Since(rested) > restEvery {
			runtime.Gosched()
			rested = time.Now()
		}
		n, err := socket.ReadBatch(ms)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			l.Log.Error("transport: read datagrams", "listener", ln.url, "error", err)
			time.Sleep(50 * time.Millisecond) // out of memory, most likely: leave the machine some air
			continue
		}
		for i := range n {
			l.readDatagram(&ms[i], ln, out)
		}
		l.Flush(out)
	}
}

// readDatagram sorts one datagram: message, keep-alive or junk.
func (l *Layer) readDatagram(m *network.Datagram, ln *listener, out *Outbox) {
	local := m.Local
	if !local.IsValid() {
		local = l.localAddr(ln, m.Peer.Addr())
	}
	f := sip.Flow{Transport: sip.UDP, Local: netip.AddrPortFrom(local, ln.addr.Port()), Remote: m.Peer}
	b := trimLineEnds(m.Buf[:m.N])
	switch {
	case len(b) == 0:
		l.answerEmpty(out, f, m.N)
	case isSTUN(b):
		l.answerSTUN(out, f, b)
	case !startsLikeMessage(b):
		l.Stats.Junk.Add(1)
	default:
		p := l.packet(b)
		p.Flow, p.Out = f, out
		l.receive(p, nil)
	}
}

// startsLikeMessage reports whether b starts with a token, as a method and "SIP/2.0" do.
func startsLikeMessage(b []byte) bool {
	c := b[0] | 0x20
	return c >= 'a' && c <= 'z' || b[0] >= '0' && b[0] <= '9' || b[0] == '!' || b[0] == '%' || b[0] == '*' || b[0] == '_' || b[0] == '+' ||
		b[0] == '`' || b[0] == '\'' || b[0] == '~' || b[0] == '-' || b[0] == '.'
}
