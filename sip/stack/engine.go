// The stack as a sip.Engine: every order goes to the transaction layer. RFC 3261 §17.

package stack

import (
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Start implements [sip.Sender].
func (s *Stack) Start(n sip.Stripe, req *sip.Request, to sip.Destination, h sip.EventHandler) (sip.TransactionID, error) {
	return s.table.Start(n, req, to, h)
}

// Respond implements [sip.Sender]. What it adds and the Via that it takes off stay so in res.
func (s *Stack) Respond(tx sip.TransactionID, res *sip.Response) error {
	return s.table.Respond(tx, res)
}

// RespondOnce implements [sip.Sender].
func (s *Stack) RespondOnce(tx sip.TransactionID, res *sip.Response) error {
	return s.table.RespondOnce(tx, res)
}

// Cancel implements [sip.Sender].
func (s *Stack) Cancel(tx sip.TransactionID, reason string) error { return s.table.Cancel(tx, reason) }

// Ack implements [sip.Sender].
func (s *Stack) Ack(n sip.Stripe, req *sip.Request, to sip.Destination) error {
	return s.table.Ack(n, req, to)
}

// Own implements [sip.Sender].
func (s *Stack) Own(tx sip.TransactionID, h sip.EventHandler) error { return s.table.Own(tx, h) }

// Do implements [sip.Engine]. After the stack has closed f does not run.
func (s *Stack) Do(n sip.Stripe, f func()) {
	if s.begin() == nil {
		s.table.Do(n, f)
	}
}

// After implements [sip.Engine].
func (s *Stack) After(n sip.Stripe, d time.Duration, f func()) sip.Timer {
	return s.table.After(n, d, f)
}

// NewID implements [sip.Engine]. It may be called from anywhere. It panics if there is no randomness to be had.
func (s *Stack) NewID(n sip.Stripe) string {
	if err := s.begin(); err != nil {
		panic(err)
	}
	return s.table.NewID(n)
}
