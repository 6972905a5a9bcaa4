// Package b2bua is the service that lets accounts call each other: a back-to-back user agent with media relayed.
//
// A [B2BUA] is an event handler behind a [dialog.Table]. An INVITE from outside becomes a call: one leg toward the caller,
// one toward each device of the callee, all in one stripe of the engine. All devices ring at once and the first answer wins;
// the caller sees one early dialog. What passes from leg to leg is on a list (header.go), everything else ends here. Each
// part of a call has its file: route.go, hunt.go, divert.go, fork.go, answer.go, failure.go, redirect.go, hangup.go, reinvite.go, inside.go, replace.go, pickup.go, join.go, transfer.go, transfer_attended.go.
//
// The service knows neither accounts nor registrations: a [Router] says who is called, a [Locator] where their devices are,
// an [Identity] who calls, and an [Observer] is told what became of each call.
//
// RFC 3261 (as a user agent on both sides), RFC 7092 §3 (a signalling and media-relaying B2BUA), RFC 3264 (offers and answers
// are carried across), RFC 3326, RFC 7989 (one Session-ID on both legs).
// RFC 3911 (somebody joins a call, which is mixed meanwhile),
// RFC 3891 (an INVITE takes the place of one side, or the call that rings at a device), RFC 3515 and RFC 5589 (transfers are made here, blind ones and attended ones between calls of ours).
// RFC 4538 (an application hears which consultation a transfer is about).
// RFC 3323, RFC 3325 and RFC 4916 (who is shown to whom).
// RFC 5806, RFC 7044, RFC 4458 and RFC 8119 (why a call is diverted is told, and loops are cut).
package b2bua
