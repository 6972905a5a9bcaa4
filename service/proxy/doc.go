// Package proxy forwards requests and responses: a stateful proxy for the people of a domain.
//
// [Proxy] is an event handler that never blocks. It forks a request to all targets of a user, those of equal preference at once and the groups one after the
// other (fork.go), forwards every 2xx at once, and of the refusals the best (best.go). It stays on the way of the dialogs it helps to set up by a Record-Route with a
// token that nobody can forge (token.go), so that what moves inside a dialog needs no proof and nobody else is forwarded for: it is never an open relay.
//
// A proxy carries no media, changes no body and keeps no call: what it knows of a request is forgotten with the final response. Only the transactions stay behind
// for as long as copies and late answers may come (RFC 6026).
//
// It does not authenticate: package digest stands between [Proxy.HandleEvent] and [Proxy.Forward]. Where somebody can be reached is asked of a [Locator].
//
// RFC 3261 §16 with RFC 6026 §7.3; RFC 5393 (loops and breadth); RFC 3326 (Reason); RFC 3327 (Path); RFC 3325 (asserted identity); RFC 5626 §5 (flow tokens);
// RFC 5630 §5.3 (sips); RFC 6228 (199). Stateless it is for the ACK to a 2xx alone.
package proxy
