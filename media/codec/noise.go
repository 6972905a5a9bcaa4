package codec

// Comfort noise: what is heard while the other side sends nothing, so that the line does not sound dead. RFC 3389.

import "math"

// maxReflections is how many coefficients of the spectrum are used. RFC 3389 §3.2 leaves the number to the sender; ten are usual.
const maxReflections = 12

// A Noise makes the noise that the last comfort noise payload described. The zero value is silent. One goroutine at a time.
type Noise struct {
	amplitude   float32
	reflections [maxReflections]float32
	order       int
	memory      [maxReflections + 1]float32
	random      uint32
}

// Describe takes a comfort noise payload: the level, then the spectrum as reflection coefficients. RFC 3389 §3.
func (n *Noise) Describe(payload []byte) {
	if len(payload) == 0 {
		return // RFC 3389 §4: no payload, no change
	}
	// RFC 3389 §3.1: the level in -dBov, of the noise as it is heard.
	level := float64(payload[0] & 0x7f)
	gain := 1.0
	n.order = min(len(payload)-1, maxReflections)
	for i, b := range payload[1 : 1+n.order] {
		// RFC 3389 §3.2: 127 stands for zero; 255 is forbidden.
		k := float64(258*(int(min(b, 254))-127)) / 32768
		n.reflections[i] = float32(k)
		gain *= 1 - k*k
	}
	// White noise between -1 and 1 has the power 1/3, and the filter makes it 1/gain times as strong.
	n.amplitude = float32(32767 * math.Pow(10, -level/20) * math.Sqrt(3*gain))
	if level == Silence {
		n.amplitude = 0
	}
}

// Stop ends the noise until the next description: somebody speaks.
func (n *Noise) Stop() { n.amplitude = 0 }

// Append appends so many samples of noise.
func (n *Noise) Append(dst []int16, samples int) []int16 {
	for range samples {
		if n.amplitude == 0 {
			dst = append(dst, 0)
			continue
		}
		dst = append(dst, int16(min(max(n.amplitude*n.filter(n.white()), -32768), 32767)))
	}
	return dst
}

// white returns a number between -1 and 1 of a row that sounds random.
func (n *Noise) white() float32 {
	if n.random == 0 {
		n.random = 1
	}
	// Marsaglia's xorshift.
	n.random ^= n.random << 13
	n.random ^= n.random >> 17
	n.random ^= n.random << 5
	return float32(int32(n.random)) / (1 << 31)
}

// filter is an all-pole lattice filter.
func (n *Noise) filter(x float32) float32 {
	for i := n.order - 1; i >= 0; i-- {
		x -= n.reflections[i] * n.memory[i]
		n.memory[i+1] = n.memory[i] + n.reflections[i]*x
	}
	n.memory[0] = x
	return x
}
