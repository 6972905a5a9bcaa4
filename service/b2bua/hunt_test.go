package b2bua

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/event"
)

// account is a route to all devices of a user of the world.
func account(user string) Route {
	return Route{Account: sip.MustParseURI("sip:" + user + "@example.org")}
}

// forward sends calls for bob on to carol when nobody takes them there.
func (w *world) forward(why Why) (outcomes *[]Outcome) {
	outcomes = new([]Outcome)
	first := account("bob")
	first.RingTime = 20 * time.Second
	first.Then = func(o Outcome) Route {
		*outcomes = append(*outcomes, o)
		next := account("carol")
		next.Diverted = &Diverted{From: sip.MustParseURI("sip:bob@example.org"), Why: why}
		next.Cause = "forward"
		return next
	}
	w.routes["bob"] = first
	return outcomes
}

// TestForwardBusy: who is busy has the call sent on, and who gets it is told why. RFC 5806 §7; RFC 7044 §5; RFC 4458 §2.2.
func TestForwardBusy(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.phone("carol", 3)
		outcomes := w.forward(UserBusy)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		w.reply(w.one(sip.MethodInvite), sip.StatusBusyHere, "")
		s := w.one(sip.MethodInvite)
		if got := s.Get(sip.HeaderDiversion); got != "<sip:bob@example.org>;reason=user-busy;counter=1" {
			t.Errorf("Diversion: %s", got)
		}
		var history []string
		for v := range s.Values(sip.HeaderHistoryInfo) {
			history = append(history, v)
		}
		if len(history) != 3 || history[0] != `<sip:bob@example.org?Reason=SIP%3Bcause%3D486%3Btext%3D%22Busy%20Here%22>;index=1` ||
			history[1] != "<sip:carol@example.org;cause=486>;index=1.1;mp=1" || history[2] != "<sip:carol@192.0.2.3>;index=1.1.1;rc=1.1" {
			t.Errorf("History-Info: %q", history)
		}
		w.reply(s, sip.StatusOK, offer("192.0.2.3", 6000))
		w.ack(tx, "")
		w.hangUp(tx, 2)
		if len(*outcomes) != 1 || (*outcomes)[0].Miss != Busy || (*outcomes)[0].Status != 486 || (*outcomes)[0].Response == nil {
			t.Errorf("outcomes %+v", *outcomes)
		}
		if d := w.end(); len(d.Steps) != 2 || d.Steps[0].Miss != Busy || d.Steps[1].Cause != "forward" || d.Steps[1].Status != sip.StatusOK || d.Branches != 2 {
			t.Errorf("detail %+v", d)
		}
	})
}

// TestForwardNoAnswer: the step rings as long as it says, what the caller has heard of it is over, and it learns that the call goes on. RFC 6228 §5; RFC 3261 §21.1.3.
func TestForwardNoAnswer(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.phone("carol", 3)
		outcomes := w.forward(NoReply)
		tx := w.invite("bob", offer("192.0.2.1", 4000), "Supported: 199")
		s := w.one(sip.MethodInvite)
		w.reply(s, sip.StatusRinging, "")
		w.reply(s, sip.StatusSessionProgress, offer("192.0.2.2", 6000))
		early := w.answerTo(tx).ToTag()
		w.pass(20 * time.Second)
		if _, cancelled := w.cancelled[s.tx]; !cancelled {
			t.Error("bob still rings")
		}
		w.reply(s, sip.StatusRequestTerminated, "")
		s = w.one(sip.MethodInvite)
		if o := (*outcomes)[0]; o.Miss != NoAnswer || !o.Rang || o.Status != sip.StatusTemporarilyUnavailable {
			t.Errorf("outcome %+v", o)
		}
		w.reply(s, sip.StatusRinging, "")
		w.reply(s, sip.StatusOK, offer("192.0.2.3", 6000))
		if got := w.statuses(tx); got != "180 183 199 181 180 200" {
			t.Errorf("alice got %s", got)
		}
		if w.answerTo(tx).ToTag() == early {
			t.Error("what bob's device had said is not over")
		}
		w.ack(tx, "")
		w.hangUp(tx, 2)
	})
}

