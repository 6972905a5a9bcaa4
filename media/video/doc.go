// Package video forwards pictures without looking into them further than it must: what a conference needs to show its members to each other (a selective
// forwarding middlebox, RFC 7667 §3.7).
//
// A [Source] is the pictures of somebody, in one stream or in several of different quality (simulcast, RFC 8853). A [Tile] is one stream to somebody who looks: it shows one source after
// another, and begins each with a whole picture ([Format.Opens]), which it has the source asked for. [Track] renumbers packets so that what comes out is one stream.
// [Budget] estimates what a receiver can take, [Share] divides that among its tiles, and [Ranking] says who is to be looked at.
//
// It opens no sockets, keeps no goroutine and reads no clock: packets and times come in, packets go out through functions. It does not decode or encode.
//
// RFC 4588 §8.1 ([KeepTime]); RFC 7741 (VP8) and RFC 6184 (H.264), as far as whole pictures are told and pictures renumbered; RFC 4585 §6.2.1 and §6.3.1 (NACK and PLI are answered here or asked of the source).
package video
