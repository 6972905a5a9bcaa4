package relay

import (
	"testing"
	"time"
)

func TestReception(t *testing.T) {
	const step = 20 * time.Millisecond
	type packet struct {
		seq  uint16
		at   time.Duration
		ssrc uint32
	}
	for _, tt := range []struct {
		name    string
		packets []packet
		lost    uint64
		jitter  bool
	}{
		{"even", []packet{{1, 0, 1}, {2, step, 1}, {3, 2 * step, 1}}, 0, false},
		{"wrapped", []packet{{65534, 0, 1}, {65535, step, 1}, {0, 2 * step, 1}, {1, 3 * step, 1}}, 0, false},
		{"two lost", []packet{{1, 0, 1}, {4, 3 * step, 1}}, 2, false},
		{"out of order", []packet{{1, 0, 1}, {3, 2 * step, 1}, {2, step, 1}, {4, 3 * step, 1}}, 0, false},
		{"doubled", []packet{{1, 0, 1}, {1, 0, 1}, {2, step, 1}}, 0, false},
		{"late by a packet time", []packet{{1, 0, 1}, {2, 2 * step, 1}, {3, 2 * step, 1}}, 0, true},
		{"loss before a new source stays", []packet{{1, 0, 1}, {3, 2 * step, 1}, {900, 0, 2}, {901, step, 2}}, 1, false},
		{"a jump is a restart", []packet{{1, 0, 1}, {20000, step, 1}, {20001, 2 * step, 1}}, 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var r reception
			for _, p := range tt.packets {
				r.add(header{kind: rtp, seq: p.seq, timestamp: uint32(int32(int16(p.seq))) * 160, ssrc: p.ssrc}, p.at, 8000)
			}
			if got := r.lost(); got != tt.lost {
				t.Errorf("lost %d, want %d", got, tt.lost)
			}
			if got := r.jitterTime(8000) > 0; got != tt.jitter {
				t.Errorf("jitter %v, want some: %v", r.jitterTime(8000), tt.jitter)
			}
		})
	}
}
