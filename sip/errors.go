// The sentinels of the engine's orders.

package sip

import "errors"

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