// TestNobodyInAnyStep: the caller hears the last word.
func TestNobodyInAnyStep(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.forward(Unavailable)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		w.reply(w.one(sip.MethodInvite), sip.StatusDecline, "")
		if got := w.statuses(tx); got != "480" {
			t.Errorf("alice got %s", got)
		}
		w.routes["bob"] = Route{Then: func(o Outcome) Route { return Route{Refuse: sip.StatusBusyHere} }}
		tx = w.invite("bob", offer("192.0.2.1", 4000))
		if got := w.statuses(tx); got != "486" {
			t.Errorf("alice got %s", got)
		}
	})
}

// TestForwardsThatPointAtEachOther: a call comes back to nobody from whom it was sent on.
func TestForwardsThatPointAtEachOther(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.phone("carol", 3)
		asked := 0
		var to func(user, from string) Route
		to = func(user, from string) Route {
			r := account(user)
			if from != "" {
				r.Diverted = &Diverted{From: sip.MustParseURI("sip:" + from + "@example.org"), Why: UserBusy}
			}
			r.Then = func(Outcome) Route {
				asked++
				return to(map[string]string{"bob": "carol", "carol": "bob"}[user], user)
			}
			return r
		}
		w.routes["bob"] = to("bob", "")
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		w.reply(w.one(sip.MethodInvite), sip.StatusBusyHere, "")
		w.reply(w.one(sip.MethodInvite), sip.StatusBusyHere, "")
		if got := w.statuses(tx); got != "181 482" || asked > maxDiversions+1 {
			t.Errorf("alice got %s, and the router was asked %d times", got, asked)
		}
		w.take(sip.MethodInvite)
	})
}

// TestDivertedOften: what a trusted peer says of earlier diversions counts, and comes from nobody else. RFC 5806 §6; RFC 3325 §5.
func TestDivertedOften(t *testing.T) {
	lines := []string{"Diversion: <sip:x@example.net>;reason=deflection;counter=5", "History-Info: <sip:x@example.net>;index=1,<sip:bob@example.org>;index=1.1;mp=1"}
	for _, trusted := range []bool{true, false} {
		play(t, func(w *world) {
			w.caller = Caller{Trusted: trusted}
			w.phone("bob", 2)
			w.phone("carol", 3)
			w.forward(UserBusy)
			tx := w.invite("bob", offer("192.0.2.1", 4000), lines...)
			s := w.one(sip.MethodInvite)
			if s.Has(sip.HeaderDiversion) != trusted || s.Has(sip.HeaderHistoryInfo) != trusted {
				t.Errorf("trusted %v: bob is told\n%s", trusted, s)
			}
			w.reply(s, sip.StatusBusyHere, "")
			if trusted {
				if got := w.statuses(tx); got != "482" {
					t.Errorf("alice got %s", got)
				}
				return
			}
			w.reply(w.one(sip.MethodInvite), sip.StatusBusyHere, "")
		})
	}
}

// TestHiddenDiversion: who does not want to be told of is told to nobody outside. RFC 7044 §10.1; RFC 5806 §10.
func TestHiddenDiversion(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		play(t, func(w *world) {
			w.phone("carol", 3)
			r := Route{Ring: []Party{{Bindings: w.phones["carol"], Trusted: trusted, Headers: []Field{{sip.HeaderAlertInfo, "<urn:alert:service:forward>"}}}}}
			if !trusted {
				r.Ring[0].Bindings, r.Ring[0].Account = nil, sip.MustParseURI("sip:carol@example.org")
			}
			r.Diverted = &Diverted{From: sip.MustParseURI("sip:boss@example.org"), To: sip.MustParseURI("sip:carol@example.org"), Why: Unconditional, Hidden: true}
			w.routes["boss"] = r
			w.invite("boss", offer("192.0.2.1", 4000))
			s := w.one(sip.MethodInvite)
			first, _ := sip.ParseHistoryEntry(s.Get(sip.HeaderHistoryInfo))
			if got := s.Has(sip.HeaderDiversion); got != trusted || (first.URI.User == "boss") != trusted || !s.Has(sip.HeaderAlertInfo) {
				t.Errorf("trusted %v: carol is told\n%s", trusted, s)
			}
			w.reply(s, sip.StatusBusyHere, "")
		})
	}
}

