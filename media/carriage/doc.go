// Package carriage is how one stream of a session goes over the wire: its profile, its keys, and the way to the peer.
//
// A [Transport] takes what the descriptions of a peer say of that ([Read]), by offer and answer ([Transport.Hear] and [Transport.Answer]; [Transport.Offer] and [Transport.Accept]), and
// writes our part of it. [Transport.Settle] puts what was agreed on in force: keys of the descriptions (SDES), a handshake (DTLS), ICE, RTCP on the port of RTP. Until then the stream goes on
// as it did, and [Transport.Drop] forgets what was refused.
//
// What is in the packets, and which lines there are, is nothing to it: that is package session, which owns the streams.
//
// RFC 3264 (keys and ways follow its rules of offer and answer), RFC 4568, RFC 5761, RFC 5763, RFC 8445, RFC 8643, RFC 8839, RFC 8840, RFC 8842.
package carriage
