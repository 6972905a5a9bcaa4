// Package dtls agrees on the keys of a media stream by a DTLS handshake over the stream's own socket (DTLS-SRTP).
//
// An [Association] is one handshake in either role. It is fed with the datagrams of its peer, and gives a cipher for the
// stream once the handshake is done and the certificate of the peer fits the fingerprint in its description, which may be
// known before or after. The caller decides whose datagrams belong to it: from addresses that passed an ICE check, or from
// the address that was signalled; nothing else may reach [Association.Receive], or a third party's ClientHello that comes first
// takes or kills the call.
//
// The handshake itself is pion's. RFC 5763, RFC 5764 (profiles with authentication and encryption), RFC 8122.
package dtls
