// The machines against tables written by hand from the RFC. RFC 6665 §4.1.2, §4.2.1, §4.2.2.

package event

import (
	"testing"

	"github.com/sipwerk/sipwerk/internal/machine"
)

func TestMachines(t *testing.T) {
	machine.Test(t, map[string]machine.Machine{
		"notifier": {
			States:  []string{"quiet", "sending", "stale", "owing", "paused", "held", "closing", "ending", "over"},
			Inputs:  []string{"subscribe", "leave", "change", "due", "answered", "gone", "expire", "end"},
			Actions: []string{"tell", "tell all", "tell end", "pause", "stop pause", "forget"},
			Step:    machine.Step(noticeState.step),
		},
		"subscriber": {
			States:  []string{"asking", "up", "renewing", "leaving", "over"},
			Inputs:  []string{"notify", "terminated", "granted", "refused", "timer N", "due", "expired", "leave"},
			Actions: []string{"tell", "refresh", "goodbye", "arm", "stop N", "later", "tell over"},
			Step:    machine.Step(watchState.step),
		},
	})
}
