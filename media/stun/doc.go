// Package stun reads the outside of STUN messages: whether a datagram is one, of which type, and whom a connectivity check is for. It neither checks nor allocates, so that a
// port that many share can tell in passing where a datagram belongs.
//
// RFC 8489 §5, RFC 8489 §14.3; RFC 8445 §7.2.2. Not here: integrity, and all other attributes: those who have the password read them (media/ice).
package stun
