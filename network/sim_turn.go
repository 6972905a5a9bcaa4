// Whose turn it is on the simulated network: goroutines that one event has set going run one behind the other.

package network

import (
	"net/netip"
	"sync"
	"time"
)

// Ticket implements [Conductor]; without [Sim.InTurn] nobody waits.
func (h *SimHost) Ticket() (turn func()) {
	s := h.sim
	if !s.InTurn {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h.tickets++
	n := h.tickets
	return func() { h.wait(n) }
}

// wait makes the caller an event of the network: as no two happen at one instant, and virtual time stands still while anything runs, it goes on alone.
func (h *SimHost) wait(ticket uint64) {
	s := h.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	mine, wake := s.closed, sync.NewCond(&s.mu)
	if !mine {
		s.pushLocked(&event{at: time.Now().Add(1), link: link{from: netip.AddrPortFrom(h.addrs[0], 0)}, count: ticket, turn: true, deliver: func() {
			mine = true
			wake.Signal()
		}})
	}
	for !mine {
		wake.Wait()
	}
}
