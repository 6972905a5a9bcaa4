// Package transaction holds the four transaction machines of RFC 3261 §17 and the engine that runs hundreds of thousands of them.
//
// The machines are pure: a function from state and event to state and actions, in a file each (invite_client.go,
// invite_server.go, client.go, server.go). Around them is a shell: [Table] keeps the transactions as rows in 64 stripes, runs
// the events of a stripe one at a time on whichever goroutine brought them, keeps the timers, and talks to the transport layer.
// No transaction has a goroutine, a lock or a timer of its own. A row has 128 bytes and no pointer; what it keeps to send again lies in pages beside it; a request that is
// answered on the spot with RespondOnce never becomes a row. Pages go back to the system when they are empty.
//
// Timers fire when they are due; those that only free a transaction (D, I, J, K, L, M) up to a 64th of their length later, so that many go at once.
//
// The package knows nothing of dialogs, authentication or routing. Package stack joins it with the transports.
//
// RFC 3261 §8.2.2.2, §9, §17 and §18.1.1, as amended by RFC 6026 and RFC 4320; RFC 3263 §4.3.
package transaction
