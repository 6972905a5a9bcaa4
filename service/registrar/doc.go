// Package registrar keeps where people can be reached: it answers REGISTER, holds the bindings, and finds them again.
//
// [Registrar] is an event handler that never blocks. What it decides about one request is a pure function (update.go); the table (table.go) keeps each
// address-of-record as one compact record outside the garbage collector's sight; the wheel (wheel.go) knows when each is to be looked at; the journal (journal.go, stage.go)
// keeps the same records before the 200 leaves, so that a binding survives the process. A REGISTER that renews a binding allocates nothing (work.go).
//
// It does not authenticate: package digest stands in front and says who sent a request. It does not route: [Registrar.Locate] and [Registrar.Lookup] give bindings, and
// each says by which way it is reached.
//
// RFC 3261 §10; RFC 3327 (Path); RFC 3608 (Service-Route); RFC 4475 (bindings are given back as they came); RFC 5626 (outbound); RFC 5627 (GRUU); RFC 8599 (push parameters).
package registrar
