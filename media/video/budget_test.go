package video

import (
	"fmt"
	"testing"
	"time"
)

// TestBudget: it grows while nothing is wrong, follows an estimate down and up, and waits longer and longer after congestions that come soon.
func TestBudget(t *testing.T) {
	var b Budget
	now := time.Unix(1000, 0)
	grow := func(d time.Duration) {
		for ; d > 0; d -= 100 * time.Millisecond {
			now = now.Add(100 * time.Millisecond)
			b.Grow(now)
		}
	}
	grow(10 * time.Second)
	if r := b.Rate(); r < 18*firstRate/10 || r > 22*firstRate/10 {
		t.Errorf("after 10 s %d", r)
	}
	b.Estimate(500_000, 1_000_000, now)
	if b.Rate() != 500_000 {
		t.Errorf("after an estimate %d", b.Rate())
	}
	grow(firstPause)
	if b.Rate() != 500_000 {
		t.Errorf("in the pause %d", b.Rate())
	}
	b.Estimate(900_000, 400_000, now) // there is more room than is used
	if b.Rate() != 900_000 {
		t.Errorf("with room %d", b.Rate())
	}
	b.Lost(0.5, 900_000, now)
	if b.Rate() != 675_000 || b.pause != 2*firstPause {
		t.Errorf("after loss %d, pause %s", b.Rate(), b.pause)
	}
	now = now.Add(time.Minute)
	b.Grow(now)
	if b.Rate() != 675_000 {
		t.Errorf("it grows in spite of loss: %d", b.Rate())
	}
	b.Lost(0, 600_000, now)
	grow(time.Second)
	if b.Rate() <= 675_000 {
		t.Errorf("it does not grow: %d", b.Rate())
	}
	b.Estimate(0, 600_000, now)
	if b.Rate() != leastRate || b.pause != firstPause {
		t.Errorf("after nothing %d, pause %s", b.Rate(), b.pause)
	}
}

// TestBudgetOfABadMinute: what is lost for a minute, whatever is sent, is one congestion: five seconds after its end the budget grows again.
func TestBudgetOfABadMinute(t *testing.T) {
	var b Budget
	now := time.Unix(1000, 0)
	for range 60 {
		now = now.Add(time.Second)
		b.Lost(0.3, 400_000, now)
		b.Grow(now)
	}
	low := b.Rate()
	if low >= firstRate {
		t.Fatalf("after a minute of loss %d", low)
	}
	for range 2 + firstPause/time.Second {
		now = now.Add(time.Second)
		b.Lost(0, 300_000, now)
		b.Grow(now)
	}
	if b.Rate() <= low {
		t.Errorf("two seconds after the pause %d still", b.Rate())
	}
}

// TestShare: the least for each, the more important first; then what there is room for, with a reserve for what is not shown yet.
func TestShare(t *testing.T) {
	layers := []int{1_000_000, 300_000, 100_000}
	for _, tt := range []struct {
		rate  int
		wants []Want
		want  string
	}{
		{2_000_000, []Want{{layers, Nothing}}, "[0]"},
		{1_100_000, []Want{{layers, 2}}, "[1]"}, // no reserve
		{1_100_000, []Want{{layers, 0}}, "[0]"}, // shown already
		{50_000, []Want{{layers, 0}}, "[2]"},    // something at least
		{230_000, []Want{{layers, 2}, {layers, 2}, {layers, Nothing}}, "[2 2 -1]"},
		{600_000, []Want{{layers, 2}, {layers, 2}}, "[1 2]"},
		{5_000_000, []Want{{[]int{0, 300_000, 0}, 0}, {nil, Nothing}, {[]int{0, 0}, 1}}, "[1 -1 -1]"},
	} {
		if got := fmt.Sprint(Share(tt.rate, tt.wants)); got != tt.want {
			t.Errorf("%d among %v: %s, want %s", tt.rate, tt.wants, got, tt.want)
		}
	}
}

// TestRanking: who speaks comes first, a cough changes nothing, a pause neither, and who interrupts must be louder.
func TestRanking(t *testing.T) {
	var r Ranking[string]
	now := time.Unix(1000, 0)
	for _, k := range []string{"alice", "bob", "carol", "bob"} {
		r.Add(k)
	}
	levels := map[string]int{}
	say := func(d time.Duration, who map[string]int) string {
		levels = who
		for ; d > 0; d -= 100 * time.Millisecond {
			now = now.Add(100 * time.Millisecond)
			r.Step(func(k string) int {
				if l, ok := levels[k]; ok {
					return l
				}
				return 127
			}, now)
		}
		return fmt.Sprint(r.Order())
	}
	for i, tt := range []struct {
		d    time.Duration
		who  map[string]int
		want string
	}{
		{time.Second, nil, "[alice bob carol]"},
		{3 * time.Second, map[string]int{"carol": 25}, "[carol alice bob]"},
		{300 * time.Millisecond, map[string]int{"bob": 10}, "[carol bob alice]"}, // coughs
		{2 * time.Second, nil, "[carol bob alice]"},
		{3 * time.Second, map[string]int{"carol": 25, "bob": 24}, "[carol bob alice]"},
		{3 * time.Second, map[string]int{"carol": 25, "bob": 10}, "[bob carol alice]"},
		{500 * time.Millisecond, map[string]int{"carol": 20}, "[bob carol alice]"},
		{2 * time.Second, map[string]int{"carol": 20}, "[carol bob alice]"},
	} {
		if got := say(tt.d, tt.who); got != tt.want {
			t.Errorf("step %d: %s, want %s", i, got, tt.want)
		}
	}
	r.Remove("carol")
	r.Remove("dave")
	if got := fmt.Sprint(r.Order()); got != "[bob alice]" {
		t.Errorf("without carol %s", got)
	}
}
