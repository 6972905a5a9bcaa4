// Date and Timestamp. RFC 3261 §20.17, §20.38.

package sip

import (
	"strconv"
	"strings"
	"time"
)

// sipDate is the layout of SIP-date.
const sipDate = "Mon, 02 Jan 2006 15:04:05 GMT"

// ParseDate parses a Date. Only GMT is a SIP-date; other zones are an error (RFC 4475 §3.1.2.12). The error is a [*ParseError].
func ParseDate(s string) (time.Time, error) {
	t, err := time.ParseInLocation(sipDate, s, time.UTC)
	if err != nil {
		return time.Time{}, &ParseError{What: "Date", Reason: "no date in GMT"}
	}
	return t, nil
}

// FormatDate returns t as the value of a Date.
func FormatDate(t time.Time) string { return t.UTC().Format(sipDate) }

// Timestamp is the value of Timestamp: when the client sent the request by its own clock, and how long the server took.
type Timestamp struct {
	Sent  string        // seconds as written: the client reads it again
	Delay time.Duration // 0: not said
}

// ParseTimestamp parses a value. The error is a [*ParseError].
func ParseTimestamp(s string) (Timestamp, error) {
	sent, delay, _ := strings.Cut(trim(s), " ")
	t := Timestamp{Sent: sent}
	if _, ok := seconds(sent); !ok {
		return Timestamp{}, &ParseError{What: "Timestamp", Reason: "seconds expected"}
	}
	if delay = trim(delay); delay != "" {
		d, ok := seconds(delay)
		if !ok {
			return Timestamp{}, &ParseError{What: "Timestamp", Offset: len(sent) + 1, Reason: "delay is no number of seconds"}
		}
		t.Delay = d
	}
	return t, nil
}

// seconds parses digits with an optional fraction; what is below a microsecond is dropped.
func seconds(s string) (time.Duration, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	n, digits, ok := number(whole)
	if !ok || digits < len(whole) {
		return 0, false
	}
	d, unit := time.Duration(n)*time.Second, time.Second
	for i := range len(fraction) {
		c := fraction[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		if unit /= 10; unit >= time.Microsecond {
			d += time.Duration(c-'0') * unit
		}
	}
	return d, true
}

// String prints the value.
func (t Timestamp) String() string {
	if t.Delay <= 0 {
		return safe(t.Sent)
	}
	return safe(t.Sent) + " " + strconv.FormatFloat(t.Delay.Truncate(time.Microsecond).Seconds(), 'f', -1, 64)
}
