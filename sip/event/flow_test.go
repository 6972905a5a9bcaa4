// Flows between notifier and subscriber in virtual time. RFC 6665 §3.1, §4.1, §4.2; RFC 3515 §2.4.

package event

import (
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// want fails the test unless the lamp has heard that since the last call.
func (w *world) want(l *lamp, told string) {
	w.T.Helper()
	if got := l.heard(); got != "["+told+"]" {
		w.T.Errorf("told %s, want [%s]", got, told)
	}
}

// TestSubscribe: RFC 6665 §3.1.
func TestSubscribe(t *testing.T) {
	run(t, func(w *world) {
		l := w.subscribe("counter")
		w.want(l, "active: 0 zero")
		w.Wait(2 * time.Second)
		w.count("one")
		w.Wait(100 * time.Millisecond)
		w.want(l, "active: 1 one")
		w.leave(l)
		w.want(l, "terminated: 2 zero one")
		if end := l.over(); end.Reason != "timeout" {
			t.Errorf("ended with %+v", end)
		}
		w.Golden("subscribe", "A subscription: everything at once, a change, the end. RFC 6665 §3.1, §4.1.2.3.")
	})
}

// TestThrottle: changes in a pause are told together. RFC 6665 §5.4.10.
func TestThrottle(t *testing.T) {
	run(t, func(w *world) {
		l := w.subscribe("counter")
		w.want(l, "active: 0 zero")
		w.count("a")
		w.count("b")
		w.Wait(500 * time.Millisecond)
		w.want(l, "")
		w.Wait(time.Second)
		w.want(l, "active: 1 a b")
		w.notifier.Changed("counter", "counter") // nothing has
		w.Wait(5 * time.Second)
		w.want(l, "")
		w.leave(l)
	})
}

// TestRefresh: the subscriber refreshes before the end, and is told everything. RFC 6665 §4.1.2.2, §4.2.1.3.
func TestRefresh(t *testing.T) {
	run(t, func(w *world) {
		l := w.subscribe("counter", "Expires", "600")
		w.want(l, "active: 0 zero")
		w.Wait(9*time.Minute + time.Second)
		w.want(l, "active: 1 zero")
		w.Wait(9 * time.Minute)
		w.want(l, "active: 2 zero")
		if n := w.notifier.Len(); n != 1 {
			t.Errorf("%d subscriptions", n)
		}
		w.leave(l)
	})
}

// TestFetch: a subscription of no time tells the state once. RFC 6665 §4.4.3.
func TestFetch(t *testing.T) {
	run(t, func(w *world) {
		l := w.subscribe("counter", "Expires", "0")
		w.want(l, "terminated: 0 zero")
		if end := l.over(); end == nil || end.Reason != "timeout" {
			t.Errorf("ended with %+v", end)
		}
	})
}

// TestEnd: the notifier ends it. RFC 6665 §4.2.2, §4.1.3.
func TestEnd(t *testing.T) {
	run(t, func(w *world) {
		l := w.subscribe("counter")
		w.notifier.End("counter", "counter", "noresource")
		w.Wait(time.Second)
		w.want(l, "active: 0 zero terminated: 1 zero")
		if end := l.over(); end == nil || end.Reason != "noresource" {
			t.Errorf("ended with %+v", end)
		}
		l = w.subscribe("counter")
		w.notifier.EndAll("deactivated")
		w.Wait(time.Second)
		if end := l.over(); end == nil || end.Reason != "deactivated" {
			t.Errorf("ended with %+v", end)
		}
	})
}

// TestReview: who may not see a resource any more is told so, and nothing of it. RFC 6665 §4.1.3.
func TestReview(t *testing.T) {
	run(t, func(w *world) {
		l := w.subscribe("counter")
		w.notifier.Review(func(pack, name, account string) string {
			if pack != "counter" || name != "counter" || account == "" {
				t.Errorf("asked about %s %s of %q", pack, name, account)
			}
			return ""
		})
		w.Wait(time.Second)
		if l.over() != nil {
			t.Error("ended without a reason")
		}
		w.notifier.Review(func(string, string, string) string { return "rejected" })
		w.Wait(time.Second)
		w.want(l, "active: 0 zero terminated: ")
		if end := l.over(); end == nil || end.Reason != "rejected" {
			t.Errorf("ended with %+v", end)
		}
	})
}

// TestBrief: 423, and the subscriber asks for more. RFC 6665 §4.2.1.1.
func TestBrief(t *testing.T) {
	run(t, func(w *world) {
		l := w.subscribe("counter", "Expires", "10")
		w.want(l, "active: 0 zero")
		w.Golden("brief", "A subscription that is to last too short gets 423. RFC 6665 §4.2.1.1.")
		w.leave(l)
	})
}

func TestRefused(t *testing.T) {
	run(t, func(w *world) {
		for _, test := range []struct {
			user, header, value string
			want                sip.Status
		}{
			{"nobody", "Subject", "x", sip.StatusNotFound},
			{"counter", "Event", "presence", sip.StatusBadEvent},
			{"counter", "Event", "counter.winfo", sip.StatusBadEvent},
			{"counter", "Accept", "image/png", sip.StatusNotAcceptable},
			{"counter", "Require", "eventlist", sip.StatusBadExtension},
		} {
			l := w.subscribe(test.user, test.header, test.value)
			w.want(l, "")
			if end := l.over(); end == nil || end.Status != test.want {
				t.Errorf("%+v: ended with %+v", test, end)
			}
		}
		if c := w.notifier.Counts(); c.Refused != 5 || c.Subscriptions != 0 {
			t.Errorf("counts %+v", c)
		}
	})
}

// TestAccept: the type that the subscriber asks for. RFC 6665 §4.2.1.1.
func TestAccept(t *testing.T) {
	run(t, func(w *world) {
		l := w.subscribe("counter", "Accept", "text/short")
		if !strings.Contains(w.Ladder().String(), "NOTIFY") || w.notifier.Counts().Notified != 1 {
			t.Error("no NOTIFY")
		}
		w.leave(l)
	})
}

// TestSilentSubscriber: no answer to NOTIFY ends the subscription. RFC 6665 §4.2.2.
func TestSilentSubscriber(t *testing.T) {
	run(t, func(w *world) {
		p := w.Peer("mallory")
		subscribe(p, "600", 1, "")
		p.Expect("SIP/2.0 200")
		p.Expect("NOTIFY")
		w.Wait(30 * time.Second)
		if n := w.notifier.Len(); n != 1 {
			t.Errorf("%d subscriptions before timer F", n)
		}
		w.Wait(3 * time.Second)
		if n := w.notifier.Len(); n != 0 {
			t.Errorf("%d subscriptions after timer F", n)
		}
	})
}

// subscribe says SUBSCRIBE as a raw peer.
func subscribe(p *siptest.Peer, expires string, cseq int, toTag string) {
	if toTag != "" {
		toTag = ";tag=" + toTag
	}
	p.Send("focus", "SUBSCRIBE sip:counter@{focus} SIP/2.0\r\nVia: SIP/2.0/UDP {mallory};branch={branch}\r\nMax-Forwards: 70\r\n"+
		"From: <sip:m@{mallory}>;tag=1\r\nTo: <sip:counter@{focus}>"+toTag+"\r\nCall-ID: m\r\nCSeq: "+string(rune('0'+cseq))+" SUBSCRIBE\r\nContact: <sip:m@{mallory}>\r\n"+
		"Event: counter;id=7\r\nExpires: "+expires+"\r\n\r\n")
}

// TestAnswersToNotify: which answers end a subscription. RFC 6665 §4.2.2.
func TestAnswersToNotify(t *testing.T) {
	for status, live := range map[sip.Status]int{481: 0, 404: 0, 489: 0, 604: 0, 500: 1, 503: 1, 603: 1} {
		run(t, func(w *world) {
			p := w.Peer("mallory")
			subscribe(p, "60", 1, "")
			p.Expect("SIP/2.0 200")
			p.Reply(p.Expect("NOTIFY"), status, "")
			w.Wait(time.Second)
			if n := w.notifier.Len(); n != live {
				t.Errorf("%d subscriptions after %d", n, status)
			}
			if live == 0 {
				return
			}
			w.count("one") // and everything that was not taken is told again
			m := p.Expect("NOTIFY")
			if !strings.HasSuffix(m.Text, "1 zero one") || m.Request.Get(sip.HeaderEvent) != "counter;id=7" {
				t.Errorf("then %s", m.Text)
			}
			p.Reply(m, 200, "")
			w.Wait(60 * time.Second)
			if m = p.Expect("NOTIFY"); m.Request.Get(sip.HeaderSubscriptionState) != "terminated;reason=timeout" {
				t.Errorf("then %s", m.Text)
			}
			p.Reply(m, 200, "")
		})
	}
}

// TestInside: what is refused inside a subscription, and a fetch. RFC 6665 §4.2.1.3, §4.4.3.
func TestInside(t *testing.T) {
	run(t, func(w *world) {
		p := w.Peer("mallory")
		subscribe(p, "0", 1, "")
		p.Expect("SIP/2.0 200")
		m := p.Expect("NOTIFY")
		if m.Request.Get(sip.HeaderSubscriptionState) != "terminated;reason=timeout" || !strings.HasSuffix(m.Text, "0 zero") {
			t.Errorf("fetch: %s", m.Text)
		}
		subscribe(p, "60", 2, "unknown")
		p.Expect("SIP/2.0 481")
		subscribe(p, "60", 3, m.Request.FromTag())
		p.Expect("SIP/2.0 481") // it has ended
		p.Reply(m, 200, "")
		w.Wait(time.Second)
		subscribe(p, "600", 4, "")
		p.Expect("SIP/2.0 200")
		m = p.Expect("NOTIFY")
		p.Reply(m, 200, "")
		subscribe(p, "600", 3, m.Request.FromTag())
		p.Expect("SIP/2.0 500") // out of order
		subscribe(p, "0", 5, m.Request.FromTag())
		p.Expect("SIP/2.0 200")
		p.Reply(p.Expect("NOTIFY"), 200, "")
	})
}

// TestLimits: of an account, in number and in time, and of all.
func TestLimits(t *testing.T) {
	run(t, func(w *world) {
		w.notifier.PerAccount, w.notifier.Rate, w.notifier.Limit = 2, 0.1, 3
		refused := func(l *lamp) bool { return l.over() != nil && l.over().Status == sip.StatusServiceUnavailable }
		a, b := w.subscribe("counter"), w.subscribe("counter")
		if refused(a) || refused(b) || !refused(w.subscribe("counter")) {
			t.Error("not two subscriptions of an account")
		}
		w.leave(a)
		if !refused(w.subscribe("counter")) {
			t.Error("a third one at once")
		}
		w.Wait(10 * time.Second)
		c := w.subscribe("counter")
		if refused(c) {
			t.Error("no third one later")
		}
		w.notifier.Limit = 2
		w.notifier.PerAccount = 10
		if !refused(w.subscribe("counter")) {
			t.Error("more than the limit of all")
		}
		w.leave(b)
		w.leave(c)
	})
}

// TestForeignRefresh: nobody refreshes the subscription of another account.
func TestForeignRefresh(t *testing.T) {
	run(t, func(w *world) {
		account := "alice"
		w.notifier.Account = func(*sip.Event) string { return account }
		p := w.Peer("mallory")
		subscribe(p, "600", 1, "")
		p.Expect("SIP/2.0 200")
		m := p.Expect("NOTIFY")
		p.Reply(m, 200, "")
		account = "mallory"
		subscribe(p, "0", 2, m.Request.FromTag())
		p.Expect("SIP/2.0 403")
		account = "alice"
		subscribe(p, "0", 3, m.Request.FromTag())
		p.Expect("SIP/2.0 200")
		p.Reply(p.Expect("NOTIFY"), 200, "")
	})
}

// TestTimerN: no NOTIFY, no subscription. RFC 6665 §4.1.2.4.
func TestTimerN(t *testing.T) {
	run(t, func(w *world) {
		p := w.Peer("mute")
		l := w.subscribeTo("mute")
		m := p.Expect("SUBSCRIBE")
		p.Reply(m, 200, "x", "Contact: <sip:{mute}>", "Expires: 3600")
		w.Wait(31 * time.Second)
		if l.over() != nil {
			t.Error("over before timer N")
		}
		w.Wait(2 * time.Second)
		if l.over() == nil {
			t.Error("not over after timer N")
		}
		notify(p, m, "x", "active", 1)
		p.Expect("SIP/2.0 481")
	})
}

// TestForkedSubscribe: the first NOTIFY makes the dialog; the others get 481. RFC 6665 §4.4.1.
func TestForkedSubscribe(t *testing.T) {
	run(t, func(w *world) {
		p := w.Peer("mute")
		l := w.subscribeTo("mute")
		m := p.Expect("SUBSCRIBE")
		notify(p, m, "x", "active;expires=600", 1) // before the answer
		p.Expect("SIP/2.0 200")
		p.Reply(m, 200, "x", "Contact: <sip:{mute}>", "Expires: 3600")
		notify(p, m, "y", "active", 1)
		p.Expect("SIP/2.0 481")
		notify(p, m, "x", "no state;", 2)
		p.Expect("SIP/2.0 400")
		notify(p, m, "x", "terminated;reason=probation;retry-after=60", 3)
		p.Expect("SIP/2.0 200")
		w.Wait(time.Second)
		if end := l.over(); end == nil || end.Reason != "probation" || end.RetryAfter != time.Minute {
			t.Errorf("ended with %+v", end)
		}
	})
}

// subscribeTo makes a subscription to a raw peer.
func (w *world) subscribeTo(peer string) *lamp {
	return w.subscribeURI(sip.URI{Scheme: "sip", Host: w.Addr(peer).String()})
}

// notify says NOTIFY as a raw peer that got the SUBSCRIBE m.
func notify(p *siptest.Peer, m siptest.Received, tag, state string, cseq int) {
	p.Send("lamp", "NOTIFY sip:lamp@{lamp} SIP/2.0\r\nVia: SIP/2.0/UDP {mute};branch={branch}\r\nMax-Forwards: 70\r\n"+
		"From: <sip:{mute}>;tag="+tag+"\r\nTo: "+m.Request.Get(sip.HeaderFrom)+"\r\nCall-ID: "+m.Request.CallID()+"\r\nCSeq: "+string(rune('0'+cseq))+" NOTIFY\r\n"+
		"Contact: <sip:{mute}>\r\nEvent: counter\r\nSubscription-State: "+state+"\r\n\r\n")
}

// TestUnderLoss: the subscriber knows everything in the end, and nothing is left.
func TestUnderLoss(t *testing.T) {
	faults := siptest.Faults{Loss: 0.2, Duplicate: 0.2, Reorder: 0.2, Jitter: 50 * time.Millisecond}
	for faults.Seed = 1; faults.Seed <= 20; faults.Seed++ {
		t.Run(faults.String(), func(t *testing.T) {
			run(t, func(w *world) {
				l := w.subscribe("counter")
				for _, word := range []string{"alpha", "beta", "gamma", "delta", "epsilon"} {
					w.count(word)
					w.Wait(700 * time.Millisecond)
				}
				w.Wait(40 * time.Second)
				heard := l.heard()
				for _, word := range []string{"zero", "alpha", "beta", "gamma", "delta", "epsilon"} {
					if strings.Count(heard, " "+word) != 1 {
						t.Errorf("%q is not told once: %s", word, heard)
					}
				}
				w.leave(l)
			}, faults)
		})
	}
}

// TestRefer: a REFER outside a dialog and what becomes of it. RFC 3515 §2.4.4 to §2.4.7; RFC 3420 §3; RFC 4488 §4.
func TestRefer(t *testing.T) {
	run(t, func(w *world) {
		p := w.Peer("mallory")
		refer := func(branch, lines string) {
			p.Send("focus", "REFER sip:counter@{focus} SIP/2.0\r\nVia: SIP/2.0/UDP {mallory};branch={branch}\r\nMax-Forwards: 70\r\n"+
				"From: <sip:m@{mallory}>;tag=1\r\nTo: <sip:counter@{focus}>\r\nCall-ID: "+branch+"\r\nCSeq: 9 REFER\r\nContact: <sip:m@{mallory}>\r\n"+
				"Refer-To: <sip:bob@{focus}>\r\n"+lines+"\r\n")
		}
		refer("r1", "")
		p.Expect("SIP/2.0 202")
		m := p.Expect("NOTIFY")
		if !strings.HasSuffix(m.Text, "SIP/2.0 100 Trying\r\n") || m.Request.Get(sip.HeaderEvent) != "refer;id=9" {
			t.Errorf("first report: %s", m.Text)
		}
		p.Reply(m, 200, "")
		w.report(sip.StatusRinging)
		m = p.Expect("NOTIFY")
		p.Reply(m, 200, "")
		w.report(sip.StatusBusyHere)
		m = p.Expect("NOTIFY")
		if !strings.HasSuffix(m.Text, "SIP/2.0 486 Busy Here\r\n") || m.Request.Get(sip.HeaderSubscriptionState) != "terminated;reason=noresource" {
			t.Errorf("last report: %s", m.Text)
		}
		p.Reply(m, 200, "")
		refer("r2", "Refer-Sub: false\r\n")
		if m := p.Expect("SIP/2.0 202"); m.Response.Get(sip.HeaderReferSub) != "false" {
			t.Errorf("no Refer-Sub: %s", m.Text)
		}
		w.report(sip.StatusOK)
		p.Silence(time.Second)
	})
}

// report says what became of the reference.
func (w *world) report(status sip.Status) {
	w.T.Helper()
	w.Wait(100 * time.Millisecond)
	r := w.referral
	if r.s != nil {
		r.s.engine.Do(r.s.stripe, func() { r.Report(status, "") })
	} else {
		r.Report(status, "")
	}
	w.Wait(100 * time.Millisecond)
}
