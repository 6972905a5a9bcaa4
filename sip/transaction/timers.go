// How long each timer runs. RFC 3261 §17 Table 4, RFC 6026 §7, RFC 4320 §4.

package transaction

import "time"

// Timers holds the estimates from which every timer follows; zero fields mean the RFC's values.
type Timers struct {
	T1 time.Duration // round trip; 500 ms
	T2 time.Duration // longest interval between copies of a non-INVITE request or an INVITE response; 4 s
	T4 time.Duration // how long a message lives in the network; 5 s
}

func (t Timers) withDefaults() Timers {
	if t.T1 <= 0 {
		t.T1 = 500 * time.Millisecond
	}
	if t.T2 <= 0 {
		t.T2 = 4 * time.Second
	}
	if t.T4 <= 0 {
		t.T4 = 5 * time.Second
	}
	return t
}

// tryingDelay is how long an INVITE may stay without any response. RFC 3261 §17.2.1.
const tryingDelay = 200 * time.Millisecond

// staleRounds, in T1, is how long the TU may leave an INVITE without a word of its own: 4 minutes. A TU that is alive says something every minute, because proxies on
// the way give up after 3. RFC 3261 §13.3.1.1, §16.6 step 11.
const staleRounds = 480

// first is the time after which timer t fires when it is started; ok is false if it is not used on such a transport. Zero
// means at once.
func (t Timers) first(tm timer, invite, reliable bool) (d time.Duration, ok bool) {
	switch tm {
	case timerA, timerE, timerG:
		return t.T1, !reliable
	case timerD:
		if reliable {
			return 0, true
		}
		return max(64*t.T1, 32*time.Second), true
	case timerI, timerK:
		if reliable {
			return 0, true
		}
		return t.T4, true
	case timerJ:
		if reliable {
			return 0, true
		}
	case timerStale:
		return staleRounds * t.T1, true
	case timerTrying:
		if invite {
			return tryingDelay, true
		}
		return t.reachT2(), true
	}
	return 64 * t.T1, true // B, F, H, J, L, M and the nameless two
}

// next is the interval of a timer that sends again, started anew for the nth time. RFC 3261 §17.1.1.2, §17.1.2.2, §17.2.1.
func (t Timers) next(tm timer, n int, slow bool) time.Duration {
	if tm == timerA {
		return t.T1 << n
	}
	if slow {
		return t.T2
	}
	return min(t.T1<<n, t.T2)
}

// slack is how much later than after d timer tm may fire. One that only frees a transaction may be a little late, so that many go at once.
func (tm timer) slack(d time.Duration) time.Duration {
	switch tm {
	case timerD, timerI, timerJ, timerK, timerL, timerM:
		return d / 64
	}
	return 0
}

// reachT2 is the time after which a client resets its timer E to T2. RFC 4320 §4.1.
func (t Timers) reachT2() time.Duration {
	sum := time.Duration(0)
	for d := t.T1; d < t.T2; d *= 2 {
		sum += d
	}
	return sum
}
