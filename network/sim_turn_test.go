package network_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// TestTurns: goroutines that one event sets going go on in the order of their tickets, and in the same order the next time.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &network.Sim{InTurn: true}
		h := s.Host(addrA)
		start := make(chan struct{})
		var mu sync.Mutex // guards order
		var order, want []int
		note := func(i int) {
			mu.Lock()
			defer mu.Unlock()
			order = append(order, i)
		}
		var all sync.WaitGroup
		for i := range 50 {
			turn := network.Ticket(h)
			want = append(want, i)
			all.Go(func() {
				<-start
				turn()
				note(i)
				turn()
				note(i)
			})
		}
		close(start)
		all.Wait()
		var first, second []int
		for _, i := range order {
			if slices.Contains(first, i) {
				second = append(second, i)
			} else {
				first = append(first, i)
			}
		}
		if !slices.Equal(first, want) || !slices.Equal(second, want) {
			t.Errorf("order %v", order)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		network.Ticket(h)() // does not wait for what never comes
	})
}

// TestNoTurns: nobody waits where nothing is conducted.
func TestNoTurns(t *testing.T) {
	world(t, network.Conditions{}, func(t *testing.T, _ *network.Sim, a, _ *network.SimHost) {
		before := time.Now()
		network.Ticket(a)()
		network.Ticket(network.OS{})()
		if d := time.Since(before); d != 0 {
			t.Errorf("waited %v", d)
		}
	})
}
