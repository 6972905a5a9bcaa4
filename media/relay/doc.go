// Package relay moves media packets from one socket to another as fast as the machine allows.
//
// A [Relay] opens a [Stream] for each m= line of each leg: a socket for RTP, one for RTCP, the address of the peer, and
// counters. [Join] makes two streams one path: what the peer of one sends goes to the peer of the other, unchanged. A
// stream can also be listened to ([Stream.Tap]) and spoken on ([Stream.Send]), so that an endpoint uses the same sockets
// and the same guard as a relayed call.
//
// Media is symmetric: a packet goes back to where packets come from. Whom a stream listens to is decided in latch.go.
// Packets are never decoded, and nothing is allocated for one.
//
// RFC 3550 §6.4 and §11, RFC 3605, RFC 4961, RFC 5761 §4 (telling RTP from RTCP). Not here: SRTP, ICE, descriptions.
package relay
