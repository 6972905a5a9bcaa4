package rtp

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// run plays a script: a number puts that packet, "." pops. What is popped is written as number, "-" (waiting) or "x"
// (lost).
func run(t *testing.T, j *Jitter, script string) string {
	t.Helper()
	var out []string
	for _, word := range strings.Fields(script) {
		if word != "." {
			var n uint16
			if _, err := fmt.Sscan(word, &n); err != nil {
				t.Fatal(err)
			}
			j.Put(&Packet{Header: Header{Sequence: n}, Payload: []byte{byte(n)}})
			continue
		}
		switch p, playout := j.Pop(); playout {
		case Waiting:
			out = append(out, "-")
		case Lost:
			out = append(out, "x")
		case Played:
			if p.Payload[0] != byte(p.Sequence) {
				t.Errorf("packet %d carries %d", p.Sequence, p.Payload[0])
			}
			out = append(out, fmt.Sprint(p.Sequence))
		}
	}
	return strings.Join(out, " ")
}

func TestJitter(t *testing.T) {
	for name, tt := range map[string]struct{ script, want string }{
		"nothing":               {". .", "- -"},
		"fills and plays":       {". 1 . 2 . 3 . 4 .", "- - 1 2 3"},
		"first waits its time":  {"1 . . .", "- 1 -"},
		"lost":                  {"1 2 . 4 . . 5 .", "1 2 x 4"},
		"order":                 {"1 3 . 2 . 4 .", "1 2 3"},
		"first two overtaken":   {"2 1 . . 3 .", "1 2 3"},
		"long before the first": {"9 1 10 . . .", "9 10 -"},
		"roll-over":             {"65534 65535 . 0 . 1 . 2 . .", "65534 65535 0 1 2"},
		"duplicates":            {"1 1 2 2 . 1 . 2 .", "1 2 -"},
		"late":                  {"1 2 . 4 . . 3 5 . .", "1 2 x 4 5"},
		"runs dry and fills":    {"1 2 . . . . 3 . 4 . 5 .", "1 2 - - - - 3"},
		"lost while dry":        {"1 2 . . . 5 6 7 . .", "1 2 - 5 6"},
		"wild one ignored":      {"1 2 . 3 9000 . 4 .", "1 2 3"},
		"new numbers":           {"1 2 . 9000 9001 9002 . .", "1 9001 9002"},
	} {
		if got := run(t, new(Jitter), tt.script); got != tt.want {
			t.Errorf("%s: %s gave %s, want %s", name, tt.script, got, tt.want)
		}
	}
}

