package b2bua

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// callersPlace is the Replaces that names alice's side of a call.
func (w *world) callersPlace(tx sip.TransactionID) string {
	in, res := w.incoming[tx], w.answerTo(tx)
	return fmt.Sprintf("Replaces: %s;to-tag=%s;from-tag=%s", in.CallID(), res.ToTag(), in.FromTag())
}

// mobile is another telephone of alice.
var mobile = Caller{Account: sip.MustParseURI("sip:alice@example.org")}

// TestClaim: whose the place of a caller is. RFC 3891 §3.
func TestClaim(t *testing.T) {
	for _, tt := range []struct {
		name     string
		who, has Caller
		want     bool
	}{
		{"the same account", mobile, mobile, true},
		{"another account", Caller{Account: sip.MustParseURI("sip:bob@example.org")}, mobile, false},
		{"the same trunk", Caller{Trusted: true, Trunk: "telco"}, Caller{Trunk: "telco"}, true},
		{"another trunk", Caller{Trusted: true, Trunk: "mobile"}, Caller{Trunk: "telco"}, false},
		{"a trunk of the same name of another domain", Caller{Trusted: true, Trunk: "telco", Domain: "example.com"}, Caller{Trunk: "telco", Domain: "example.org"}, false},
		{"an account, the place of a trunk", mobile, Caller{Trunk: "telco"}, false},
		{"a trusted server", Caller{Trusted: true}, mobile, true},
		{"a stranger, the place of a stranger", Caller{}, Caller{}, false},
	} {
		c := &call{b: &B2BUA{Identity: &world{}}, asker: tt.has}
		c.origin = &leg{call: c}
		if tt.has.Account.Host != "" {
			c.origin.aor = tt.has.Account.AOR()
		}
		if got := claimAs(tt.who).covers(c.origin); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestClaimOfStrangers: who has proved nothing has what it has called itself, and nothing that others have. RFC 3891 §3.
func TestClaimOfStrangers(t *testing.T) {
	flow := sip.Flow{Transport: sip.UDP, Local: netip.AddrPortFrom(serverAddress, 5060), Remote: netip.AddrPortFrom(aliceAddress, 5060)}
	other := flow
	other.Remote = netip.AddrPortFrom(aliceAddress, 5062)
	from := func(f sip.Flow, who Caller) *leg {
		c := &call{b: &B2BUA{Identity: &world{}}, asker: who, flow: f}
		c.origin = &leg{call: c}
		return c.origin
	}
	one := from(flow, Caller{}).claim()
	for _, tt := range []struct {
		name  string
		place *leg
		want  bool
	}{
		{"another call of the same", from(flow, Caller{}), true},
		{"from another port", from(other, Caller{}), false},
		{"by a trunk", from(flow, Caller{Trunk: "telco"}), false},
		{"whom somebody has called", &leg{call: from(flow, Caller{}).call}, false},
	} {
		if got := one.covers(tt.place); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestReplaceByTrunk: one who has taken a place by a trunk has it, and takes it again from another telephone behind that. RFC 3891 §3.
func TestReplaceByTrunk(t *testing.T) {
	play(t, func(w *world) {
		w.user, w.caller = "provider", Caller{Trusted: true, Trunk: "telco", Domain: "example.org"}
		tx, s := w.connect()
		for range 3 {
			n := w.invite("bob", offer("192.0.2.7", 7000), w.callersPlace(tx))
			w.reply(w.one(sip.MethodInvite), sip.StatusOK, offer("192.0.2.2", 6000))
			if got := w.answerTo(n).Status; got != sip.StatusOK {
				t.Fatalf("the newcomer got %d", got)
			}
			w.reply(w.one(sip.MethodBye), sip.StatusOK, "") // whose place it was
			w.ack(n, "")
			tx = n
		}
		if bye := w.back(s, sip.MethodBye, 1, ""); w.answerTo(bye).Status != sip.StatusOK {
			t.Errorf("bob's BYE got %d", w.answerTo(bye).Status)
		}
		w.reply(w.one(sip.MethodBye), sip.StatusOK, "")
	})
}

// TestReplaceRefused: the other side, or we, do not want the newcomer, and the call goes on as it was. RFC 3891 §3, §8.
func TestReplaceRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		lines  []string
		change func(w *world)
		far    []sip.Status // what bob says to each offer
		want   sip.Status
	}{
		{"bob does not want it", nil, nil, []sip.Status{sip.StatusNotAcceptableHere}, sip.StatusNotAcceptableHere},
		{"bob changes the session himself, and does not want it later", nil, nil, []sip.Status{sip.StatusRequestPending, sip.StatusForbidden}, sip.StatusForbidden},
		{"two places", []string{"Replaces: x;to-tag=a;from-tag=b"}, nil, nil, sip.StatusBadRequest},
		{"a place and a seat", []string{"Join: x;to-tag=a;from-tag=b"}, nil, nil, sip.StatusBadRequest},
		{"who is not known", nil, func(w *world) { w.user = "" }, nil, sip.StatusForbidden},
		{"somebody else", nil, func(w *world) { w.caller.Account.User = "carol" }, nil, sip.StatusForbidden},
		{"who comes by a trunk", nil, func(w *world) { w.caller = Caller{Trusted: true, Trunk: "telco"} }, nil, sip.StatusForbidden},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(w *world) {
				w.user, w.caller = "alice", mobile
				tx, s := w.connect()
				if tt.change != nil {
					tt.change(w)
				}
				n := w.invite("bob", offer("192.0.2.7", 7000), append(tt.lines, w.callersPlace(tx))...)
				for _, status := range tt.far {
					w.pass(time.Second)
					w.reply(w.one(sip.MethodInvite), status, "")
				}
				if got := w.answerTo(n).Status; got != tt.want {
					t.Errorf("carol got %d, want %d", got, tt.want)
				}
				if bye := w.back(s, sip.MethodBye, len(tt.far)+1, ""); w.answerTo(bye).Status != sip.StatusOK {
					t.Errorf("bob's BYE got %d", w.answerTo(bye).Status)
				}
				w.reply(w.one(sip.MethodBye), sip.StatusOK, "")
			})
		})
	}
}

