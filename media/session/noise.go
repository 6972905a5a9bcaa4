package session

// Comfort noise: what the peer says of the noise around it while it does not speak. RFC 3389 §4.

// What offers and answers say: RFC 3389 §4.
const (
	comfortNoise     = "CN"
	noiseClock       = 8000
	noisePayloadType = 13
)
