// Package siptest tests SIP programs without sockets: phones, scripted peers and servers on a simulated network in virtual time, a
// recorder that draws the flow as a ladder, and an audit at the end.
//
// # How do I write a test with two phones?
//
//	func TestCall(t *testing.T) {
//		siptest.Run(t, func(b *siptest.Bench) {
//			alice, bob := b.Phone("alice"), b.Phone("bob")
//			call := alice.Dial(bob.URI())
//			in := bob.Incoming()
//			in.Ring()
//			b.Wait(2 * time.Second)
//			in.Answer()
//			call.Await("Answered")
//			in.Await("AckReceived")
//			call.Bye()
//			in.Await("Ended")
//			b.Golden("call", "A call that is answered.")
//		})
//	}
//
// Virtual time costs nothing: a bench runs inside a bubble of testing/synctest, so a test of a 32-second timer takes microseconds, and
// everything is over when nothing more can happen. [Bench.Golden] compares what went over the wire with testdata/call.ladder; run the test with -update
// (a flag that the test package declares: var _ = flag.Bool("update", false, "…")) to write it.
//
// # How do I lose, double and reorder messages?
//
// Give [Run] the [Faults], with a seed that makes them repeatable. A flow that waits for what must come in the end ([Call.Await]) and not for what may get
// lost (a 180) runs unchanged.
//
// [RunFlows] and [RunFlowsBadly] do both for a list of flows.
//
// # How do I play a peer that does it wrong?
//
// [Bench.Peer] is a host that says and expects text:
//
//	mallory := b.Peer("mallory")
//	mallory.Send("bob", `OPTIONS sip:bob@{bob} SIP/2.0
//		Via: SIP/2.0/UDP {mallory};branch={branch}
//		…`)
//	mallory.Expect("SIP/2.0 200")
//
// # How do I test my own server?
//
// [Bench.Host] is a network.Network: give it to the server, and put the server under the audit with [Bench.Watch].
//
// # The audit
//
// When the flow ends, [Run] waits until every transaction has had its time and fails the test if a message on the wire was illegal (raw peers may say what
// they like), a dialog is open, or a transaction, timer, port or goroutine is left.
package siptest