// TestCallWaiting: who wants one call at a time is busy for a second one, and whose calls are counted can be seen.
func TestCallWaiting(t *testing.T) {
	play(t, func(w *world) {
		alice := sip.MustParseURI("sip:alice@example.org")
		w.caller = Caller{Account: alice}
		w.phone("bob", 2)
		bob := sip.MustParseURI("sip:bob@example.org")
		w.routes["bob"] = Route{Ring: []Party{{Account: bob, MaxCalls: 1}}}
		first := w.invite("bob", offer("192.0.2.1", 4000))
		s := w.one(sip.MethodInvite)
		second := w.invite("bob", offer("192.0.2.1", 4000))
		if got := w.statuses(second); got != "486" || w.questions[1].Calls != 2 {
			t.Errorf("alice got %s with %d calls", got, w.questions[1].Calls)
		}
		w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000))
		w.ack(first, "")
		if w.b.CallsOf(bob) != 1 || w.b.CallsOf(alice) != 1 {
			t.Errorf("bob has %d calls, alice %d", w.b.CallsOf(bob), w.b.CallsOf(alice))
		}
		w.hangUp(first, 2)
		if w.b.CallsOf(bob) != 0 || w.b.CallsOf(alice) != 0 || len(w.b.seats) != 0 {
			t.Errorf("bob has %d calls, alice %d", w.b.CallsOf(bob), w.b.CallsOf(alice))
		}
	})
}

// TestDelay: a party that rings later does so at its time, or when nobody else is left.
func TestDelay(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.phone("carol", 3)
		w.phone("dora", 4)
		w.routes["team"] = Route{Ring: []Party{account("bob").party(0), account("dora").party(20 * time.Second), account("carol").party(10 * time.Second)}}
		tx := w.invite("team", offer("192.0.2.1", 4000))
		bob := w.one(sip.MethodInvite)
		w.pass(10 * time.Second)
		carol := w.one(sip.MethodInvite)
		if carol.URI.User != "carol" {
			t.Errorf("%s rings", carol.URI)
		}
		w.reply(bob, sip.StatusBusyHere, "")
		w.take(sip.MethodInvite)
		w.reply(carol, sip.StatusTemporarilyUnavailable, "")
		dora := w.one(sip.MethodInvite)
		w.reply(dora, sip.StatusTemporarilyUnavailable, "")
		if got := w.statuses(tx); got != "486" {
			t.Errorf("alice got %s", got)
		}
	})
}

// party is the route as one who rings.
func (r Route) party(delay time.Duration) Party { return Party{Account: r.Account, Delay: delay} }

// TestLater: a decision waits in a goroutine of its own, the first and every other; who gives up meanwhile is asked no more.
func TestLater(t *testing.T) {
	later := func(r Route) Route {
		return Route{Later: func(ctx context.Context, q *Question) Route {
			select {
			case <-time.After(3 * time.Second):
				return r
			case <-ctx.Done():
				<-time.After(time.Millisecond) // the stripe of the world is free then
				return Route{}
			}
		}}
	}
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.phone("carol", 3)
		first := account("bob")
		first.Then = func(Outcome) Route { return later(account("carol")) }
		w.routes["bob"] = later(first)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		w.take(sip.MethodInvite)
		w.pass(3 * time.Second)
		w.reply(w.one(sip.MethodInvite), sip.StatusBusyHere, "")
		w.take(sip.MethodInvite)
		w.pass(3 * time.Second)
		w.reply(w.one(sip.MethodInvite), sip.StatusBusyHere, "")
		if got := w.statuses(tx); got != "486" {
			t.Errorf("alice got %s", got)
		}

		tx = w.invite("bob", offer("192.0.2.1", 4000))
		cancel := w.incoming[tx].Clone()
		cancel.Method = sip.MethodCancel
		w.in(func() {
			w.handlers[tx].HandleEvent(&sip.Event{Kind: sip.EventCancel, Stripe: stripe, Tx: tx, Request: cancel, Engine: w})
		})
		if got := w.statuses(tx); got != "487" {
			t.Errorf("alice got %s", got)
		}
		w.pass(time.Millisecond)
		if w.take(sip.MethodInvite); len(w.b.waiting) != 0 {
			t.Errorf("%d decisions wait", len(w.b.waiting))
		}

		tx = w.invite("bob", offer("192.0.2.1", 4000))
		w.in(func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = w.b.Drain(ctx)
		})
		w.pass(time.Millisecond)
		if got := w.statuses(tx); got != "503" {
			t.Errorf("alice got %s", got)
		}
	})
}

