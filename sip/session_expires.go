// Session-Expires: how long a session lasts without a refresh, and who refreshes. RFC 4028 §4. (Min-SE is a plain number: [Message.Uint].)

package sip

import (
	"strconv"
	"time"
)

// SessionExpires is a value of Session-Expires.
type SessionExpires struct {
	Interval  time.Duration // whole seconds
	Refresher string        // "uac", "uas", or "" where that is left open
}

// ParseSessionExpires parses a value; parameters it does not know are skipped. The error is a [*ParseError].
func ParseSessionExpires(s string) (SessionExpires, error) {
	head, p, err := splitParams("Session-Expires", s, classToken)
	if err != nil {
		return SessionExpires{}, err
	}
	n, digits, ok := number(head)
	if !ok || digits < len(head) {
		return SessionExpires{}, &ParseError{What: "Session-Expires", Reason: "number of seconds expected"}
	}
	e := SessionExpires{Interval: time.Duration(n) * time.Second}
	switch r := p.Get("refresher"); {
	case sameFold(r, "uac"):
		e.Refresher = "uac"
	case sameFold(r, "uas"):
		e.Refresher = "uas"
	case r != "":
		return SessionExpires{}, &ParseError{What: "Session-Expires", Offset: len(head), Reason: "unknown refresher"}
	}
	return e, nil
}

// String prints the value.
func (e SessionExpires) String() string {
	s := strconv.FormatInt(int64(e.Interval/time.Second), 10)
	if e.Refresher != "" {
		s += ";refresher=" + e.Refresher
	}
	return s
}
