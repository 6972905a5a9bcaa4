// From a packet to a transaction: what is malformed ends here. RFC 3261 §8.2, §16.3, §18.1.2, §18.3.

package stack

import (
	"context"
	"errors"
	"log/slog"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// dispatch takes each message from the transports.
func (s *Stack) dispatch(p *transport.Packet) {
	if p.Response != nil {
		if err := p.Response.Validate(); err != nil {
			s.counts.malformed.Add(1)
			s.logRefused(p, &p.Response.Message, err)
			p.Release()
			return
		}
		s.table.Receive(p)
		return
	}
	err := p.Err
	if err == nil {
		err = p.Request.Validate()
	}
	switch {
	case err != nil:
		s.refuse(p, err)
	case s.draining.Load() && p.Request.ToTag() == "" && p.Request.Method != sip.MethodCancel && p.Request.Method != sip.MethodAck:
		s.table.Refuse(p, sip.StatusServiceUnavailable)
	default:
		s.table.Receive(p)
	}
}

// refuse answers a malformed request once, without a transaction, and tells nothing but the status. One that may be an ACK, or that
// does not say where it came from, gets no answer. RFC 3261 §17, §18.2.2.
func (s *Stack) refuse(p *transport.Packet, err error) {
	if p.Err == nil { // otherwise the transport has counted it
		s.counts.malformed.Add(1)
		if p.Ignore() {
			p.Release()
			return
		}
	}
	s.logRefused(p, &p.Request.Message, err)
	cseq, seqErr := p.Request.CSeq()
	if p.Request.Method == "" && (seqErr != nil || cseq.Method == sip.MethodAck) {
		p.Release()
		return
	}
	status := sip.StatusBadRequest
	if known := sip.StatusOf(err); known != sip.StatusServerInternalError {
		status = known
	}
	s.table.Refuse(p, status)
}

func (s *Stack) logRefused(p *transport.Packet, m *sip.Message, err error) {
	if !s.Log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	offset := -1
	if fault, ok := errors.AsType[*sip.ParseError](err); ok {
		offset = fault.Offset
	}
	s.Log.Debug("stack: malformed message", "err", err, "offset", offset, "source", p.Flow.Remote.String(),
		"transport", p.Flow.Transport.String(), "call-id", m.CallID())
}

// flowLost tells the transactions on a lost connection, then the handler.
func (s *Stack) flowLost(f sip.Flow) {
	s.table.FlowLost(f)
	if s.FlowLost != nil {
		s.table.Do(0, func() {
			s.FlowLost.HandleEvent(&sip.Event{Kind: sip.EventFlowLost, Flow: f, Err: sip.ErrFlowLost, Engine: s})
		})
	}
}
