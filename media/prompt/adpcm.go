package prompt

// The pieces as they are kept: IMA ADPCM, four bits a sample. Recommended Practices for Enhancing Digital Audio Compatibility in Multimedia Systems, IMA, 1992.

// adpcmSteps are the sizes of a step by index.
var adpcmSteps = [...]int32{7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230,
	253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428,
	4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767}

// adpcmIndex is how the index moves by the three lower bits of a code.
var adpcmIndex = [...]int{-1, -1, -1, -1, 2, 4, 6, 8}

// adpcm is the state of encoder and decoder alike.
type adpcm struct {
	last  int32 // the sample predicted
	index int
}

// decode takes a code of four bits and returns its sample.
func (a *adpcm) decode(code byte) int16 {
	step := adpcmSteps[a.index]
	diff := step >> 3
	for bit := range 3 {
		if code&(4>>bit) != 0 {
			diff += step >> bit
		}
	}
	if code&8 != 0 {
		diff = -diff
	}
	a.last = min(max(a.last+diff, -32768), 32767)
	a.index = min(max(a.index+adpcmIndex[code&7], 0), len(adpcmSteps)-1)
	return int16(a.last)
}

// encode returns the code of a sample.
func (a *adpcm) encode(sample int16) byte {
	diff, code := int32(sample)-a.last, byte(0)
	if diff < 0 {
		diff, code = -diff, 8
	}
	step := adpcmSteps[a.index]
	for bit := range 3 {
		if diff >= step {
			code |= 4 >> bit
			diff -= step
		}
		step >>= 1
	}
	a.decode(code) // what the decoder will make of it
	return code
}
