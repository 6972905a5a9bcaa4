// Whether a provider is well: the decisions about OPTIONS and what calls have met, without clock or socket. RFC 3261 §11.

package trunk

// healthState is what is thought of a provider.
type healthState uint8

const (
	healthUnknown healthState = iota // nothing was heard yet: calls are tried
	healthUp
	healthShaky // a question was not answered; another follows soon
	healthDown
)

// healthInput is what can happen.
type healthInput uint8

const (
	healthDue     healthInput = iota // time to ask
	healthAlive                      // any answer but 503 and 408
	healthDead                       // none, or one of these
	healthSuspect                    // a call has met silence or 503
)

// healthAction is what to do.
type healthAction uint8

const (
	healthAsk healthAction = iota
	healthSoon
	healthLater
	healthTellUp
	healthTellDown
)

// step decides.
func (s healthState) step(in healthInput) (healthState, []healthAction) {
	switch in {
	case healthDue:
		return s, []healthAction{healthAsk}
	case healthAlive:
		if s == healthUp || s == healthShaky {
			return healthUp, []healthAction{healthLater}
		}
		return healthUp, []healthAction{healthTellUp, healthLater}
	case healthSuspect:
		if s == healthUp || s == healthUnknown {
			return healthShaky, []healthAction{healthAsk}
		}
		return s, nil
	}
	switch s {
	case healthUp:
		return healthShaky, []healthAction{healthSoon}
	case healthDown:
		return healthDown, []healthAction{healthSoon}
	}
	return healthDown, []healthAction{healthTellDown, healthSoon}
}

// String gives the word that people read.
func (s healthState) String() string { return [...]string{"unknown", "up", "shaky", "down"}[s] }
