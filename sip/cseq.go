// The CSeq header. RFC 3261 §20.16.

package sip

import "strconv"

// CSeq is number and method of a request.
type CSeq struct {
	Number uint32 // below 1<<31
	Method Method
}

// String prints the value.
func (c CSeq) String() string {
	return strconv.FormatUint(uint64(c.Number), 10) + " " + string(c.Method)
}
