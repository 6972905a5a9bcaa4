// Package network is the wire: datagrams in batches, streams, names. One implementation uses the operating system, one is a
// simulation in virtual time with loss, delay, duplication and reordering, for tests.
package network

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// Network opens sockets. OS is the real one, [Sim] hosts are the simulated ones.
type Network interface {
	// ListenPacket opens n sockets on one UDP address that share the incoming datagrams (SO_REUSEPORT where the system has it; a
	// simulation and other systems return one); 0 opens one for each processor that the program may use. Port 0 picks a port; the IPv6
	// wildcard takes IPv4 too. The address is probed without SO_REUSEPORT first, so that a second server on a port in use is refused
	// with an error that wraps syscall.EADDRINUSE.
	//
	// The reader of each socket blocks its thread: fewest microseconds, for a few busy sockets. It wants a P of the runtime to keep
	// while it blocks (GOMAXPROCS above the number of busy goroutines), and is to go through the scheduler at least every 10 ms
	// (runtime.Gosched), or the runtime takes its P away each time it blocks. With n of 1 the socket waits in the runtime's poller, so
	// that thousands of idle ones cost no threads.
	ListenPacket(ctx context.Context, addr netip.AddrPort, n int) ([]PacketConn, error)
	// ListenStream listens for TCP connections.
	ListenStream(ctx context.Context, addr netip.AddrPort) (net.Listener, error)
	// DialStream connects over TCP, from local if its address is valid.
	DialStream(ctx context.Context, local netip.Addr, remote netip.AddrPort) (net.Conn, error)
	// LocalAddr returns the address from which a datagram to remote would leave.
	LocalAddr(remote netip.Addr) (netip.Addr, error)
}

// Datagram is one UDP packet in a batch.
type Datagram struct {
	Buf   []byte         // reading: where to put the bytes, len is the room; writing: the bytes
	N     int            // reading: how many bytes came
	Peer  netip.AddrPort // from whom, to whom; IPv4 is never in its IPv6-mapped form
	Local netip.Addr     // reading: the local address it was sent to; writing: the address to send from, if valid (IP_PKTINFO)
}

// PacketConn is a UDP socket. One goroutine reads; any may write.
type PacketConn interface {
	// ReadBatch waits for at least one datagram and fills ms from the start; it returns how many. After Close it returns net.ErrClosed.
	ReadBatch(ms []Datagram) (int, error)
	// WriteBatch sends ms in order and returns how many were handed to the system before the error. A datagram refused for itself
	// (destination unreachable, too long) is skipped, and the first such error returned after the rest was sent.
	WriteBatch(ms []Datagram) (int, error)
	// LocalAddr is the address listened on, with the real port.
	LocalAddr() netip.AddrPort
	// Close ends a blocked ReadBatch and frees the socket.
	Close() error
}

// Waiter is a [PacketConn] that knows how late its reader is.
type Waiter interface {
	// Waited is how long the datagram read last lay in the socket, as far as the system tells: it takes the time of arrival only once it was asked. It is for the reader.
	Waited(now time.Time) time.Duration
}

// Dedicated is a [PacketConn] whose reader may have a thread of its own.
type Dedicated interface {
	// Dedicate gives the calling goroutine, which reads until the socket is closed and then ends, a thread that gets the processor as soon as something comes: what
	// the process does beside, and others on the machine, would otherwise use up their slice first. Its share of the processor stays what it was.
	Dedicate()
}

// Conductor is a [Network] that lets one goroutine of its user go on at a time, so that what happens is the same each time. A [SimHost] is one.
type Conductor interface {
	// Ticket returns a function that waits until everything else is at rest; it may be called again. Of those who wait at one instant, who has taken
	// the earlier ticket goes first.
	Ticket() (turn func())
}

// Ticket returns that of n, or of a network that conducts nothing a function that does not wait.
func Ticket(n Network) (turn func()) {
	if c, ok := n.(Conductor); ok {
		return c.Ticket()
	}
	return func() {}
}

// Resolver looks names up for RFC 3263. A name that does not exist gives no records and no error; an error is a failure of the look-up.
type Resolver interface {
	LookupNAPTR(ctx context.Context, name string) ([]NAPTR, error)
	LookupSRV(ctx context.Context, name string) ([]SRV, error)
	// LookupAddr returns A and AAAA records.
	LookupAddr(ctx context.Context, host string) ([]netip.Addr, error)
}

// NAPTR is a naming authority pointer. RFC 3403.
type NAPTR struct {
	Order, Preference   uint16
	Flags, Service      string
	Regexp, Replacement string
}

// SRV is a service location. RFC 2782.
type SRV struct {
	Priority, Weight, Port uint16
	Target                 string
}
