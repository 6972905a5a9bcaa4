// Package sdp reads, writes, changes and negotiates session descriptions.
//
// A [Description] is what the peer sent: its lines in their order, unknown ones included, cut into a session part and one
// part per medium. Printing an unmodified description gives the same bytes back, apart from line ends, which become CRLF,
// blank lines, which go, and the blanks of m= lines, which become single. Values are decoded when asked for
// ([Description.Address], [Description.Direction], [Media.Codecs]), so that a line nobody needs cannot make a call fail.
//
// [Capabilities] hold what we can do and make an answer (answer.go) or an offer (offer.go) from it. A back-to-back user
// agent that relays media instead passes the peer's description on after [Description.Relocate] and [Originator.Stamp].
//
// RFC 8866 and RFC 4566 (grammar; deviating phones are tolerated), RFC 3264 (offer and answer), RFC 3605 (a=rtcp),
// RFC 5761 §5.1.1 (a=rtcp-mux), RFC 3551 §6 (static payload types). Transport protection, ICE and grouping attributes
// are carried but not interpreted.
package sdp
