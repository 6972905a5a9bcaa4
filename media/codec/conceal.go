package codec

// Concealment of lost packets for codecs that bring none: the last period of the voice is repeated and fades out, and the
// first packet that arrives again is blended in. It follows the idea of ITU-T G.711 Appendix I at 8000 Hz.

// Lengths in samples at 8000 Hz.
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
	past   [pastSamples]int16
	period int // being repeated; 0 while packets arrive
	made   int // samples made since the last packet
}

// heard takes note of decoded samples and blends the first of them after a loss.
func (c *concealer) heard(pcm []int16) {
	if len(pcm) == 0 {
		return
	}
	if c.period > 0 {
		for i := range min(blended, len(pcm)) {
			made := int(c.next())
			pcm[i] = int16((made*(blended-i) + int(pcm[i])*i) / blended)
		}
		c.period, c.made = 0, 0
	}
	if n := len(pcm); n < pastSamples {
		copy(c.past[:], c.past[n:])
	}
	recent := pcm[max(len(pcm)-pastSamples, 0):]
	copy(c.past[pastSamples-len(recent):], recent)
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
	s := int(c.past[pastSamples-c.period+c.made%c.period])
	switch {
	case c.made >= fadeEnds:
		return 0
	case c.made > fadeBegins:
		s = s * (fadeEnds - c.made) / (fadeEnds - fadeBegins)
	}
	c.made++
	return int16(s)
}

// findPeriod returns the distance at which the past is most like itself.
func (c *concealer) findPeriod() int {
	now := c.past[longestPeriod:]
	best, period := 0.0, longestPeriod
	for lag := shortestPeriod; lag <= longestPeriod; lag++ {
		then := c.past[longestPeriod-lag:]
		var product, energy float64
		for i, s := range now {
			product += float64(s) * float64(then[i])
			energy += float64(then[i]) * float64(then[i])
		}
		// Compares product/sqrt(energy) without the root.
		if product > 0 && product*product > best*energy {
			best, period = product*product/energy, lag
		}
	}
	return period
}
