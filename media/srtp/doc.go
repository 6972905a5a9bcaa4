// Package srtp protects the packets of one stream, and reads and prints the keys that descriptions carry.
//
// A [Cipher] seals what is sent and opens what is heard, in place and without allocation: RTP and RTCP, several sources
// (SSRC) a stream, each with its roll-over counter and its window against replay. Whatever it remembers is plain data
// ([Cipher.State], [Restore]), so that a stream can be handed over.
//
// Keys come from a=crypto attributes ([ParseCrypto], [Offer], [Choose]) or from a DTLS handshake (media/dtls).
//
// RFC 3711 (without key derivation rates and unencrypted or unauthenticated streams), RFC 4568 (one key an attribute),
// RFC 7714 (GCM). Not here: descriptions, sockets.
package srtp
