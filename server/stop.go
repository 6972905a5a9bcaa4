// How a server stops: no new calls, the running ones until a limit, then everything in the reverse order of the start.

package server

import (
	"context"
	"time"
)

// partingTime is how long the last BYEs and answers get to reach their peers.
const partingTime = 2 * time.Second

// Stop refuses new calls, waits for the running ones as long as the configuration says, ends the rest, and frees everything. When ctx ends it waits no
// longer. It returns how many calls were cut off.
func (s *Server) Stop(ctx context.Context) (cut int) {
	s.stopping.Store(true)
	s.log.Info("stopping", "calls", s.Calls(), "limit", s.Config.Drain)
	drain, cancel := context.WithTimeout(ctx, s.Config.Drain)
	defer cancel()
	if cut = s.drain(drain); cut > 0 {
		s.log.Warn("calls were ended by the stop", "calls", cut)
	}
	part, done := context.WithTimeout(ctx, partingTime)
	defer done()
	s.trunks.Close(part)
	if err := s.stack.Shutdown(part); err != nil {
		s.log.Debug("transactions were cut off", "err", err)
	}
	s.close()
	s.log.Info("stopped", "after", time.Since(s.started).Round(time.Second))
	return cut
}

// service is what has calls that a stop waits for.
type service interface {
	Drain(ctx context.Context) error
	Calls() int
}

// services are those that have calls.
func (s *Server) services() []service { return []service{s.calls, s.features, s.conferences} }

// drain waits for the calls of all services, and returns how many it had to end. Then it tells the subscribers.
func (s *Server) drain(ctx context.Context) (cut int) {
	left := make(chan int)
	for _, one := range s.services() {
		go func() {
			n := 0
			if one.Drain(ctx) != nil {
				n = one.Calls()
			}
			left <- n
		}()
	}
	for range s.services() {
		cut += <-left
	}
	s.events.EndAll("deactivated")
	return cut
}

// Calls returns how many calls there are, those to rooms and feature numbers included.
func (s *Server) Calls() (n int) {
	for _, one := range s.services() {
		n += one.Calls()
	}
	return n
}

// close frees what was opened, as far as the start came.
func (s *Server) close() {
	s.stopping.Store(true)
	report := func(what string, err error) {
		if err != nil {
			s.log.Error("closing failed", "what", what, "err", err)
		}
	}
	if s.stack != nil {
		report("stack", s.stack.Close())
	}
	if s.turn != nil {
		report("turn", s.turn.Close())
	}
	if s.queues != nil {
		report("call backs", s.callbacks.Close())
		report("agents", s.queues.Close())
	}
	if s.web != nil {
		s.web.close()
	}
	if s.control != nil {
		s.control.Close()
	}
	if s.follow != nil {
		s.follow()
	}
	s.running.Wait()
	if s.dial != nil {
		s.dial.hook.Close()
		report("minutes", s.dial.meter.Close())
	}
	if s.shelf != nil {
		s.shelf.Close()
	}
	if s.relay != nil {
		report("relay", s.relay.Close())
	}
	if s.registrar != nil {
		report("bindings", s.registrar.Close())
	}
	if s.records != nil {
		report("call records", s.records.journal.Close())
	}
	if s.Store != nil {
		report("database", s.Store.Close())
	}
	if s.lock != nil {
		s.lock.Release()
	}
}
