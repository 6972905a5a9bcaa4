// Package load makes traffic and measures what a SIP server does with it: registrations, calls, messages and OPTIONS at a rate that is fixed in
// advance, with the calling and the called side in one process.
//
// The load is open: an operation is due at a time that does not depend on how the server fares, and its latency counts from then, so that a server that
// stalls cannot hide the operations that it keeps from starting. What comes back is checked as strictly as a careful telephone would: an answer with a wrong CSeq, a
// 200 without Contact, a lost Record-Route, an ACK that never came each count as a failure with its reason.
//
// A [Run] carries out one [Plan] and returns a [Result]; [Search] looks for the highest rate that is clean, [Compare] puts results beside each other, and
// [Plot] draws one. A run consists of workers. Each has ports of its own, a fixed array of operations in flight, a goroutine that begins them in time, and the readers of
// package transport; messages are templates printed by package sip.
//
// RFC 3261 §8.1.3, §12.2.1, §13.2, §13.3.1.4, §17.1 as far as a telephone that never cancels needs them; RFC 7616 by package digest. Media are described, never sent.
package load
