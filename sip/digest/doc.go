// Package digest proves who sent a request, on both sides: [Authenticator] is the middleware that challenges requests and verifies
// the answers, [Client] answers challenges.
//
// The server keeps no table of nonces. A nonce carries its time and a MAC over time, realm and source address, so every node that
// has the key can verify it; a fixed-size array remembers how often each was used, and fixed-size tables throttle sources that
// guess, and the guesses for one user from many sources. The client sends credentials only to the host and the realm that they were configured for.
//
// Obeyed: RFC 7616, RFC 8760, RFC 3261 §22 (as updated by RFC 8760). Answers without qop (RFC 2069) are accepted, each nonce once.
// Open: Authentication-Info (RFC 7616 §3.5) is neither sent nor read; session variants of the algorithms and userhash are not offered and
// not answered.
package digest
