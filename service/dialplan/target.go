// Targets: where a call can be sent by a setting.

package dialplan

import (
	"fmt"
	"net/url"
	"strings"
)

// targetKind is what a target is.
type targetKind uint8

const (
	toNumber  targetKind = iota // whatever one could dial
	toMailbox                   // "voicemail", "voicemail:200"
	toHangup                    // "hangup"
	toBusy                      // "busy"
	toHours                     // "hours:NAME?open=T1&closed=T2"
)

// target is one that has been read.
type target struct {
	kind         targetKind
	name         string // number, mailbox ("": that of whom the call was for) or hours
	open, closed string // of hours; "" where the call ends
}

// readTarget reads a target. Its error says what is wrong and what helps.
func readTarget(s string) (target, error) {
	word, rest, colon := strings.Cut(s, ":")
	switch {
	case s == "":
		return target{}, fmt.Errorf("is empty; name a number, voicemail, hangup, busy or hours:NAME?open=…&closed=…")
	case s == "hangup":
		return target{kind: toHangup}, nil
	case s == "busy":
		return target{kind: toBusy}, nil
	case s == "voicemail":
		return target{kind: toMailbox}, nil
	case colon && word == "voicemail" && rest != "":
		return target{kind: toMailbox, name: rest}, nil
	case colon && word == "hours":
		return readHoursTarget(rest)
	case colon && (word == "tel" || word == "sip" || word == "sips"):
		rest, _, _ = strings.Cut(rest, "@")
		rest, _, _ = strings.Cut(rest, ";")
		return target{name: rest}, nil
	case colon && Kind(word).ofPlace() && rest != "":
		return target{name: rest}, nil
	case colon || strings.ContainsAny(s, " \t\r\n<>\""):
		return target{}, fmt.Errorf("%q is none; name a number, voicemail, hangup, busy or hours:NAME?open=…&closed=…", s)
	}
	return target{name: s}, nil
}

// ofPlace reports whether a target may begin with the word: "queue:610" is 610.
func (k Kind) ofPlace() bool {
	switch k {
	case KindAccount, KindGroup, KindQueue, KindMenu, KindPage, KindRoom, KindFeature:
		return true
	}
	return false
}

func readHoursTarget(s string) (target, error) {
	name, query, _ := strings.Cut(s, "?")
	t := target{kind: toHours, name: name}
	for part := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(part, "=")
		if v, err := url.PathUnescape(value); err == nil { // a "+" stays one
			value = v
		}
		switch key {
		case "open":
			t.open = value
		case "closed":
			t.closed = value
		}
	}
	if name == "" || t.open == "" && t.closed == "" {
		return target{}, fmt.Errorf("%q lacks the name, open or closed; write hours:NAME?open=200&closed=voicemail", "hours:"+s)
	}
	for _, inner := range []string{t.open, t.closed} {
		if _, err := readTarget(inner); err != nil && inner != "" {
			return target{}, err
		}
	}
	return t, nil
}
