// Package mmsg reads and writes UDP datagrams in batches, one system call for many, and says on which local address each one
// arrived. It allocates nothing per call.
//
// On Linux a [Conn] uses recvmmsg and sendmmsg with IP_PKTINFO and IPV6_PKTINFO, either on a thread of its own that blocks in the
// call or through the runtime's poller. Elsewhere it reads one datagram at a time through package net, without packet
// information.
//
// A [Hub] serves many sockets with one thread: it waits for all of them, reads what there is in rounds, and sends what is made of that when the round is over. A [Sweep] does
// the same for some of them at the beat of its owner.
//
// Packages network and media/relay are the only users; programs use those.
package mmsg

import "net/netip"

// Config says how a socket is opened.
type Config struct {
	Addr     netip.AddrPort // what to bind; the IPv6 wildcard takes IPv4 too, and becomes the IPv4 wildcard where there is no IPv6
	Shared   bool           // SO_REUSEPORT: several sockets on one address share the incoming datagrams
	Blocking bool           // reads block a thread; otherwise they wait in the runtime's poller
	beside   bool           // another socket of ours has the address, and allows it
	Receive  int            // size of the receive buffer in bytes, as far as the system allows; 0: the system's default
	Send     int            // size of the send buffer
}
