package mmsg

// Many sockets, few threads: what a hub is told, and what it asks of its owner.

import "net/netip"

// HubConfig says how a [Hub] is made.
type HubConfig struct {
	Room    int // the longest datagram that is read whole, in bytes
	Spare   int // how many bytes a [Taker] may write behind a datagram
	Receive int // size of the receive buffer of each socket in bytes, as far as the system allows; 0: the system's default
	Send    int // size of the send buffer
}

// NearSteps is in how many steps a [Taker.Take] is announced.
const NearSteps = 7

// A Taker gets what comes to one socket of a [Hub].
type Taker interface {
	// Near announces a Take, so that the processor fetches the memory that it needs ([Fetch]) for many of them at once instead of waiting for each. It is called in steps from 0 to [NearSteps]-1,
	// each for all datagrams of a round: what one step has asked for the next one may follow as a pointer. It must not block.
	Near(step int)
	// Take gets a datagram on the thread of the hub; it must not block. b and the Spare bytes behind it may be changed; both are valid until Take returns, or until they are
	// sent if they are handed to [Round.Send]. IPv4 addresses are never IPv6-mapped.
	Take(r *Round, b []byte, from netip.AddrPort)
}
