package codec

// PCMU: mu-law of ITU-T G.711 §3, one byte a sample. RFC 3551 §4.5.14.

import "math/bits"

// PCMU returns G.711 mu-law.
func PCMU() Format {
	return Format{
		Name: "PCMU", PayloadType: 0, Clock: 8000, Rate: 8000, Channels: 1,
		NewEncoder: func() (Encoder, error) { return compress(appendMuLaw), nil },
		NewDecoder: func() (Decoder, error) { return &expander{table: &muLawSamples}, nil },
	}
}

func appendMuLaw(dst []byte, pcm []int16) []byte {
	for _, s := range pcm {
		dst = append(dst, MuLaw(s))
	}
	return dst
}

// MuLaw returns the code of a sample.
func MuLaw(sample int16) byte {
	// The law works on 14 bits; 33 is its bias. A negative number is mirrored around -1/2, so that none overflows.
	sign, magnitude := byte(0x80), int(sample)
	if sample < 0 {
		sign, magnitude = 0, ^magnitude
	}
	magnitude = min(magnitude>>2+33, 0x1fff)
	segment := bits.Len(uint(magnitude>>6)) + 1
	return sign | byte(8-segment)<<4 | byte(0xf-magnitude>>segment&0xf)
}

// MuLawSample returns the sample of a code.
func MuLawSample(code byte) int16 {
	segment, mantissa := int(^code>>4&7), int(^code&0xf)
	magnitude := (mantissa<<3+0x84)<<segment - 0x84
	if code&0x80 == 0 {
		return int16(-magnitude)
	}
	return int16(magnitude)
}
