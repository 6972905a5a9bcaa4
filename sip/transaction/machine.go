// What the four machines share: states, events, timers and actions. RFC 3261 §17, RFC 6026 §7.

package transaction

// state is where a transaction stands.
type state uint8

const (
	idle                state = iota // before the first message
	calling                          // INVITE client: sent, nothing heard
	callingCancelled                 // the same, and a CANCEL waits for a 1xx (RFC 3261 §9.1)
	trying                           // others: sent or received, nothing answered
	proceeding                       // a provisional response passed
	proceedingCancelled              // INVITE client: the CANCEL was sent
	completed                        // a final response passed (INVITE: other than 2xx)
	accepted                         // INVITE: a 2xx passed (RFC 6026 §7)
	confirmed                        // INVITE server: the ACK came
	terminated                       // over; the row is freed
)

// event is what can happen to a transaction.
type event uint8

const (
	request     event = iota // client: the TU's request; server: the request, or it again
	provisional              // 1xx: received by a client, given by the TU of a server
	success                  // 2xx
	failure                  // 3xx to 6xx
	acknowledge              // server: an ACK came
	cancelled                // client: the TU wants to cancel; server: a CANCEL came
	broken                   // the transport could not send
	fired                    // fired+timer: that timer ran out
)

// fires is the event that timer t ran out.
func fires(t timer) event { return fired + event(t) }

// timer names a timer of RFC 3261 §17 (timer C is the proxy's) or one of the four that the RFCs leave without a letter.
type timer uint8

const (
	timerA timer = iota // INVITE client: send again
	timerB              // INVITE client: give up
	timerD              // INVITE client: wait for late copies of a non-2xx
	timerE              // client: send again
	timerF              // client: give up
	timerG              // INVITE server: send the non-2xx again
	timerH              // INVITE server: give up waiting for the ACK
	timerI              // INVITE server: wait for late ACKs
	timerJ              // server: wait for late copies of the request
	timerK              // client: wait for late copies of the response
	timerL              // INVITE server: wait for late INVITEs after a 2xx (RFC 6026 §7.1)
	timerM              // INVITE client: wait for 2xx of other forks (RFC 6026 §7.2)

	timerTrying // server: a 100 is due (RFC 3261 §17.2.1, RFC 4320 §4.1)
	timerCancel // INVITE client: no final response after the CANCEL (RFC 3261 §9.1)
	timerLate   // server: an answer would come too late for the client (RFC 4320 §4.2)
	timerStale  // INVITE server: the TU has said nothing for long (RFC 3261 §13.3.1.1, §16.6 step 11)
	timerCount
)

// timers is a set of timers.
type timers uint32

func (s timers) has(t timer) bool { return s&(1<<t) != 0 }

// Sets of one, for the machines to write their actions with.
const (
	setA      timers = 1 << timerA
	setB      timers = 1 << timerB
	setD      timers = 1 << timerD
	setE      timers = 1 << timerE
	setF      timers = 1 << timerF
	setG      timers = 1 << timerG
	setH      timers = 1 << timerH
	setI      timers = 1 << timerI
	setJ      timers = 1 << timerJ
	setK      timers = 1 << timerK
	setL      timers = 1 << timerL
	setM      timers = 1 << timerM
	setTrying timers = 1 << timerTrying
	setCancel timers = 1 << timerCancel
	setLate   timers = 1 << timerLate
	setStale  timers = 1 << timerStale
)

// verb is a set of things to do; they are done in the order of the constants.
type verb uint16

const (
	pass    verb = 1 << iota // give the message to the TU
	send                     // the request, or the response the TU gave
	resend                   // the bytes sent last
	ack                      // build and send the ACK to a non-2xx
	cancel                   // build and send the CANCEL
	sayTry                   // send a 100
	timeout                  // tell the TU: timed out
	fail                     // tell the TU: could not be sent
	drop                     // forget the bytes kept for sending again
	sayLate                  // send a 408 for a TU that says nothing
)

// actions is what a step asks the shell to do: verbs, then timers.
type actions struct {
	do    verb
	stop  timers
	start timers // with the first interval
	again timers // A, E, G: with the next interval
	slow  bool   // timer E in Proceeding: the next interval is T2
}

// has reports whether v is among the verbs.
func (a actions) has(v verb) bool { return a.do&v != 0 }
