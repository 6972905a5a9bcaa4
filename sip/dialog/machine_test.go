// The machines against tables written by hand from the RFC. RFC 3261 §13, §14, §15; RFC 3262 §3; RFC 3311 §5; RFC 4028 §7 to §10.

package dialog

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/internal/machine"
)

func TestMachines(t *testing.T) {
	machine.Test(t, map[string]machine.Machine{
		"uac": {
			States:  []string{"calling", "proceeding", "cancelling", "answered", "confirmed", "over"},
			Inputs:  []string{"1xx", "2xx", "2xx offer", "2xx again", "2xx fork", "challenge", "failure", "cancel", "ack", "bye", "peer bye"},
			Actions: []string{"tell progress", "tell answered", "tell rejected", "tell ended", "ack", "bye", "drop fork", "cancel", "restart"},
			Step:    machine.Step(uacState.step),
		},
		"uas": {
			States:  []string{"open", "held", "answered", "leaving", "confirmed", "over"},
			Inputs:  []string{"provisional", "answer", "held", "reject", "bye", "cancel", "ack", "peer bye", "resend", "give up", "pracked", "no prack"},
			Actions: []string{"respond", "await ack", "repeat", "settle", "487", "tell ack", "tell cancelled", "tell ended", "bye", "bye without ack", "refused", "504"},
			Step:    machine.Step(uasState.step),
		},
		"offer": {
			States: []string{"none", "sent", "unacked", "came", "answered"},
			Inputs: []string{"order", "peer", "2xx", "updated", "2xx offer", "491", "gone", "failure", "order ack", "accept", "accept late", "refuse", "withdrawn", "ack",
				"overdue", "ended"},
			Actions: []string{"send", "tell", "491", "500", "ack", "tell result", "retry", "hang up", "respond", "cancelled", "busy", "lapse"},
			Step:    machine.Step(offerState.step),
		},
		"reliable": {
			States:  []string{"none", "plain", "full"},
			Inputs:  []string{"order", "order full", "answer", "reject", "acked", "resend", "give up"},
			Actions: []string{"send", "queue", "repeat", "stop", "next", "hold", "pass", "fail"},
			Step:    machine.Step(reliableState.step),
		},
		"timer": {
			States:  []string{"off", "ours", "theirs", "waiting"},
			Inputs:  []string{"ours", "theirs", "due", "refused", "expired", "over"},
			Actions: []string{"arm", "await", "refresh", "later", "hang up", "stop"},
			Step:    machine.Step(timerState.step),
		},
	})
}

func TestGlareWait(t *testing.T) {
	tests := []struct {
		made     bool
		min, max time.Duration
	}{{true, 2100 * time.Millisecond, 4 * time.Second}, {false, 0, 2 * time.Second}}
	for _, test := range tests {
		low, high := time.Hour, time.Duration(0)
		for r := range uint64(2000) {
			d := glareWait(test.made, r)
			low, high = min(low, d), max(high, d)
			if d%(10*time.Millisecond) != 0 {
				t.Fatalf("made %t: %v is no multiple of 10 ms", test.made, d)
			}
		}
		if low != test.min || high != test.max {
			t.Errorf("made %t: from %v to %v, want %v to %v", test.made, low, high, test.min, test.max)
		}
	}
	for r := range uint64(100) {
		if s := retryAfter(r); s > 10 {
			t.Errorf("retryAfter(%d) = %d", r, s)
		}
	}
}
