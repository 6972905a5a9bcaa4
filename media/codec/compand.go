package codec

// What both laws of G.711 share: coders of one byte a sample.

// compress is the encoder of a law; any number of samples will do.
type compress func(dst []byte, pcm []int16) []byte

// Encode implements [Encoder].
func (c compress) Encode(dst []byte, pcm []int16) ([]byte, error) { return c(dst, pcm), nil }

// expander is the decoder of a law, by its table.
type expander struct {
	table *[256]int16
	past  concealer
}

// The tables of both laws: the sample of each code.
var (
	aLawSamples  = tableOf(ALawSample)
	muLawSamples = tableOf(MuLawSample)
)

func tableOf(expand func(byte) int16) (table [256]int16) {
	for i := range table {
		table[i] = expand(byte(i))
	}
	return table
}

// Decode implements [Decoder]; every payload makes sense.
func (e *expander) Decode(dst []int16, payload []byte) ([]int16, error) {
	start := len(dst)
	for _, b := range payload {
		dst = append(dst, e.table[b])
	}
	e.past.heard(dst[start:])
	return dst, nil
}

// Conceal implements [Decoder].
func (e *expander) Conceal(dst []int16, samples int) []int16 { return e.past.conceal(dst, samples) }
