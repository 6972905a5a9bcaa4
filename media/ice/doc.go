// Package ice finds a way between two hosts behind NATs, and keeps asking whether the other side still wants packets (ICE).
//
// An [Agent] works on the socket of one media stream, RTP and RTCP on one port. It is lite (it answers the checks of the peer,
// costs neither timer nor goroutine, and suits a server with a public address) or full (it checks as well). What it decides
// is a step function without clock, lock or socket (agenda.go, check.go, nominate.go); [Agent] is the shell around it.
//
// Only DTLS from an address that passed a check is handed on, and a stranger without our password gets no answer.
//
// RFC 8445 (one component, one local base), RFC 8838, RFC 8839, RFC 7675. Not here: where values stand in descriptions, TCP candidates,
// candidates with host names (a browser's mDNS names resolve by its checks), relayed candidates of our own.
package ice
