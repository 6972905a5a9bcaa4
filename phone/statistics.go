// How well a call is heard. RFC 3550 §6.4.

package phone

import "time"

// Statistics are the counts of a call so far.
type Statistics struct {
	Duration   time.Duration `json:"duration"`    // since the answer
	Sent       uint64        `json:"sent"`        // packets, with those of RTCP
	Received   uint64        `json:"received"`    // packets of sound and digits
	Lost       uint64        `json:"lost"`        // packets that did not come
	Jitter     time.Duration `json:"jitter"`      // of the packets that came
	RoundTrip  time.Duration `json:"round_trip"`  // to the next element that handles the sound, and back; 0: not known yet
	PeerLost   int           `json:"peer_lost"`   // packets of ours that the peer missed, as far as it says
	PeerJitter time.Duration `json:"peer_jitter"` // of our packets at the peer
}

// Loss is the share of packets that did not come, 0 to 1.
func (s Statistics) Loss() float64 {
	if s.Received+s.Lost == 0 {
		return 0
	}
	return float64(s.Lost) / float64(s.Received+s.Lost)
}

// Statistics returns the counts so far; those of a call that is over stay.
func (c *Call) Statistics() Statistics {
	c.mu.Lock()
	endpoint, answered, ended := c.endpoint, c.answered, c.ended
	c.mu.Unlock()
	var s Statistics
	if !answered.IsZero() {
		if ended.IsZero() {
			ended = time.Now()
		}
		s.Duration = ended.Sub(answered)
	}
	if endpoint == nil {
		return s
	}
	e := endpoint.Statistics()
	s.Sent, s.Received, s.Lost, s.Jitter = e.Sent, e.Received.Packets, e.Received.Lost, e.Received.Jitter
	s.RoundTrip, s.PeerLost, s.PeerJitter = e.RoundTrip, e.PeerLost, e.PeerJitter
	return s
}
