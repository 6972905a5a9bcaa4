// Package registrar keeps where people can be reached: it answers REGISTER, holds the bindings, and finds them again.
//
// [Registrar] is an event handler that never blocks. What it decides about one request is a pure function (update.go); the table (table.go,
// slab.go) keeps each address-of-record as one compact record outside the garbage collector's sight; the journal (journal.go) writes the same
// records to disk before the 200 leaves, so that a binding survives the process.
//
// It does not authenticate: package digest stands in front and says who sent a request. It does not route: [Registrar.Lookup] gives bindings, and
// each says by which way it is reached.
//
// RFC 3261 §10; RFC 3327 (Path); RFC 4475 (bindings are given back as they came).
// Open: instance and reg-id of RFC 5626 are stored and replace older bindings, but flow tokens and flow recovery are not offered, nor are public GRUUs (RFC 5627).
package registrar
