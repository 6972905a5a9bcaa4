package codec

// Concealment of lost packets for codecs that bring none: the last period of the voice is repeated and fades out, and the
// first packet that arrives again is blended in. It follows the idea of ITU-T G.711 Appendix I.

// Lengths in samples at 8000 Hz; at 16000 Hz they are twice as long.
const (
	shortestPeriod = 40  // 200 Hz; periods of higher voices are found as multiples
	longestPeriod  = 120 // 66 Hz
	compared       = 160 // how much of the past two periods are compared over
	pastSamples    = longestPeriod + compared
	fadeBegins     = 80  // 10 ms at full level
	fadeEnds       = 480 // silent after 60 ms
	blended        = 40  // 5 ms
)

// concealer remembers the last samples. The zero value remembers silence.
type concealer struct {
	wide   bool // 16000 samples a second, not 8000
	past   [2 * pastSamples]int16
	period int // being repeated; 0 while packets arrive
	made   int // samples made since the last packet
}

// heard takes note of decoded samples and blends the first of them after a loss.
func (c *concealer) heard(pcm []int16) {
	if len(pcm) == 0 {
		return
	}
	if c.period > 0 {
		n := blended * c.factor()
		for i := range min(n, len(pcm)) {
			made := int(c.next())
			pcm[i] = int16((made*(n-i) + int(pcm[i])*i) / n)
		}
		c.period, c.made = 0, 0
	}
	if n := len(pcm); n < len(c.past) {
		copy(c.past[:], c.past[n:])
	}
	recent := pcm[max(len(pcm)-len(c.past), 0):]
	copy(c.past[len(c.past)-len(recent):], recent)
}

// factor is how many samples there are for one at 8000 Hz.
func (c *concealer) factor() int {
	if c.wide {
		return 2
	}
	return 1
}

func (c *concealer) conceal(dst []int16, samples int) []int16 {
	if c.period == 0 {
		c.period = c.findPeriod()
	}
	for range samples {
		dst = append(dst, c.next())
	}
	return dst
}

// next makes one sample.
func (c *concealer) next() int16 {
	s := int(c.past[len(c.past)-c.period+c.made%c.period])
	begins, ends := fadeBegins*c.factor(), fadeEnds*c.factor()
	switch {
	case c.made >= ends:
		return 0
	case c.made > begins:
		s = s * (ends - c.made) / (ends - begins)
	}
	c.made++
	return int16(s)
}

// findPeriod returns the distance at which the past is most like itself.
func (c *concealer) findPeriod() int {
	step := c.factor() // at 16000 Hz every second sample tells enough
	past := c.past[len(c.past)-pastSamples*step:]
	now := past[longestPeriod*step:]
	best, period := 0.0, longestPeriod*step
	for lag := shortestPeriod * step; lag <= longestPeriod*step; lag++ {
		then := past[longestPeriod*step-lag:]
		var product, energy float64
		for i := 0; i < len(now); i += step {
			product += float64(now[i]) * float64(then[i])
			energy += float64(then[i]) * float64(then[i])
		}
		// Compares product/sqrt(energy) without the root.
		if product > 0 && product*product > best*energy {
			best, period = product*product/energy, lag
		}
	}
	return period
}
