package b2bua

import (
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// TestInside: RFC 6086 §4.2.
func TestInside(t *testing.T) {
	for _, tt := range []struct {
		answer, want sip.Status
	}{{200, 200}, {415, 415}, {481, 480}, {401, 403}} {
		play(t, func(w *world) {
			tx, s := w.connect()
			info := w.back(s, sip.MethodInfo, 1, "v=0\r\n")
			to := w.one(sip.MethodInfo)
			if string(to.Body()) != "v=0\r\n" || to.ContentType() != "application/sdp" || to.URI.String() != "sip:alice@192.0.2.1" {
				t.Errorf("alice got\n%s", to)
			}
			w.reply(to, tt.answer, "")
			if got := w.statuses(info); got != tt.want.Error()[:3] {
				t.Errorf("bob got %s, want %d", got, tt.want)
			}
			if tt.answer == sip.StatusCallDoesNotExist {
				for range 2 {
					for _, bye := range w.take(sip.MethodBye) {
						w.reply(bye, sip.StatusOK, "")
					}
				}
				return
			}
			w.hangUp(tx, 2)
		})
	}
}

func TestInsideUnanswered(t *testing.T) {
	play(t, func(w *world) {
		tx, s := w.connect()
		w.back(s, sip.MethodInfo, 1, "v=0\r\n")
		w.one(sip.MethodInfo)
		refer := w.back(s, sip.MethodRefer, 2, "")
		if got := w.statuses(refer); got != "405" {
			t.Errorf("REFER got %s", got)
		}
		w.hangUp(tx, 2)
	})
}
