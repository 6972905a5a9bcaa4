package rtp

// Sequence numbers of 16 bits, in their circle. RFC 3550 §A.1.

// Before tells whether sequence number a comes before b, the shorter way round.
func Before(a, b uint16) bool { return int16(a-b) < 0 }

// Limits of RFC 3550 §A.1 for what still belongs to the same numbering.
const (
	maxDropout  = 3000 // how far a sequence number may jump ahead
	maxMisorder = 100  // how far one may lag behind
)

// An Extender counts the roll-overs of a sequence number. The zero value starts with the first number it sees.
type Extender struct {
	started bool
	highest uint32 // extended
	restart uint32 // the number behind a wild one; a second wild one that continues it restarts the count
}

// Extend returns the number with roll-overs counted. It reports false for a number that is too far from the others to
// be believed at once, and restarted if it is the second in a row that continues a new numbering. RFC 3550 §A.1.
func (e *Extender) Extend(sequence uint16) (extended uint32, verdict Verdict) {
	if !e.started {
		*e = Extender{started: true, highest: uint32(sequence), restart: noRestart}
		return e.highest, Restarted
	}
	switch d := int32(int16(sequence - uint16(e.highest))); {
	case d > -maxMisorder && d <= 0:
		if int64(e.highest)+int64(d) < 0 {
			return 0, Wild // older than the first one
		}
		return e.highest + uint32(d), Older
	case d > 0 && d < maxDropout:
		e.highest += uint32(d)
		e.restart = noRestart
		return e.highest, Newest
	}
	if uint32(sequence) != e.restart {
		e.restart = uint32(sequence + 1)
		return 0, Wild
	}
	*e = Extender{started: true, highest: uint32(sequence), restart: noRestart}
	return e.highest, Restarted
}

const noRestart = 1 << 16

// A Verdict says how a sequence number fits those before it.
type Verdict uint8

// The verdicts.
const (
	Wild      Verdict = iota // too far away: do not use the packet
	Newest                   // the highest so far
	Older                    // late, or a duplicate
	Restarted                // the first of a new numbering
)
