// One operation as a pure machine: what a telephone does next when something happens. RFC 3261 §8.1.3, §13.2.2, §15.1.1, §17.1.

package load

// phase is how far an operation is.
type phase uint8

const (
	phaseFree   phase = iota // none
	phaseAsking              // its request waits for the final answer
	phaseHeld                // its call stands
	phaseEnding              // its BYE waits for the final answer
)

// happening is what befalls an operation.
type happening uint8

const (
	happenProvisional happening = iota // a 1xx
	happenSuccess                      // a 2xx to the request under way
	happenRepeated                     // once more the 2xx to the INVITE
	happenChallenge                    // a 401 or 407 that can be answered
	happenRefusal                      // any other final answer, or a challenge that cannot be answered
	happenTimer                        // the time to send again
	happenTimeout                      // 64*T1 without a final answer
	happenRelease                      // the call has been held long enough
	happenWrong                        // an answer that is not as the standard wants it
)

// deed is a set of what is to be done.
type deed uint16

const (
	doResend   deed = 1 << iota // send the request again
	doProve                     // send it with the answer to the challenge
	doAck                       // acknowledge the 2xx
	doConcede                   // acknowledge the refusal of the INVITE
	doMeasure                   // the latency is known
	doHold                      // wait with the BYE
	doBye                       // send the BYE
	doComplete                  // the operation went well
	doFail                      // it did not
)

// moment is the state of an operation.
type moment struct {
	phase      phase
	call       bool // the request is an INVITE
	hold       bool // the call is held before the BYE
	proceeding bool // a 1xx has come
}

// step says what happens next. It knows neither clock nor wire.
func (m moment) step(h happening) (moment, deed) {
	switch m.phase {
	case phaseAsking:
		return m.ask(h)
	case phaseHeld:
		switch h {
		case happenRepeated:
			return m, doAck
		case happenRelease:
			return moment{phase: phaseEnding, call: true}, doBye
		case happenWrong:
			return moment{}, doFail
		}
	case phaseEnding:
		return m.end(h)
	}
	return m, 0
}

// ask is the phase of the first request.
func (m moment) ask(h happening) (moment, deed) {
	concede := deed(0)
	if m.call {
		concede = doConcede // RFC 3261 §17.1.1.3
	}
	switch h {
	case happenProvisional:
		m.proceeding = true
	case happenSuccess:
		switch {
		case m.call && m.hold:
			return moment{phase: phaseHeld, call: true}, doMeasure | doAck | doHold
		case m.call:
			return moment{phase: phaseEnding, call: true}, doMeasure | doAck | doBye
		}
		return moment{}, doMeasure | doComplete
	case happenChallenge:
		m.proceeding = false
		return m, concede | doProve
	case happenRefusal:
		return moment{}, concede | doFail
	case happenTimer:
		if m.call && m.proceeding {
			return m, 0 // RFC 3261 §17.1.1.2: timer A runs in the state Calling only
		}
		return m, doResend
	case happenTimeout, happenWrong:
		return moment{}, doFail
	}
	return m, 0
}

// end is the phase of the BYE.
func (m moment) end(h happening) (moment, deed) {
	switch h {
	case happenProvisional:
		m.proceeding = true
	case happenSuccess:
		return moment{}, doComplete
	case happenRepeated:
		return m, doAck
	case happenChallenge:
		m.proceeding = false
		return m, doProve
	case happenTimer:
		return m, doResend
	case happenRefusal, happenTimeout, happenWrong:
		return moment{}, doFail
	}
	return m, 0
}