// TestReplaceWithoutOffer: the newcomer is offered the other side's session, and answers with its ACK. RFC 3891 §3.
func TestReplaceWithoutOffer(t *testing.T) {
	play(t, func(w *world) {
		w.user, w.caller = "alice", mobile
		tx, s := w.connect()
		n := w.invite("bob", "", w.callersPlace(tx))
		ask := w.one(sip.MethodInvite)
		if len(ask.Body()) > 0 {
			t.Errorf("bob is offered\n%s", ask)
		}
		w.reply(ask, sip.StatusOK, offer("192.0.2.2", 6000))
		port := mediaPort(t, w.answerTo(n).Body())
		w.reply(w.one(sip.MethodBye), sip.StatusOK, "") // alice's side
		w.ack(n, offer("192.0.2.1", 7000))
		if len(w.acks) != 2 || len(w.acks[1].Body()) == 0 {
			t.Fatalf("bob has no answer in %d ACKs", len(w.acks))
		}
		if !w.talks("192.0.2.1:7000", "192.0.2.2:6000", port) {
			t.Error("bob does not hear carol")
		}
		if bye := w.back(s, sip.MethodBye, 1, ""); w.answerTo(bye).Status != sip.StatusOK {
			t.Errorf("bob's BYE got %d", w.answerTo(bye).Status)
		}
		w.reply(w.one(sip.MethodBye), sip.StatusOK, "")
	})
}

// TestReplaceEnding: the side whose place is wanted hangs up first. RFC 3891 §3.
func TestReplaceEnding(t *testing.T) {
	play(t, func(w *world) {
		w.user, w.caller = "alice", mobile
		tx, _ := w.connect()
		n := w.invite("bob", offer("192.0.2.7", 7000), w.callersPlace(tx))
		again := w.one(sip.MethodInvite)
		if got := w.answerTo(w.inside(tx, sip.MethodBye, 2, "")).Status; got != sip.StatusOK {
			t.Errorf("alice's BYE got %d", got)
		}
		if got := w.answerTo(n).Status; got != sip.StatusCallDoesNotExist {
			t.Errorf("carol got %d", got)
		}
		w.reply(again, sip.StatusRequestTerminated, "")
		w.reply(w.one(sip.MethodBye), sip.StatusOK, "")
		if got := w.answerTo(w.invite("bob", offer("192.0.2.7", 7000), w.callersPlace(tx))).Status; got != sip.StatusCallDoesNotExist {
			t.Errorf("carol comes late and got %d", got)
		}
	})
}

// TestReplaceElsewhere: a dialog of somebody else behind the same table is none of ours.
func TestReplaceElsewhere(t *testing.T) {
	play(t, func(w *world) {
		w.user, w.caller = "alice", mobile
		w.routes["echo"] = Route{Application: sip.EventHandlerFunc(func(ev *sip.Event) {
			u, err := w.table.Incoming(ev, dialog.OwnerFunc(func(*dialog.Usage, dialog.Event) {}))
			if err == nil {
				err = u.Answer(dialog.SDP([]byte(offer("192.0.2.250", 9000))))
			}
			if err != nil {
				t.Error(err)
			}
		})}
		tx := w.invite("echo", offer("192.0.2.1", 4000))
		w.ack(tx, "")
		if got := w.answerTo(w.invite("bob", offer("192.0.2.7", 7000), w.callersPlace(tx))).Status; got != sip.StatusCallDoesNotExist {
			t.Errorf("carol got %d", got)
		}
		w.inside(tx, sip.MethodBye, 2, "")
	})
}
