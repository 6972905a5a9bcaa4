package codec

// One band of G.722: an adaptive quantizer and a predictor of two poles and six zeros. ITU-T G.722 §3.2–§3.6; the names of the blocks are those of §6.2.

// g722Band is the state of the coder of one band. That of the far decoder is the same as long as no packet is lost.
type g722Band struct {
	scale     int32    // quantizer scale factor (DET)
	scaleLog  int32    // its logarithm (NB)
	estimate  int32    // what the predictor expects next (S)
	zeros     int32    // the part of the zeros in it (SZ)
	a         [2]int32 // coefficients of the poles (AL1, AL2)
	b         [6]int32 // coefficients of the zeros (BL1 … BL6)
	signal    [2]int32 // the last reconstructed signals (RLT1, RLT2)
	partial   [2]int32 // the last partially reconstructed signals (PLT1, PLT2)
	different [6]int32 // the last quantized differences (DLT1 … DLT6)
}

func newLowBand() g722Band  { return g722Band{scale: 32} }
func newHighBand() g722Band { return g722Band{scale: 8} }

// The quantizers. ITU-T G.722 tables 14 to 21.
var (
	// lowLevels are the decision levels of the low band (Q6).
	lowLevels = [29]int32{
		35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714, 786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557,
		2919,
	}
	// lowValues6 and lowValues4 are the values of the codes of the low band with all six bits, and with the four that adapt the predictor (QQ6, QQ4).
	lowValues6 = [64]int32{
		-136, -136, -136, -136, -24808, -21904, -19008, -16704, -14984, -13512, -12280, -11192, -10232, -9360, -8576, -7856, -7192, -6576, -6000, -5456, -4944,
		-4464, -4008, -3576, -3168, -2776, -2400, -2032, -1688, -1360, -1040, -728, 24808, 21904, 19008, 16704, 14984, 13512, 12280, 11192, 10232, 9360, 8576,
		7856, 7192, 6576, 6000, 5456, 4944, 4464, 4008, 3576, 3168, 2776, 2400, 2032, 1688, 1360, 1040, 728, 432, 136, -432, -136,
	}
	lowValues4 = [16]int32{0, -20456, -12896, -8968, -6288, -4240, -2584, -1200, 20456, 12896, 8968, 6288, 4240, 2584, 1200, 0}
	// lowSteps are by how much a code of four bits moves the logarithm of the scale (WL of RL4).
	lowSteps = [16]int32{-60, 3042, 1198, 538, 334, 172, 58, -30, 3042, 1198, 538, 334, 172, 58, -30, -60}
	// highValues and highSteps are the same for the two bits of the high band (QQ2, WH of RH2).
	highValues = [4]int32{-7408, -1616, 7408, 1616}
	highSteps  = [4]int32{798, -214, 798, -214}
	// logarithms turns the fraction of a logarithm of the scale into a mantissa (ILB).
	logarithms = [32]int32{
		2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834, 2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444,
		3520, 3597, 3676, 3756, 3838, 3922, 4008,
	}
)

const (
	highLevel    = 564 // the decision level of the high band
	leak         = 127 // of the logarithm of the scale, in 1/128
	lowLongest   = 18432
	highLongest  = 22528
	lowExponent  = 8
	highExponent = 10
)

// magnitude is the absolute value as ITU-T G.722 §6.2.1 quantizes it.
func magnitude(x int32) int32 {
	if x < 0 {
		return ^x
	}
	return x
}

// encodeLow returns the six bits of a sample (QUANTL).
func (g *g722Band) encodeLow(sample int32) byte {
	difference := saturate(sample - g.estimate)
	size, level := magnitude(difference), 0
	for level < len(lowLevels) && size >= lowLevels[level]*g.scale>>12 {
		level++
	}
	// The codes: 63, 62 for the smallest negative differences, then 31 down to 4; 61 down to 32 for the others.
	code := byte(61 - level)
	if difference < 0 {
		if code = byte(63 - level); level > 1 {
			code = byte(33 - level)
		}
	}
	g.adaptLow(code)
	return code
}

