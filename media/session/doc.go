// Package session holds the media of one side of a call, from an offer to packets or frames.
//
// A [Leg] is the side of a back-to-back call: it takes the descriptions of its peer ([Leg.Offered], [Leg.Answered]), gives out
// those of the far side as its own ([Leg.Offer], [Leg.Answer]), and [Settle] joins two of them. Codecs, directions and whatever
// else is agreed end to end pass untouched; addresses are ours. How packets go over the wire is an affair between each peer and its
// leg ([Kind], package carriage): neither sees what the other does. Nothing happens to packets before [Settle]: an offer that is refused leaves the
// session as it was (RFC 3264 §8).
//
// An [Endpoint] is somebody who hears and speaks here: it makes offers and answers from what it can do, and is an
// [io.ReadWriter] of PCM at the pace of the call, with a jitter buffer, digits (RFC 4733) and RTCP (RFC 3550 §6). Beside its sound it has [Picture]s, whose packets it hands on as they are.
//
// The lines of a peer that bundles go over one transport (RFC 9143); whom it talks to need not know.
//
// A [Site] says where sockets are opened and how peers reach them.
//
// RFC 3264 (the rules of offer and answer are kept by what both peers say; a slot never disappears), RFC 3605, RFC 4568, RFC 4961,
// RFC 5761, RFC 8643.
package session
