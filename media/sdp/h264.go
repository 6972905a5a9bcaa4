package sdp

// What two H.264 codecs must have in common, which their name does not tell. RFC 6184 §8.1, RFC 6184 §8.2.2.

import (
	"strconv"
	"strings"
)

// h264 is what the format parameters say of a stream.
type h264 struct {
	profile  string // the first four digits of profile-level-id: profile and constraints; empty if there is none
	level    uint8
	packets  string // packetization-mode
	separate bool   // each side may have a level of its own
}

// baseline is profile_idc 66, the one that is meant where nothing is said.
const baseline = "42"

// readH264 reads format parameters; what cannot be read is as if it were not there.
func readH264(fmtp string) h264 {
	h := h264{packets: "0"}
	for parameter := range strings.SplitSeq(fmtp, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		switch strings.ToLower(name) {
		case "profile-level-id":
			level, err := strconv.ParseUint(value[min(4, len(value)):], 16, 8)
			if len(value) == 6 && err == nil {
				h.profile, h.level = strings.ToLower(value[:4]), uint8(level)
			}
		case "packetization-mode":
			h.packets = value
		case "level-asymmetry-allowed":
			h.separate = value == "1"
		}
	}
	return h
}

// baselineOnly tells whether the pictures are of the baseline profile. Its constrained form is what everybody makes of it.
func (h *h264) baselineOnly() bool { return h.profile == "" || strings.HasPrefix(h.profile, baseline) }

// suits tells whether who can do h can do o.
func (h *h264) suits(o *h264) bool {
	return h.packets == o.packets && (h.baselineOnly() && o.baselineOnly() || h.profile == o.profile)
}

// answer is what we say to an offer of o: its profile, in the lower of both levels unless each may have its own.
func (h *h264) answer(o *h264) string {
	parameters := "packetization-mode=" + o.packets
	if o.profile == "" {
		return parameters
	}
	level := min(h.level, o.level)
	if o.separate && h.separate {
		level = h.level
		parameters = "level-asymmetry-allowed=1;" + parameters
	}
	const digits = "0123456789abcdef"
	return parameters + ";profile-level-id=" + o.profile + string([]byte{digits[level>>4], digits[level&15]})
}

// Suits tells whether one who does c can do o: [Codec.Matches], and for H.264 the same profile and way of packets.
func (c Codec) Suits(o Codec) bool {
	if !c.Matches(o) || !strings.EqualFold(c.Name, "H264") {
		return c.Matches(o)
	}
	ours, theirs := readH264(c.FMTP), readH264(o.FMTP)
	return ours.suits(&theirs)
}
