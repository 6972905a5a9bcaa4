// Package turn is the STUN and TURN server inside the program: it tells a client how it is seen, and relays for clients that nothing else
// reaches, over UDP, TCP and TLS.
//
// Only accounts get a relay, with credentials that were issued for a while ([Key.Issue]), and so many of them at a time. A relay
// reaches neither private addresses nor this machine, but for the ports where it has media itself: see [Reach].
//
// The protocol is pion's. RFC 8489, RFC 8656; no relays over TCP (RFC 6062).
package turn
