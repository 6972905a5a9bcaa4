package rtp

// How a stream sounds, estimated from what is known of it: the R factor and the MOS-CQ of RFC 3611 §4.7.5, by the E-model of ITU-T G.107 with its default values and
// G.711 with concealment as the codec (Ie 0, Bpl 25.1 by ITU-T G.113).

import "time"

const (
	baseR          = 93.2 // of a connection without impairments
	robustness     = 25.1 // Bpl
	packetizing    = 20 * time.Millisecond
	interactive    = 177300 * time.Microsecond // delay beyond which people interrupt each other
	jitterHeadroom = 2                         // a jitter buffer holds about twice the mean jitter
)

// R estimates the R factor, 0 to 93, of a stream of which the given share (0 to 1) is lost, with the round trip and jitter measured; what is not known is 0.
func R(loss float64, roundTrip, jitter time.Duration) float64 {
	delay := roundTrip/2 + jitterHeadroom*jitter + packetizing
	ms := float64(delay) / float64(time.Millisecond)
	impairment := 0.024 * ms
	if delay > interactive {
		impairment += 0.11 * (ms - float64(interactive)/float64(time.Millisecond))
	}
	percent := 100 * min(max(loss, 0), 1)
	impairment += 95 * percent / (percent + robustness)
	return max(baseR-impairment, 0)
}

// MOS is the opinion people would have of a connection with the given R factor: 1 bad to 4.4 as good as a telephone gets.
func MOS(r float64) float64 {
	switch {
	case r <= 0:
		return 1
	case r >= 100:
		return 4.5
	}
	return max(1, 1+0.035*r+r*(r-60)*(100-r)*7e-6)
}
