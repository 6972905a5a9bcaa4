package b2bua

import (
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// denier counts how often somebody is asked whether a call is recorded, and says no.
type denier int

func (d *denier) Record(*Detail, Side) Recording {
	*d++
	return Recording{}
}

// TestRecordAsked: whether a call is recorded is asked once, when both sides have agreed: with the answer, or with the ACK that holds it, and not with that of a later change.
func TestRecordAsked(t *testing.T) {
	for name, first := range map[string]string{"offer": offer("192.0.2.1", 4000), "late offer": ""} {
		t.Run(name, func(t *testing.T) {
			play(t, func(w *world) {
				var n denier
				w.b.Recorder = &n
				w.phone("bob", 2)
				tx := w.invite("bob", first)
				s := w.one(sip.MethodInvite)
				w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000))
				answer := ""
				if first == "" {
					answer = offer("192.0.2.1", 4000)
					if n != 0 {
						t.Errorf("asked before the answer")
					}
				}
				w.ack(tx, answer)
				change := w.inside(tx, sip.MethodInvite, 2, "")
				w.reply(w.one(sip.MethodInvite), sip.StatusOK, offer("192.0.2.2", 6000))
				if got := w.answerTo(change).Status; got != sip.StatusOK {
					t.Fatalf("the change got %d", got)
				}
				w.inside(tx, sip.MethodAck, 2, offer("192.0.2.1", 4000))
				if n != 1 {
					t.Errorf("asked %d times", n)
				}
				w.hangUp(tx, 3)
			})
		})
	}
}