// decodeLow returns the sample of a code.
func (g *g722Band) decodeLow(code byte) int32 {
	sample := limit(g.estimate+g.scale*lowValues6[code]>>15, 14)
	g.adaptLow(code)
	return sample
}

func (g *g722Band) adaptLow(code byte) {
	difference := g.scale * lowValues4[code>>2] >> 15
	g.rescale(lowSteps[code>>2], lowLongest, lowExponent)
	g.predict(difference)
}

// encodeHigh returns the two bits of a sample (QUANTH).
func (g *g722Band) encodeHigh(sample int32) byte {
	difference := saturate(sample - g.estimate)
	code := byte(3)
	if difference < 0 {
		code = 1
	}
	if magnitude(difference) >= highLevel*g.scale>>12 {
		code--
	}
	g.adaptHigh(code)
	return code
}

// decodeHigh returns the sample of a code.
func (g *g722Band) decodeHigh(code byte) int32 {
	return limit(g.adaptHigh(code), 14)
}

// adaptHigh returns the reconstructed signal.
func (g *g722Band) adaptHigh(code byte) int32 {
	difference := g.scale * highValues[code] >> 15
	signal := difference + g.estimate
	g.rescale(highSteps[code], highLongest, highExponent)
	g.predict(difference)
	return signal
}

// rescale adapts the scale factor of the quantizer (LOGSCL, SCALEL; LOGSCH, SCALEH).
func (g *g722Band) rescale(step, longest, exponent int32) {
	g.scaleLog = min(max(g.scaleLog*leak>>7+step, 0), longest)
	mantissa, shift := logarithms[g.scaleLog>>6&31], exponent-g.scaleLog>>11
	if shift < 0 {
		g.scale = mantissa << -shift << 2
	} else {
		g.scale = mantissa >> shift << 2
	}
}

// predict takes the quantized difference of a sample, adapts the predictor and estimates the next sample (§6.2.1.4, block 4).
func (g *g722Band) predict(difference int32) {
	signal, partial := saturate(g.estimate+difference), saturate(g.zeros+difference)
	g.adaptPoles(partial)
	g.adaptZeros(difference)
	g.signal = [2]int32{signal, g.signal[0]}
	g.partial = [2]int32{partial, g.partial[0]}
	copy(g.different[1:], g.different[:5])
	g.different[0] = difference

	poles := saturate(g.a[0]*saturate(2*g.signal[0])>>15 + g.a[1]*saturate(2*g.signal[1])>>15)
	zeros := int32(0)
	for i, b := range g.b {
		zeros += b * saturate(2*g.different[i]) >> 15
	}
	g.zeros = saturate(zeros)
	g.estimate = saturate(poles + g.zeros)
}

// adaptPoles moves the coefficients of the poles (UPPOL1, UPPOL2).
func (g *g722Band) adaptPoles(partial int32) {
	same := func(i int) bool { return partial < 0 == (g.partial[i] < 0) }
	second := saturate(4 * g.a[0])
	if same(0) {
		second = min(-second, 32767)
	}
	second = second >> 7
	if same(1) {
		second += 128
	} else {
		second -= 128
	}
	second = min(max(second+g.a[1]*32512>>15, -12288), 12288)

	first := g.a[0] * 32640 >> 15
	if same(0) {
		first += 192
	} else {
		first -= 192
	}
	bound := saturate(15360 - second)
	g.a = [2]int32{min(max(saturate(first), -bound), bound), second}
}

// adaptZeros moves the coefficients of the zeros (UPZERO).
func (g *g722Band) adaptZeros(difference int32) {
	step := int32(128)
	if difference == 0 {
		step = 0
	}
	for i := range g.b {
		move := step
		if difference < 0 != (g.different[i] < 0) {
			move = -step
		}
		g.b[i] = saturate(g.b[i]*32640>>15 + move)
	}
}

// saturate keeps x in 16 bits.
func saturate(x int32) int32 { return limit(x, 15) }

// limit keeps x in a sign and that many bits.
func limit(x int32, bits int) int32 {
	return min(max(x, -1<<bits), 1<<bits-1)
}