// TestTransferInSteps: the target of a transfer has steps too. RFC 3515 §2.4.4.
func TestTransferInSteps(t *testing.T) {
	play(t, func(w *world) {
		w.b.Events = &event.Notifier{}
		w.phone("carol", 3)
		w.phone("dora", 4)
		r := account("dora")
		r.Then = func(Outcome) Route { return account("carol") }
		w.routes["dora"] = r
		tx, s := w.connect()
		w.referTo(s, 1, "<sip:dora@example.org>")
		w.reply(w.one(sip.MethodInvite), sip.StatusBusyHere, "")
		carol := w.one(sip.MethodInvite)
		if carol.URI.User != "carol" {
			t.Errorf("%s rings", carol.URI)
		}
		w.reply(carol, sip.StatusBusyHere, "")
		if q := w.questions[1]; q.How != Transferred || q.Caller.Account.User != "bob" || q.Calls != 1 {
			t.Errorf("question %+v", q)
		}
		w.hangUp(tx, 2)
	})
}

// TestWhy: each reason has its word in Diversion and its cause in a URI. RFC 5806 §10.1; RFC 4458 §2.2; RFC 8119 §2.
func TestWhy(t *testing.T) {
	for why, want := range map[Why]struct {
		word  string
		cause sip.Status
	}{
		Unconditional: {"unconditional", 302}, UserBusy: {"user-busy", 486}, NoReply: {"no-answer", 408}, Unavailable: {"unavailable", 404},
		Deflection: {"deflection", 480}, DoNotDisturb: {"do-not-disturb", 302}, Translated: {"unknown", 380},
	} {
		if why.String() != want.word || why.Cause() != want.cause {
			t.Errorf("%v has the cause %d", why, why.Cause())
		}
	}
}

// credentials answers every challenge alike.
type credentials struct{ asked []sip.Method }

func (c *credentials) Authorize(req *sip.Request, _ *sip.Response) (*sip.Request, bool) {
	c.asked = append(c.asked, req.Method)
	again := req.Clone()
	again.Set(sip.HeaderAuthorization, `Digest username="us", realm="provider", nonce="n", uri="sip:x", response="r"`)
	return again, true
}

// TestChallengedParty: a trunk may ask for credentials at every request of the leg, whoever makes it; nobody else's device gets any. RFC 3261 §22.2.
func TestChallengedParty(t *testing.T) {
	play(t, func(w *world) {
		w.phone("trunk", 2)
		known := new(credentials)
		from, to := sip.Address{URI: sip.MustParseURI("sip:+4930123@provider.example")}, sip.Address{URI: sip.MustParseURI("sip:+33123@provider.example")}
		w.routes["0033123"] = Route{Ring: []Party{{Bindings: w.phones["trunk"], Auth: known, From: &from, To: &to}}}
		tx := w.invite("0033123", offer("192.0.2.1", 4000), "Privacy: none")
		w.reply(w.one(sip.MethodInvite), sip.StatusProxyAuthRequired, "")
		s := w.one(sip.MethodInvite)
		if !s.Has(sip.HeaderAuthorization) || !strings.HasPrefix(s.Get(sip.HeaderFrom), from.String()+";tag=") || s.Get(sip.HeaderTo) != to.String() {
			t.Errorf("the trunk gets\n%s", s)
		}
		w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000))
		w.ack(tx, "")
		bye := w.inside(tx, sip.MethodBye, 2, "")
		if got := w.answerTo(bye).Status; got != sip.StatusOK {
			t.Errorf("alice's BYE got %d", got)
		}
		w.reply(w.one(sip.MethodBye), sip.StatusUnauthorized, "")
		again := w.one(sip.MethodBye)
		if !again.Has(sip.HeaderAuthorization) || len(known.asked) != 2 {
			t.Errorf("asked for %v, and the trunk gets\n%s", known.asked, again)
		}
		w.reply(again, sip.StatusOK, "")
	})
}
