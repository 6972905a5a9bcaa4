// The CSeq header. RFC 3261 §20.16.

package sip

import "strconv"

// CSeq is number and method of a request.
type CSeq struct {
	Number uint32 // below 1<<31
	Method Method
}

// ParseCSeq parses a value.
func ParseCSeq(s string) (CSeq, error) {
	v, n, ok := number(s)
	switch {
	case n == 0:
		return CSeq{}, &ParseError{What: "CSeq", Reason: "number expected"}
	case !ok || v >= 1<<31:
		return CSeq{}, &ParseError{What: "CSeq", Reason: "number out of range"}
	}
	i := skip(s, n)
	if i == n || !classToken.holds(trimRight(s[i:])) {
		return CSeq{}, &ParseError{What: "CSeq", Offset: i, Reason: "method expected"}
	}
	return CSeq{Number: v, Method: methodOf(trimRight(s[i:]))}, nil
}

// String prints the value.
func (c CSeq) String() string {
	return strconv.FormatUint(uint64(c.Number), 10) + " " + string(c.Method)
}
