// What goes wrong: bytes that are no SIP, and orders that the engine refuses.

package sip

import (
	"errors"
	"strconv"
)

// What an order to the engine can fail with.
var (
	// ErrNoTransaction: the transaction has ended or never was.
	ErrNoTransaction = errors.New("sip: no such transaction")
	// ErrFlowLost: the flow of the destination is gone.
	ErrFlowLost = errors.New("sip: flow lost")
	// ErrTimeout: no final response, or no ACK, in time (timers B, F, H).
	ErrTimeout = errors.New("sip: transaction timed out")
	// ErrOverload: the queue is full.
	ErrOverload = errors.New("sip: overloaded")
	// ErrNoRoute: the destination could not be resolved or no listener speaks its transport.
	ErrNoRoute = errors.New("sip: no route to destination")
	// ErrClosed: the stack stops.
	ErrClosed = errors.New("sip: stack closed")
)

// ParseError says where and why bytes from the network or a configured string are no legal SIP.
type ParseError struct {
	What   string // what was being parsed: "Request-Line", "Via", "URI"
	Offset int    // bytes from the start of the text being parsed
	Reason string
	Status Status // what to answer a request with; 0 means 400
}

// Error gives "sip: parse Via at 17: port: value out of range".
func (e *ParseError) Error() string {
	return "sip: parse " + e.What + " at " + strconv.Itoa(e.Offset) + ": " + e.Reason
}

// Unwrap returns the status to answer with, so that [StatusOf] and errors.As find it.
func (e *ParseError) Unwrap() error {
	if e.Status == 0 {
		return StatusBadRequest
	}
	return e.Status
}

// within makes err, which a parser gave for the text at offset at of what, an error of what.
func within(what string, at int, err error) error {
	fault := *err.(*ParseError)
	fault.What, fault.Offset = what, fault.Offset+at
	return &fault
}

// StatusOf returns the status that err is or wraps, and 500 if there is none.
func StatusOf(err error) Status {
	if s, ok := errors.AsType[Status](err); ok {
		return s
	}
	return StatusServerInternalError
}
