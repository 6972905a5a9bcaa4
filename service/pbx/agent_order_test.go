package pbx

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// TestOrder: who rings, call after call.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		members := []string{"a", "b", "c", "d"}
		busy := map[string]bool{}
		free := func(m string) bool { return !busy[m] }
		var turns Turns
		expect := func(s Strategy, want string) {
			t.Helper()
			if got := fmt.Sprint(turns.Order("600", s, members, free)); got != want {
				t.Errorf("%s: %s, want %s", s, got, want)
			}
		}
		expect(RingAll, "[[a b c d]]")
		expect("", "[[a b c d]]")
		expect(RingInOrder, "[[a] [b] [c] [d]]")
		expect(RoundRobin, "[[a] [b] [c] [d]]")
		expect(RoundRobin, "[[b] [c] [d] [a]]")
		busy["c"] = true
		expect(RoundRobin, "[[d] [a] [b]]")
		expect(RoundRobin, "[[a] [b] [d]]")
		expect(RingAll, "[[a b d]]")
		busy["c"] = false
		expect(LongestIdle, "[[a] [b] [c] [d]]")
		for _, m := range []string{"b", "a", "nobody"} {
			turns.Changed(m, 1)
			time.Sleep(time.Minute)
			turns.Changed(m, 0)
		}
		expect(LongestIdle, "[[c] [d] [b] [a]]")
		turns.Served("600", "c")
		turns.Served("601", "d")
		expect(FewestCalls, "[[d] [b] [a] [c]]")
		if len(turns.ended) != len(members) {
			t.Errorf("%d are remembered", len(turns.ended))
		}
		for _, m := range members {
			busy[m] = true
		}
		expect(RoundRobin, "[]")
	})
}
