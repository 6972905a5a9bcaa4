package codec

import "testing"

// Output values of ITU-T G.711 tables 1a and 2a at 16 bits: the ends of each segment.
var muLawTable = map[byte]int16{
	0x80: 32124, 0x8f: 16764, 0x90: 15996, 0x9f: 8316, 0xa0: 7932, 0xaf: 4092, 0xb0: 3900, 0xbf: 1980, 0xc0: 1884, 0xcf: 924,
	0xd0: 876, 0xdf: 396, 0xe0: 372, 0xef: 132, 0xf0: 120, 0xfe: 8, 0xff: 0,
	0x00: -32124, 0x0f: -16764, 0x10: -15996, 0x6f: -132, 0x70: -120, 0x7e: -8, 0x7f: 0,
}

var aLawTable = map[byte]int16{
	0xaa: 32256, 0xa5: 16896, 0xba: 16128, 0xb5: 8448, 0x8a: 8064, 0x85: 4224, 0x9a: 4032, 0x95: 2112, 0xea: 2016, 0xe5: 1056,
	0xfa: 1008, 0xf5: 528, 0xca: 504, 0xc5: 264, 0xda: 248, 0xd5: 8,
	0x2a: -32256, 0x25: -16896, 0x55: -8, 0x5a: -248, 0x45: -264,
}

func TestTables(t *testing.T) {
	for code, want := range muLawTable {
		if got := MuLawSample(code); got != want {
			t.Errorf("mu-law %#x: %d, want %d", code, got, want)
		}
	}
	for code, want := range aLawTable {
		if got := ALawSample(code); got != want {
			t.Errorf("A-law %#x: %d, want %d", code, got, want)
		}
	}
}

// The algorithms of ITU-T G.191 written down step by step.
func referenceMuLaw(sample int16) byte {
	magnitude := int(sample)
	if sample < 0 {
		magnitude = -1 - magnitude
	}
	magnitude = magnitude/4 + 33
	if magnitude > 0x1fff {
		magnitude = 0x1fff
	}
	segment := 1
	for i := magnitude / 64; i != 0; i /= 2 {
		segment++
	}
	code := (8-segment)*16 + 15 - (magnitude>>segment)%16
	if sample >= 0 {
		code += 128
	}
	return byte(code)
}

func referenceALaw(sample int16) byte {
	magnitude := int(sample)
	if sample < 0 {
		magnitude = -1 - magnitude
	}
	magnitude /= 16
	if magnitude > 15 {
		exponent := 1
		for magnitude > 31 {
			magnitude /= 2
			exponent++
		}
		magnitude += exponent*16 - 16
	}
	if sample >= 0 {
		magnitude += 128
	}
	return byte(magnitude) ^ 0x55
}

func TestEverySample(t *testing.T) {
	for i := -32768; i <= 32767; i++ {
		s := int16(i)
		if got, want := MuLaw(s), referenceMuLaw(s); got != want {
			t.Fatalf("mu-law of %d: %#x, want %#x", s, got, want)
		}
		if got, want := ALaw(s), referenceALaw(s); got != want {
			t.Fatalf("A-law of %d: %#x, want %#x", s, got, want)
		}
	}
}

// What was decoded is encoded to the same code, so that a relay that transcodes twice loses nothing.
func TestEveryCode(t *testing.T) {
	for i := range 256 {
		code := byte(i)
		if got := ALaw(ALawSample(code)); got != code {
			t.Errorf("A-law %#x became %#x", code, got)
		}
		if got := MuLaw(MuLawSample(code)); got != code && code != 0x7f { // the other zero
			t.Errorf("mu-law %#x became %#x", code, got)
		}
	}
}
