// Package transaction holds the four transaction machines of RFC 3261 §17 and the engine that runs hundreds of thousands of them.
//
// The machines are pure: a function from state and event to state and actions, in a file each (invite_client.go,
// invite_server.go, client.go, server.go). Around them is a shell: [Table] keeps the transactions as pooled rows in 64 stripes, runs
// the events of a stripe one at a time on whichever goroutine brought them, keeps the timers, and talks to the transport layer.
// No transaction has a goroutine, a lock or a timer of its own.
//
// The package knows nothing of dialogs, authentication or routing. Package stack joins it with the transports.
//
// RFC 3261 §8.2.2.2, §9, §17 and §18.1.1, as amended by RFC 6026 and RFC 4320; RFC 3263 §4.3.
package transaction
