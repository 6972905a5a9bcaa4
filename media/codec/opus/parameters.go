package opus

// The parameters of a=fmtp. RFC 7587 §6.1, RFC 7587 §7.1.

import (
	"strconv"
	"strings"
)

// Bounds of RFC 6716 §2.1.1, and our defaults.
const (
	minBitrate        = 6000
	maxBitrate        = 510000
	defaultBitrate    = 32000
	defaultComplexity = 5
	defaultLoss       = 10
)

// parameters are what our offers and answers say of what we like to receive.
func (s Settings) parameters(rate int) string {
	p := "minptime=10;useinbandfec=1"
	if rate < Clock {
		p += ";maxplaybackrate=" + strconv.Itoa(rate)
	}
	if s.DTX {
		p += ";usedtx=1"
	}
	if s.Bitrate != 0 {
		p += ";maxaveragebitrate=" + strconv.Itoa(s.bitrate())
	}
	return p
}

// tuned returns the settings for a peer that says what it likes to receive: no FEC unless it wants that, no more bits than it takes.
func (s Settings) tuned(theirs string) Settings {
	fec := false
	for parameter := range strings.SplitSeq(theirs, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		switch strings.ToLower(name) {
		case "useinbandfec":
			fec = value == "1"
		case "usedtx":
			s.DTX = s.DTX || value == "1"
		case "maxaveragebitrate":
			if n, err := strconv.Atoi(value); err == nil {
				s.Bitrate = min(s.bitrate(), max(n, minBitrate))
			}
		}
	}
	s.FEC = s.FEC && fec
	return s
}

func (s Settings) bitrate() int {
	if s.Bitrate == 0 {
		return defaultBitrate
	}
	return min(max(s.Bitrate, minBitrate), maxBitrate)
}

func (s Settings) complexity() int {
	if s.Complexity == 0 {
		return defaultComplexity
	}
	return min(max(s.Complexity, 0), 10)
}

// loss is what FEC is made for, 0 without.
func (s Settings) loss() int {
	if !s.FEC {
		return 0
	}
	if s.Loss == 0 {
		return defaultLoss
	}
	return min(max(s.Loss, 0), 100)
}
