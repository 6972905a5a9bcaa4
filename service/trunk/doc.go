// Package trunk keeps the ways to the telephone network: it registers at providers, sees whether they are well, chooses among them, knows whose call comes in by which, and turns
// numbers and callers into what each wants to see.
//
// A [Group] holds all trunks of a server; [Group.Set] may be called while calls are under way. It makes no calls: [Group.Ways] says how one leads out, for a B2BUA to ring, and
// [Group.Recognise] from which trunk a request came. Registration and health are machines without clock and socket (registration.go, health.go) in the stripe of their trunk.
//
// RFC 3261 §10.2, §22; RFC 3263 as far as the engine sends by it; RFC 3325 and RFC 3323 toward a provider; RFC 3608 Service-Route; RFC 5626 as a client with one flow.
// Signatures of callers are those of package passport. Open: a bulk registration for all numbers (RFC 6140) as a client.
package trunk