func TestJitterNewSource(t *testing.T) {
	j := new(Jitter)
	run(t, j, "1 2 . 3")
	j.Put(&Packet{Header: Header{SSRC: 5, Sequence: 40}, Payload: []byte{40}})
	j.Put(&Packet{Header: Header{SSRC: 5, Sequence: 41}, Payload: []byte{41}})
	if got, want := run(t, j, ". ."), "40 41"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// simulate plays n packets that come late by delays (in packet times) and returns the statistics.
func simulate(j *Jitter, n int, delay func(i int) int) JitterStatistics {
	arrivals := make(map[int][]int)
	for i := range n {
		at := i + delay(i)
		arrivals[at] = append(arrivals[at], i)
	}
	for now := range n {
		for _, i := range arrivals[now] {
			j.Put(&Packet{Header: Header{Sequence: uint16(i)}})
		}
		j.Pop()
	}
	return j.Statistics()
}

func TestJitterAdapts(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	j := new(Jitter)
	s := simulate(j, 3000, func(int) int { return random.IntN(6) })
	if bad := s.Late + s.Lost + s.Dropped; bad > 30 || s.Played < 2950 {
		t.Errorf("a restless network: %+v", s)
	}
	if j.held < 2 {
		t.Errorf("only %d held against delays of up to 5", j.held)
	}
}

// After a time of trouble the delay becomes as short as it was, without losing more than it takes.
func TestJitterShrinks(t *testing.T) {
	j := new(Jitter)
	s := simulate(j, 8000, func(i int) int {
		if i >= 100 && i < 110 {
			return 110 - i
		}
		return 0
	})
	if s.Dropped == 0 || s.Dropped > 12 || j.held > 2 || s.Delay != 2 || s.Late+s.Lost != 0 {
		t.Errorf("%+v, %d held", s, j.held)
	}
}

// Limits that are equal make a fixed delay.
func TestJitterFixed(t *testing.T) {
	j := &Jitter{Min: 3, Max: 3}
	if got, want := run(t, j, "1 . 2 . 3 . . . . 4 . 5 . 6 ."), "- - 1 2 3 - - - 4"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if s := j.Statistics(); s.Delay != 3 {
		t.Errorf("%+v", s)
	}
}

func TestJitterRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	j := &Jitter{Min: 1, Max: 99}
	played := make(map[uint16]bool)
	for i := range 60000 {
		n := i/2 + random.IntN(40) - 20
		if random.IntN(1000) == 0 {
			n = random.IntN(1 << 16)
		}
		j.Put(&Packet{Header: Header{Sequence: uint16(n)}, Payload: make([]byte, random.IntN(20))})
		if i%2 == 0 {
			if p, playout := j.Pop(); playout == Played {
				played[p.Sequence] = true
			}
		}
		held := 0
		for _, s := range j.slots {
			if s.state == slotFull {
				held++
			}
		}
		if held != j.held || j.delay > jitterLimit {
			t.Fatalf("%d held, %d counted, delay %d", held, j.held, j.delay)
		}
	}
	if len(played) < 20000 {
		t.Errorf("played only %d", len(played))
	}
}

func TestJitterAllocatesNothing(t *testing.T) {
	j := new(Jitter)
	p := Packet{Payload: make([]byte, 160)}
	step := func() {
		p.Sequence++
		j.Put(&p)
		j.Pop()
	}
	for range jitterSize {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What follows a lost packet can be looked at: it may hold a copy of it.
func TestNextAfterLoss(t *testing.T) {
	j := new(Jitter)
	put := func(n uint16) { j.Put(&Packet{Header: Header{Sequence: n}, Payload: []byte{byte(n)}}) }
	if _, ok := j.Next(); ok {
		t.Error("a packet in an empty buffer")
	}
	for _, n := range []uint16{1, 2, 4} {
		put(n)
	}
	for range 2 {
		if _, playout := j.Pop(); playout != Played {
			t.Fatal(playout)
		}
	}
	if _, ok := j.Next(); ok {
		t.Error("the lost packet is there")
	}
	if _, playout := j.Pop(); playout != Lost {
		t.Fatal(playout)
	}
	if p, ok := j.Next(); !ok || p.Sequence != 4 || p.Payload[0] != 4 {
		t.Errorf("%v %t", p, ok)
	}
	if p, playout := j.Pop(); playout != Played || p.Sequence != 4 {
		t.Error("looking took it away")
	}
}

// Payloads share a few buffers: a long call takes no more of them than were held at a time.
func TestJitterMemory(t *testing.T) {
	j := new(Jitter)
	for n := range uint16(5000) {
		if n%7 != 0 {
			j.Put(&Packet{Header: Header{Sequence: n, SSRC: uint32(n / 1000)}, Payload: []byte{byte(n), byte(n >> 8)}})
		}
		if p, playout := j.Pop(); playout == Played && (p.Payload[0] != byte(p.Sequence) || p.Payload[1] != byte(p.Sequence>>8)) {
			t.Fatalf("packet %d has the payload of another", p.Sequence)
		}
	}
	if len(j.buffers) > 12 || len(j.free)+j.held != len(j.buffers) {
		t.Errorf("%d buffers, %d free, %d held", len(j.buffers), len(j.free), j.held)
	}
}
