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
	if err := s.stack.Shutdown(part); err != nil {
		s.log.Debug("transactions were cut off", "err", err)
	}
	s.close()
	s.log.Info("stopped", "after", time.Since(s.started).Round(time.Second))
	return cut
}

// drain waits for the calls of both services, and returns how many it had to end.
func (s *Server) drain(ctx context.Context) (cut int) {
	features := make(chan int)
	go func() {
		n := 0
		if s.features.Drain(ctx) != nil {
			n = s.features.Calls()
		}
		features <- n
	}()
	if s.calls.Drain(ctx) != nil {
		cut = s.calls.Calls()
	}
	return cut + <-features
}

// Calls returns how many calls there are, those to feature numbers included.
func (s *Server) Calls() int { return s.calls.Calls() + s.features.Calls() }

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
	if s.web != nil {
		s.web.close()
	}
	if s.follow != nil {
		s.follow()
	}
	s.running.Wait()
	if s.relay != nil {
		report("relay", s.relay.Close())
	}
	if s.registrar != nil {
		report("bindings", s.registrar.Close())
	}
	if s.Store != nil {
		report("database", s.Store.Close())
	}
	if s.lock != nil {
		s.lock.Release()
	}
}
