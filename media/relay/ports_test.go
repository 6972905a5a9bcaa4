package relay

import "testing"

func TestPorts(t *testing.T) {
	for _, tt := range []struct {
		ports Ports
		first int
		pairs int
		ok    bool
	}{
		{Ports{}, 0, 0, true},
		{Ports{Min: 10000, Max: 10001}, 10000, 1, true},
		{Ports{Min: 10000, Max: 10004}, 10000, 2, true},
		{Ports{Min: 10001, Max: 10004}, 10002, 1, true},
		{Ports{Min: 10001, Max: 10004, Odd: true}, 10001, 2, true},
		{Ports{Min: 65534, Max: 65535}, 65534, 1, true},
		{Ports{Min: 65535, Max: 65535}, 65536, 0, false},
		{Ports{Min: 10001, Max: 10002}, 10002, 0, false},
		{Ports{Min: 10002, Max: 10001}, 10002, 0, false},
		{Ports{Max: 10001}, 0, 5001, false},
	} {
		if err := tt.ports.Validate(); (err == nil) != tt.ok {
			t.Errorf("%+v: %v", tt.ports, err)
		}
		if tt.ports.Min == 0 {
			continue
		}
		if got := tt.ports.first(); got != tt.first {
			t.Errorf("%+v: first %d, want %d", tt.ports, got, tt.first)
		}
		if got := tt.ports.pairs(); got != tt.pairs {
			t.Errorf("%+v: %d pairs, want %d", tt.ports, got, tt.pairs)
		}
	}
}

func TestPool(t *testing.T) {
	var p pool
	for want := range 3 {
		if got, ok := p.take(3); !ok || got != want {
			t.Fatalf("took %d, %v, want %d", got, ok, want)
		}
	}
	if _, ok := p.take(3); ok {
		t.Fatal("took a fourth of three")
	}
	p.put(1)
	p.put(0)
	for _, want := range []int{0, 1} {
		if got, ok := p.take(3); !ok || got != want {
			t.Errorf("took %d, %v, want %d", got, ok, want)
		}
	}
	p.put(2)
	if p.taken != 2 {
		t.Errorf("%d taken, want 2", p.taken)
	}
}
