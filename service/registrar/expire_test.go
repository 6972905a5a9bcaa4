package registrar

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestExpiryHeap(t *testing.T) {
	var e expiry
	e.start()
	random := rand.New(rand.NewPCG(1, 2))
	var want []int64
	for range 1000 {
		at := random.Int64N(500)
		want = append(want, at)
		e.push(due{at: at})
	}
	slices.Sort(want)
	if _, next, ok := e.pop(time.Unix(want[0]-1, 0)); ok || next != time.Unix(want[0], 0) {
		t.Errorf("too early: %v, %t", next, ok)
	}
	for i, at := range want {
		if d, _, ok := e.pop(time.Unix(1000, 0)); !ok || d.at != at {
			t.Fatalf("entry %d is %d, want %d", i, d.at, at)
		}
	}
	if _, next, ok := e.pop(time.Unix(1000, 0)); ok || !next.IsZero() {
		t.Error("an empty heap gives an entry")
	}
}

// TestExpiryIsBounded: registering and unregistering all day leaves little behind, and nothing that is needed is lost.
func TestExpiryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice()
		if err := o.Open(); err != nil {
			t.Fatal(err)
		}
		o.send(t, call{to: "sip:bob@example.org", user: "bob", headers: []string{"Contact: <sip:b@192.0.2.1>;expires=3000"}})
		for range 3 * slackEntries {
			o.send(t, call{headers: []string{"Contact: <sip:a@192.0.2.1>"}})
			o.send(t, call{headers: []string{"Contact: <sip:a@192.0.2.1>;expires=0"}})
		}
		o.expireDue()
		o.expiry.mu.Lock()
		n := len(o.expiry.heap)
		o.expiry.mu.Unlock()
		if n > 2 {
			t.Errorf("%d entries for one name", n)
		}
		time.Sleep(3001 * time.Second)
		if c := o.Counts(); c.Bindings != 0 {
			t.Errorf("bob's binding did not expire: %+v", c)
		}
		if err := o.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
