// Calls that come in by a trunk: found out before anybody is asked for a password, their callers proven if the trunk wants that, and handed on as calls for numbers of ours. RFC 8224 §6.2.

package carrier

import (
	"context"
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

const (
	maxJudging = 256             // signatures that are looked at at once
	judgeTime  = 4 * time.Second // for one of them
)

// The figures of judged.
const (
	judgedPassed = iota
	judgedFailed
	judgedNone
)

// Take handles the event of a request outside any dialog if it is an INVITE that comes from a trunk, and reports whether it is. It must be asked before anybody is challenged.
func (t *Trunks) Take(ev *sip.Event) bool {
	if ev.Request.Method != sip.MethodInvite || ev.Flow.Transport == sip.Inside {
		return false
	}
	a, ok := t.group.Recognise(ev.Request, ev.Flow)
	switch {
	case !ok:
		return false
	case a.Verify == trunk.VerifyNot:
		t.admit(ev, a, "")
	default:
		t.judge(ev, a)
	}
	return true
}

// admit hands a call on.
func (t *Trunks) admit(ev *sip.Event, a trunk.Arrival, verstat string) {
	in := *ev
	in.Request, in.User, in.Trusted = a.Admit(ev.Request, verstat), "", true
	t.Next.HandleEvent(&in)
}

// refuse answers and keeps nothing: who it is for has not proved who it is. An error means that the transaction is gone and nobody waits.
func refuse(ev *sip.Event, status sip.Status) {
	_ = ev.Engine.RespondOnce(ev.Tx, ev.Request.Reply(status))
}

// waiting is a call whose signature is looked at.
type waiting struct {
	ev   *sip.Event
	gone bool
}

// HandleEvent takes the CANCEL of a caller whose signature is looked at.
func (w *waiting) HandleEvent(ev *sip.Event) {
	if !w.gone && ev.Kind == sip.EventCancel {
		refuse(w.ev, sip.StatusRequestTerminated)
	}
	w.gone = true
}

// judge looks at the signature of a caller on a goroutine: its certificate may have to be fetched.
func (t *Trunks) judge(ev *sip.Event, a trunk.Arrival) {
	if t.judging.Add(1) > maxJudging {
		t.judging.Add(-1)
		refuse(ev, sip.StatusServiceUnavailable)
		return
	}
	w := &waiting{ev: dialog.Carry(ev, ev.Stripe)}
	// An error means that the transaction is gone: nobody waits for the answer.
	w.gone = ev.Engine.Own(ev.Tx, w) != nil
	go func() {
		defer t.judging.Add(-1)
		ctx, cancel := context.WithTimeout(context.Background(), judgeTime)
		defer cancel()
		verdict := t.verifier(a.Domain, a.Trunk).Verify(ctx, w.ev.Request)
		w.ev.Engine.Do(w.ev.Stripe, func() {
			if w.gone {
				return
			}
			w.gone = true
			t.Log.Debug("the signature of a caller", "trunk", a.Trunk, "verstat", verdict.Verstat(), "attest", string(verdict.Attest), "origid", verdict.OrigID, "err", verdict.Err)
			if t.counted(verdict.Status); verdict.Status != 0 && a.Verify == trunk.VerifyRequire {
				res := w.ev.Request.Reply(verdict.Status)
				res.Reason = verdict.Reason()
				// An error means that the transaction is gone.
				_ = w.ev.Engine.RespondOnce(w.ev.Tx, res)
				return
			}
			t.admit(w.ev, a, verdict.Verstat())
		})
	}()
}

func (t *Trunks) counted(status sip.Status) {
	switch status {
	case 0:
		t.judged[judgedPassed].Add(1)
	case sip.StatusUseIdentityHeader:
		t.judged[judgedNone].Add(1)
	default:
		t.judged[judgedFailed].Add(1)
	}
}

// Identify says who calls by a trunk; ok is false for who does not. A nil Trunks has none.
func (t *Trunks) Identify(ev *sip.Event) (who b2bua.Caller, ok bool) {
	if t == nil || !ev.Trusted || ev.User != "" || ev.Request.Method != sip.MethodInvite {
		return b2bua.Caller{}, false
	}
	a, ok := t.group.Admitted(ev.Request)
	if !ok {
		return b2bua.Caller{}, false
	}
	return b2bua.Caller{Address: a.Caller(ev.Request), Trusted: true, Trunk: a.Trunk, Domain: a.Domain, Digits: a.Digits, Music: a.Music, Gate: inward{a}}, true
}

// inward counts a call that came in by a trunk.
type inward struct{ arrival trunk.Arrival }

// Begin implements [b2bua.Gate].
func (g inward) Begin() sip.Status {
	if !g.arrival.Begin() {
		return sip.StatusBusyHere // a 503 would make the provider think that we are ill
	}
	return 0
}

// End implements [b2bua.Gate].
func (g inward) End(sip.Status, time.Duration) { g.arrival.End() }
