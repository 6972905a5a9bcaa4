// Package dialog keeps what outlives a transaction: the dialog itself and its INVITE usage, from the first INVITE to the last BYE.
//
// [Dialog] is plain data: tags, sequence numbers, route set, target. [Usage] is a call as one user agent sees it. It is driven by
// events, never blocks, and lives in one stripe of the engine; its owner (a B2BUA leg, a PBX application, a telephone) is told what
// happens by typed events ([Progress], [Answered], [Offer], [Ended] …) and gives orders by methods. [Table] stands in front of
// everything else and finds the usage of a request or ACK inside a dialog.
//
// The decisions are pure functions: uac.go (the caller), uas.go (the callee), offer.go and glare.go (changes of the session). The
// shells around them hold timers and messages: caller.go, callee.go, modify.go, bye.go, inside.go.
//
// The room knows no media: a body is bytes with a type. It does not resolve, authenticate or authorise; challenges to our own requests
// go to an [Authorizer].
//
// RFC 3261 §12, §13, §14, §15; RFC 3311 (UPDATE, receiving only); RFC 3326 (Reason); RFC 6141 (failed re-INVITE); RFC 7989 (Session-ID).
// Open: reliable provisional responses (RFC 3262) are refused with 420 and never promised, and session timers (RFC 4028) are not offered.
package dialog
