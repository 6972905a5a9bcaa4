// The CSeq header and RAck, which points at one. RFC 3261 §20.16; RFC 3262 §7.2.

package sip

import "strconv"

// CSeq is number and method of a request.
type CSeq struct {
	Number uint32 // below 1<<31
	Method Method
}

// ParseCSeq parses a value.
func ParseCSeq(s string) (c CSeq, err error) {
	if at, why := c.parse(s); why != "" {
		return CSeq{}, &ParseError{What: "CSeq", Offset: at, Reason: why}
	}
	return c, nil
}

// parse makes c the value in s, or returns offset and reason of the first fault.
func (c *CSeq) parse(s string) (int, string) {
	v, n, ok := number(s)
	switch {
	case n == 0:
		return 0, "number expected"
	case !ok || v >= 1<<31:
		return 0, "number out of range"
	}
	i := skip(s, n)
	method := trimRight(s[i:])
	if i == n || !classToken.holds(method) {
		return i, "method expected"
	}
	c.Number, c.Method = v, methodOf(method)
	return 0, ""
}

// AppendTo appends the value.
func (c CSeq) AppendTo(b []byte) []byte {
	return append(append(strconv.AppendUint(b, uint64(c.Number), 10), ' '), c.Method[:classToken.span(string(c.Method))]...)
}

// String prints the value.
func (c CSeq) String() string { return string(c.AppendTo(make([]byte, 0, 24))) }

// RAck is the value of the RAck of a PRACK: the RSeq of a reliable provisional response and the CSeq of its request. RFC 3262 §7.2.
type RAck struct {
	RSeq uint32
	CSeq CSeq
}

// ParseRAck parses a value. The error is a [*ParseError].
func ParseRAck(s string) (RAck, error) {
	rseq, n, ok := number(s)
	if !ok || rseq == 0 {
		return RAck{}, &ParseError{What: "RAck", Reason: "response number out of range"}
	}
	i := skip(s, n)
	if i == n {
		return RAck{}, &ParseError{What: "RAck", Offset: n, Reason: "CSeq number expected"}
	}
	seq, err := ParseCSeq(s[i:])
	if err != nil {
		return RAck{}, within("RAck", i, err)
	}
	return RAck{rseq, seq}, nil
}

// String prints the value.
func (r RAck) String() string { return strconv.FormatUint(uint64(r.RSeq), 10) + " " + r.CSeq.String() }
