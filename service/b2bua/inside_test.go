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

// TestInfoPackages: a package goes to a side that takes it; others get 469 here. RFC 6086 §4.2.2.
func TestInfoPackages(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		tx := w.invite("bob", offer("192.0.2.1", 4000), "Recv-Info: dtmf, conference")
		s := w.one(sip.MethodInvite)
		if !s.HasToken(sip.HeaderRecvInfo, "dtmf") || !s.HasToken(sip.HeaderRecvInfo, "conference") {
			t.Errorf("bob is told\n%s", s)
		}
		w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000), "Recv-Info: g.x.mid-call, trickle-ice")
		if got := w.answerTo(tx).Get(sip.HeaderRecvInfo); got != "g.x.mid-call" {
			t.Errorf("alice is told that bob takes %q", got)
		}
		w.ack(tx, "")
		for i, tt := range []struct {
			name   string
			passes bool
		}{{"DTMF", true}, {"conference;x=1", true}, {"g.x.mid-call", false}, {"", true}} {
			req := w.backRequest(s, sip.MethodInfo, i+1, "x")
			if tt.name != "" {
				req.Set(sip.HeaderInfoPackage, tt.name)
			}
			info := w.request(req)
			if !tt.passes {
				res := w.answerTo(info)
				if res.Status != sip.StatusBadInfoPackage || res.Get(sip.HeaderRecvInfo) != "dtmf, conference" {
					t.Errorf("INFO of %q got\n%s", tt.name, res)
				}
				continue
			}
			to := w.one(sip.MethodInfo)
			if got := to.Get(sip.HeaderInfoPackage); got != tt.name {
				t.Errorf("Info-Package %q, want %q", got, tt.name)
			}
			w.reply(to, sip.StatusOK, "")
		}
		w.hangUp(tx, 2)
	})
}
