// Targets: where a call can be sent, as people write it.

package object

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// TargetKind is what a target is.
type TargetKind string

// The kinds of targets.
const (
	TargetDial      TargetKind = "dial"      // a number as one would dial it
	TargetVoicemail TargetKind = "voicemail" // a mailbox
	TargetHangup    TargetKind = "hangup"    // the call ends
	TargetBusy      TargetKind = "busy"      // the caller hears that it is busy
	TargetHours     TargetKind = "hours"     // one of two targets, as the hours are
)

// Target is where a call can be sent. It is written as a number ("200", "+4930…", "*43"), "voicemail" (the box of whom the call was for), "voicemail:200", "hangup", "busy",
// or "hours:NAME?open=TARGET&closed=TARGET", where a target in a target has its signs % and & written as %25 and %26.
type Target struct {
	Kind         TargetKind
	Number       string // of TargetDial what is dialled, of TargetVoicemail the box, "" for one's own
	Hours        string
	Open, Closed string // targets; "" where the call ends
}

// maxTarget is how long a target may be, in bytes.
const maxTarget = 512

// errTarget says how a target is written.
var errTarget = errors.New("is no target; write a number, voicemail, voicemail:USER, hangup, busy or hours:NAME?open=TARGET&closed=TARGET")

// ParseTarget reads a target.
func ParseTarget(s string) (Target, error) {
	kind, rest, colon := strings.Cut(s, ":")
	switch {
	case len(s) > maxTarget:
		return Target{}, errors.New("is too long for a target; shorten it")
	case !colon && (s == "voicemail" || s == "hangup" || s == "busy"):
		return Target{Kind: TargetKind(s)}, nil
	case colon && kind == "voicemail" && CheckUser(rest) == nil:
		return Target{Kind: TargetVoicemail, Number: rest}, nil
	case colon && kind == "hours":
		return parseHoursTarget(rest)
	case !colon && CheckUser(strings.ReplaceAll(s, "#", "*")) == nil:
		return Target{Kind: TargetDial, Number: s}, nil
	}
	return Target{}, errTarget
}

// parseHoursTarget reads what stands behind "hours:".
func parseHoursTarget(s string) (Target, error) {
	name, query, _ := strings.Cut(s, "?")
	t := Target{Kind: TargetHours, Hours: name}
	if checkWord(name) != "" || name == "" {
		return Target{}, errTarget
	}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		value, err := url.PathUnescape(value)
		if err == nil && value != "" {
			_, err = ParseTarget(value)
		}
		switch {
		case err != nil:
			return Target{}, fmt.Errorf("%q in it %w", value, errTarget)
		case key == "open":
			t.Open = value
		case key == "closed":
			t.Closed = value
		default:
			return Target{}, errTarget
		}
	}
	return t, nil
}
