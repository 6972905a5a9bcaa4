// Package rtp holds what a media leg needs of the Real-time Transport Protocol: packets parsed and written in place,
// statistics of a received stream, the numbering of a sent one, RTCP reports, a jitter buffer, and DTMF as telephone
// events. Nothing here opens a socket, starts a goroutine or asks the time: times come in as arguments.
//
// RFC 3550 (RTP and RTCP; of RTCP the reports, CNAME and BYE, and not the timing rules of RFC 3550 §6.3), RFC 5761 §4
// (telling RTCP from RTP), RFC 4733 §2 (telephone events).
package rtp
