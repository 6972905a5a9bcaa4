// Whom a call was for before: History-Info and Diversion. RFC 7044 §5, RFC 5806 §7.

package sip

import "strings"

// HistoryEntry is one value of History-Info.
type HistoryEntry struct {
	Address
	Index  string // "1.2.1"
	Reason string // the Reason that the URI carries in its header part, decoded; "" if none
}

// ParseHistoryEntry parses one value. A missing index is an error, which is a [*ParseError].
func ParseHistoryEntry(s string) (HistoryEntry, error) {
	a, err := ParseAddress(s)
	if err != nil {
		return HistoryEntry{}, within("History-Info", 0, err)
	}
	h := HistoryEntry{Address: a, Index: a.Params.Get("index")}
	h.Reason, _ = a.URI.Header("Reason")
	if !validIndex(h.Index) {
		return HistoryEntry{}, &ParseError{What: "History-Info", Offset: len(s), Reason: "malformed index"}
	}
	return h, nil
}

// validIndex checks 1*DIGIT *("." 1*DIGIT).
func validIndex(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if _, n, _ := number(part); n == 0 || n < len(part) {
			return false
		}
	}
	return true
}

// Diversion is one value of Diversion; the topmost is the latest.
type Diversion struct {
	Address
	Reason  string // "unknown", "user-busy", "no-answer", "unconditional", "deflection", …, in lower case
	Counter uint32 // how many diversions the value stands for, at least 1
}

// ParseDiversion parses one value. The error is a [*ParseError].
func ParseDiversion(s string) (Diversion, error) {
	a, err := ParseAddress(s)
	if err != nil {
		return Diversion{}, within("Diversion", 0, err)
	}
	d := Diversion{Address: a, Reason: strings.ToLower(a.Params.Get("reason")), Counter: 1}
	if d.Reason == "" {
		d.Reason = "unknown"
	}
	if n, _, ok := number(a.Params.Get("counter")); ok && n > 1 {
		d.Counter = n
	}
	return d, nil
}
