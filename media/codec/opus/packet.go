package opus

// What the first byte of a packet tells. RFC 6716 §3.1, RFC 6716 §3.2.

import "github.com/sipwerk/sipwerk/media/codec"

// longest is the longest packet in samples a second: 120 ms. RFC 6716 §3.4.
const longest = 120

// samplesOf returns how many samples a packet holds at that rate, 0 if it is none.
func samplesOf(payload []byte, rate int) int {
	if len(payload) == 0 {
		return 0
	}
	frames := 1
	switch payload[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(payload) < 2 {
			return 0
		}
		frames = int(payload[1] & 0x3f)
	}
	samples := frames * frameOf(payload[0]>>3, rate)
	if samples > rate*longest/1000 {
		return 0
	}
	return samples
}

// frameOf returns the samples of one frame of a configuration. RFC 6716 §3.1 table 2.
func frameOf(configuration byte, rate int) int {
	switch size := configuration & 3; {
	case configuration >= 16: // CELT: 2.5, 5, 10, 20 ms
		return rate / 400 << size
	case configuration >= 12: // hybrid: 10, 20 ms
		return rate / 100 << (size & 1)
	case size == 3: // SILK: 10, 20, 40, 60 ms
		return rate * 6 / 100
	default:
		return rate / 100 << size
	}
}

// peek is [codec.Peeker] of both decoders. A packet with nothing in it has at most two bytes (DTX); how loud others are only decoding tells.
func peek(payload []byte, rate int) (int, uint8) {
	level := uint8(codec.Unknown)
	switch {
	case len(payload) <= 2:
		level = codec.Silence
	case voiceless(payload):
		level = codec.Voiceless
	}
	return samplesOf(payload, rate), level
}

// voiceless tells whether a packet of one frame says that there is no voice in it: one of SILK, alone or with CELT, begins with a bit for each 20 ms that tells. RFC 6716 §4.2.3.
func voiceless(payload []byte) bool {
	configuration := payload[0] >> 3
	if stereo, frames := payload[0]&4, payload[0]&3; configuration >= 16 || stereo != 0 || frames != 0 {
		return false
	}
	bits := 1
	if configuration < 12 {
		bits = max(int(configuration&3), 1) // 10, 20, 40, 60 ms
	}
	return payload[1]>>(8-bits) == 0
}
