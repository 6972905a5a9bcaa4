package b2bua

import (
	"fmt"
	"slices"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// TestNextFlow: a device with two flows is called over the second when the first is broken, and not when it has answered. RFC 5626 §7, §11.6.
func TestNextFlow(t *testing.T) {
	fails := func(kind sip.EventKind, err error) func(w *world, s *sent) {
		return func(w *world, s *sent) { w.fails(s.tx, kind, err) }
	}
	refuses := func(status ...sip.Status) func(w *world, s *sent) {
		return func(w *world, s *sent) {
			for _, status := range status {
				w.reply(s, status, "")
			}
		}
	}
	for _, tt := range []struct {
		name   string
		first  func(w *world, s *sent) // what becomes of the INVITE over the first flow; nil: it cannot be sent
		again  bool
		failed bool // the locator is told
	}{
		{"lost", nil, true, true},
		{"430", refuses(sip.StatusFlowFailed), true, true},
		{"430 behind 183", refuses(sip.StatusSessionProgress, sip.StatusFlowFailed), true, true},
		{"408", refuses(sip.StatusRequestTimeout), true, false},
		{"silent", fails(sip.EventTimeout, sip.ErrTimeout), true, false},
		{"broken meanwhile", fails(sip.EventFailure, sip.ErrFlowLost), true, true},
		{"rang and says no more", refuses(sip.StatusRinging, sip.StatusRequestTimeout), false, false},
		{"503", refuses(sip.StatusServiceUnavailable), false, false},
		{"busy", refuses(sip.StatusBusyHere), false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(w *world) {
				w.phone("bob", 2)
				w.phone("bob", 3)
				way := w.phones["bob"]
				way[0].Key, way[1].Key, way[1].Spare = 7, 8, true
				way[0].To.Flow = sip.Flow{Transport: sip.TCP, ID: 1}
				w.lost[1] = tt.first == nil
				var failed []string
				w.b.FlowFailed = func(account sip.URI, key uint64) { failed = append(failed, fmt.Sprint(account.User, key)) }
				tx := w.invite("bob", offer("192.0.2.1", 4000))
				s := w.one(sip.MethodInvite)
				if tt.first != nil {
					tt.first(w, s)
					if again := w.take(sip.MethodInvite); len(again) == 1 {
						s = again[0]
					} else if tt.again {
						t.Fatalf("%d INVITEs over the second flow", len(again))
					}
				}
				if told := slices.Equal(failed, []string{"bob7"}); told != tt.failed {
					t.Errorf("told of %v", failed)
				}
				if !tt.again {
					if got := w.answerTo(tx).Status; got < 400 {
						t.Errorf("alice got %d", got)
					}
					return
				}
				if s.URI.Host != "192.0.2.3" {
					t.Fatalf("INVITE to %v", s.URI)
				}
				w.reply(s, sip.StatusOK, offer("192.0.2.3", 6000))
				if got := w.answerTo(tx).Status; got != sip.StatusOK {
					t.Fatalf("alice got %d", got)
				}
				w.ack(tx, "")
				w.hangUp(tx, 2)
			})
		})
	}
}

// TestEveryFlowBroken: the caller hears of it once, and that the callee is not there. RFC 5626 §11.6: no endpoint gets 430.
func TestEveryFlowBroken(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.phone("bob", 3)
		w.phones["bob"][1].Spare = true
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		for range 2 {
			w.reply(w.one(sip.MethodInvite), sip.StatusFlowFailed, "")
		}
		if got := w.statuses(tx); got != "480" {
			t.Errorf("alice got %s", got)
		}
		if d := w.end(); d.Branches != 1 {
			t.Errorf("%d devices were called", d.Branches)
		}
	})
}
