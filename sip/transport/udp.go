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
	// longestBatch is how many datagrams one call takes from a busy socket; singleBatch is the same for the only socket of a phone.
	longestBatch = 64
	singleBatch  = 2
	// looksForMore is how many single datagrams a quiet reader takes before it asks for two: asking costs a little.
	looksForMore = 4
	// restEvery is how long a reader stays away from the scheduler. The runtime takes the P of a goroutine that is in a system call and
	// was not scheduled for 10 ms, every 20 µs anew, and each datagram then pays for getting it back.
	restEvery = 8 * time.Millisecond
	// datagramRoom takes the longest datagram. Rooms do not start at multiples of a power of two, because those would share the same few
	// lines of the processor's cache.
	datagramRoom = 64<<10 + 17*64
)

// reader reads one datagram socket.
type reader struct {
	layer    *Layer
	listener *listener
	socket   network.PacketConn
	room     []network.Datagram // made as far as batches have been long
	batch    int                // how many to ask for
	longest  int
	single   int // datagrams that came alone since more were asked for
	waited   time.Duration
	packet   Packet
	out      *Outbox
}

// read runs until the socket is closed.
func (l *Layer) read(ln *listener, socket network.PacketConn) {
	r := &reader{layer: l, listener: ln, socket: socket, batch: 1, longest: longestBatch, out: l.outbox(ln, socket)}
	if l.Readers == 1 {
		r.longest = singleBatch
	}
	if d, ok := socket.(network.Dedicated); ok {
		d.Dedicate()
	}
	waits, _ := socket.(network.Waiter)
	rested := time.Now()
	for {
		n, err := socket.ReadBatch(r.rooms())
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			l.Log.Error("transport: read datagrams", "listener", ln.url, "err", err)
			time.Sleep(50 * time.Millisecond) // out of memory, most likely: leave the machine some air
			continue
		}
		r.out.now = time.Now()
		if r.waited = 0; n == r.longest && waits != nil {
			r.waited = waits.Waited(r.out.now)
		}
		for i := range n {
			r.take(&r.room[i])
		}
		l.Flush(r.out)
		r.adapt(n)
		if r.out.now.Sub(rested) > restEvery {
			rested = r.out.now
			runtime.Gosched()
		}
	}
}

// rooms returns where the next batch goes.
func (r *reader) rooms() []network.Datagram {
	for len(r.room) < r.batch {
		r.room = append(r.room, network.Datagram{Buf: make([]byte, datagramRoom)[:64<<10]})
	}
	return r.room[:r.batch]
}

// adapt chooses the length of the next batch after one that held n.
func (r *reader) adapt(n int) {
	switch {
	case r.batch == 1:
		if r.single++; r.single < looksForMore {
			return
		}
		r.single = 0
		r.batch = 2
	case n == r.batch:
		r.batch = min(2*n, r.longest)
	case 2*n <= r.batch:
		r.batch /= 2
	}
}

// take sorts one datagram: message, keep-alive or junk.
func (r *reader) take(m *network.Datagram) {
	l := r.layer
	local := m.Local
	if !local.IsValid() {
		local = l.localAddr(r.listener, m.Peer.Addr())
	}
	f := sip.Flow{Transport: sip.UDP, Local: netip.AddrPortFrom(local, r.listener.addr.Port()), Remote: m.Peer}
	b := trimLineEnds(m.Buf[:m.N])
	switch {
	case len(b) == 0:
		if m.N >= pingLength && !l.quiet(m.Peer.Addr()) {
			l.answerPing(r.out, f)
		}
	case isSTUN(b):
		if !l.quiet(m.Peer.Addr()) {
			l.answerSTUN(r.out, f, b)
		}
	case !startsLikeMessage(b) || !sip.IsResponse(b) && !resemblesRequest(b):
		l.Stats.Junk.Add(1)
	default:
		r.packet.Out, r.packet.Waited = r.out, r.waited
		l.take(&r.packet, f, b, nil)
	}
}

// startsLikeMessage reports whether b starts with a token, as a method and "SIP/2.0" do.
func startsLikeMessage(b []byte) bool {
	c := b[0] | 0x20
	return c >= 'a' && c <= 'z' || b[0] >= '0' && b[0] <= '9' || b[0] == '!' || b[0] == '%' || b[0] == '*' || b[0] == '_' || b[0] == '+' ||
		b[0] == '`' || b[0] == '\'' || b[0] == '~' || b[0] == '-' || b[0] == '.'
}
