// Package dialog keeps what outlives a transaction: the dialog itself and its INVITE usage, from the first INVITE to the last BYE.
//
// [Dialog] is plain data: tags, sequence numbers, route set, target. [Usage] is a call as one user agent sees it. It is driven by
// events, never blocks, and lives in one stripe of the engine; its owner (a B2BUA leg, a PBX application, a telephone) is told what
// happens by typed events ([Progress], [Answered], [Offer], [Ended] …) and gives orders by methods. [Table] stands in front of
// everything else and finds the usage of a request or ACK inside a dialog.
//
// The decisions are pure functions: uac.go (the caller), uas.go (the callee), reliable.go (its reliable 1xx), offer.go and glare.go (changes of the session),
// terms.go (session timers). The shells around them hold timers and messages: caller.go, early.go, callee.go, provisional.go, modify.go, refresh.go, bye.go, inside.go.
//
// A usage keeps the extensions by itself and with whatever peer it has: a 1xx goes reliably where the caller asks for that, each reliable 1xx gets its PRACK,
// and each session is refreshed, by UPDATE or re-INVITE, by whoever is elected. What the owner sees of it are offers that come in UPDATE and PRACK, and
// answers that come before the call is answered.
//
// The room knows no media: a body is bytes with a type. It does not resolve, authenticate or authorise; challenges to our own requests
// go to an [Authorizer].
//
// RFC 3261 §12, §13, §14, §15; RFC 3262 (reliable provisional responses); RFC 3311 (UPDATE); RFC 3326 (Reason); RFC 4028 (session timers); RFC 6141 (failed
// re-INVITE); RFC 6228 (199); RFC 6337 (where offers may stand); RFC 7989 (Session-ID).
package dialog
