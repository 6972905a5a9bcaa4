// Package hostile attacks a whole server on loopback sockets: the torture messages of RFC 4475 and RFC 5118, broken framing, cut messages, noise, floods, and
// text that wants to become a header. It holds tests only. What each promises: an answer at most, the right one where an RFC names it, honest telephones
// undisturbed, and nothing left behind once the timers have passed.
package hostile
