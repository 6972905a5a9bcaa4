package codec

// PCMA: A-law of ITU-T G.711 §3, one byte a sample. RFC 3551 §4.5.14.

import "math/bits"

// PCMA returns G.711 A-law.
func PCMA() Format {
	return Format{
		Name: "PCMA", PayloadType: 8, Clock: 8000, Rate: 8000, Channels: 1,
		NewEncoder: func() (Encoder, error) { return compress(appendALaw), nil },
		NewDecoder: func() (Decoder, error) { return &expander{table: &aLawSamples}, nil },
	}
}

// alternate are the bits that A-law inverts, so that silence is not a row of zeros.
const alternate = 0x55

func appendALaw(dst []byte, pcm []int16) []byte {
	for _, s := range pcm {
		dst = append(dst, ALaw(s))
	}
	return dst
}

// ALaw returns the code of a sample.
func ALaw(sample int16) byte {
	sign, magnitude := byte(0x80), int(sample)
	if sample < 0 {
		sign, magnitude = 0, ^magnitude
	}
	magnitude >>= 4
	segment := max(bits.Len(uint(magnitude))-4, 0)
	code := magnitude
	if segment > 0 {
		code = segment<<4 | magnitude>>(segment-1)&0xf
	}
	return (sign | byte(code)) ^ alternate
}

// ALawSample returns the sample of a code.
func ALawSample(code byte) int16 {
	code ^= alternate
	segment, mantissa := int(code>>4&7), int(code&0xf)
	magnitude := mantissa<<4 + 8
	if segment > 0 {
		magnitude = (magnitude + 0x100) << (segment - 1)
	}
	if code&0x80 == 0 {
		return int16(-magnitude)
	}
	return int16(magnitude)
}
