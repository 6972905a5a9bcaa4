// Package relay moves media packets from one socket to another as fast as the machine allows.
//
// A [Relay] opens a [Stream] for each m= line of each leg: a socket for RTP, one for RTCP, the address of the peer, and
// counters. [Join] makes two streams one path: what the peer of one sends goes to the peer of the other, unchanged. A
// stream can also be listened to ([Stream.Tap]) and spoken on ([Stream.Send]), so that an endpoint uses the same sockets
// and the same guard as a relayed call.
//
// Media is symmetric: a packet goes back to where packets come from. Whom a stream listens to is decided in latch.go;
// a source that has lasted gets a socket of the system for itself, which changes nothing about that.
// Packets are never decoded, and nothing is allocated for one.
//
// A stream may be protected ([Stream.Secure]); its partner need not be, or otherwise. STUN and DTLS are handed out ([Stream.Aside], [Stream.SendTo]),
// and what ICE has chosen is taken ([Stream.Fix]). RTCP may share the port of RTP on one side and not on the other ([Stream.Mux]).
//
// Several streams may share one transport ([Stream.Ride], [Stream.Sort]): each has a partner, listeners and counters of its own, and to whom they are joined need not know.
//
// RFC 3550 §6.4 and §11, RFC 3605, RFC 4961, RFC 5761, RFC 7362, RFC 7983, RFC 9143 §9.2. Not here: the ciphers and handshakes of SRTP, the checks of ICE, descriptions.
package relay
