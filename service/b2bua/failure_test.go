package b2bua

import (
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
)

// TestFailure: RFC 3261 §16.7 steps 5 to 7.
func TestFailure(t *testing.T) {
	const silent, broken = sip.Status(1), sip.Status(2) // no response, nothing could be sent
	for _, tt := range []struct {
		name    string
		devices []sip.Status
		want    sip.Status
		by      Side
	}{
		{"offline", nil, 480, BySystem},
		{"busy", []sip.Status{486}, 486, ByCallee},
		{"declined", []sip.Status{603}, 603, ByCallee},
		{"busy before absence", []sip.Status{480, 486, 408}, 486, ByCallee},
		{"busy before what is not acceptable", []sip.Status{488, 486}, 486, ByCallee},
		{"decline ends all", []sip.Status{603, 0, 0}, 603, ByCallee},
		{"not acceptable before absence", []sip.Status{silent, 488}, 488, ByCallee},
		{"redirection is not followed", []sip.Status{302}, 480, BySystem},
		{"a challenge is not handed on", []sip.Status{401}, 480, BySystem},
		{"proxy challenge neither", []sip.Status{407}, 480, BySystem},
		{"flow failed", []sip.Status{430}, 480, BySystem},
		{"nobody there", []sip.Status{silent}, 408, BySystem},
		{"cannot be reached", []sip.Status{broken}, 480, BySystem},
		{"one fault, one absence", []sip.Status{500, silent}, 408, BySystem},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(w *world) {
				for i := range tt.devices {
					w.phone("bob", 2+i)
					w.phones["bob"][i].Kind = session.DTLS // the last that is tried
				}
				tx := w.invite("bob", strings.Replace(offer("192.0.2.1", 4000), "RTP/AVP 8 0", "RTP/AVP 18", 1)) // that cannot be turned into others
				started := w.take(sip.MethodInvite)
				for i, status := range tt.devices {
					switch status {
					case 0:
					case silent:
						w.fails(started[i].tx, sip.EventTimeout, sip.ErrTimeout)
					case broken:
						w.fails(started[i].tx, sip.EventFailure, sip.ErrNoRoute)
					default:
						w.reply(started[i], status, "", "Retry-After: 7")
					}
				}
				res := w.answerTo(tx)
				if w.statuses(tx) != res.Status.Error()[:3] || res.Status != tt.want {
					t.Errorf("alice got %s, want %d", w.statuses(tx), tt.want)
				}
				if got := res.Get(sip.HeaderRetryAfter); (got == "7") != (tt.by == ByCallee) {
					t.Errorf("Retry-After %q", got)
				}
				for i, status := range tt.devices {
					if _, given := w.cancelled[started[i].tx]; given != (status == 0) {
						t.Errorf("device %d cancelled: %v", i, given)
					}
					if status == 0 {
						w.reply(started[i], sip.StatusRequestTerminated, "")
					}
				}
				if d := w.end(); d.Status != tt.want || d.By != tt.by || d.Branches != len(tt.devices) ||
					(d.Err != nil) != (tt.name == "nobody there" || tt.name == "cannot be reached" || tt.name == "one fault, one absence") {
					t.Errorf("detail %+v", d)
				}
			})
		})
	}
}

func TestNoAnswer(t *testing.T) {
	for want, rings := range map[sip.Status]bool{480: true, 408: false} {
		play(t, func(w *world) {
			w.b.RingTime = 30 * time.Second
			w.phone("bob", 2)
			tx := w.invite("bob", offer("192.0.2.1", 4000))
			s := w.one(sip.MethodInvite)
			w.reply(s, sip.StatusTrying, "")
			if rings {
				w.reply(s, sip.StatusRinging, "")
			}
			w.pass(31 * time.Second)
			if got := w.answerTo(tx).Status; got != want {
				t.Errorf("alice got %d, want %d", got, want)
			}
			if _, ok := w.cancelled[s.tx]; !ok {
				t.Error("no CANCEL")
			}
			w.reply(s, sip.StatusRequestTerminated, "")
		})
	}
}

// What the caller was told stands in the record, whoever told it: here the transaction, for whose answer it has waited too long.
func TestToldByTransaction(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		s := w.one(sip.MethodInvite)
		w.reply(s, sip.StatusRinging, "")
		w.in(func() {
			w.handlers[tx].HandleEvent(&sip.Event{Kind: sip.EventTimeout, Stripe: stripe, Tx: tx, Err: sip.ErrTimeout, Engine: w})
		})
		w.reply(s, sip.StatusRequestTerminated, "")
		if d := w.end(); d.By != BySystem || d.Status != sip.StatusRequestTimeout {
			t.Errorf("detail %+v", d)
		}
	})
}

func TestCancel(t *testing.T) {
	play(t, func(w *world) {
		w.phone("bob", 2)
		w.phone("bob", 3)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		s := w.take(sip.MethodInvite)
		w.reply(s[0], sip.StatusRinging, "")
		cancel := w.incoming[tx].Clone()
		cancel.Method = sip.MethodCancel
		cancel.Set(sip.HeaderReason, "SIP;cause=480")
		w.in(func() {
			w.handlers[tx].HandleEvent(&sip.Event{Kind: sip.EventCancel, Stripe: stripe, Tx: tx, Request: cancel, Engine: w})
		})
		if got := w.statuses(tx); got != "180 487" {
			t.Errorf("alice got %s", got)
		}
		for _, l := range s {
			if w.cancelled[l.tx] != "SIP;cause=480" {
				t.Errorf("CANCEL with Reason %q", w.cancelled[l.tx])
			}
			w.reply(l, sip.StatusRequestTerminated, "")
		}
		if d := w.end(); d.By != ByCaller || d.Status != sip.StatusRequestTerminated {
			t.Errorf("detail %+v", d)
		}
	})
}

func TestRefused(t *testing.T) {
	for _, tt := range []struct {
		name, user string
		lines      []string
		setup      func(w *world)
		want       sip.Status
	}{
		{"unknown", "nobody", nil, func(*world) {}, 404},
		{"forbidden", "secret", nil, func(w *world) { w.routes["secret"] = Route{Refuse: 403} }, 403},
		{"loop", "bob", []string{"Max-Forwards: 0"}, func(*world) {}, 483},
		{"no call is free", "bob", nil, func(w *world) { w.b.MaxCalls = -1 }, 503},
		{"no port is free", "bob", nil, func(w *world) { w.b.Media.Relay.Ports.Max = 20001; w.occupy() }, 503},
		{"every flow is lost", "bob", nil, func(w *world) { w.phones["bob"][0].To.Flow.ID = 9; w.lost[9] = true }, 480},
		{"not a description", "bob", []string{"Content-Type: text/plain", "Content-Length: 1"}, func(*world) {}, 415},
		{"a broken description", "bob", []string{"Content-Type: application/sdp", "Content-Length: 1"}, func(*world) {}, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			play(t, func(w *world) {
				w.phone("bob", 2)
				tt.setup(w)
				body := offer("192.0.2.1", 4000)
				if tt.want == 415 || tt.want == 400 {
					body = ""
				}
				tx := w.inviteBytes(tt.user, body, tt.lines, "x")
				if got := w.statuses(tx); got != tt.want.Error()[:3] {
					t.Errorf("alice got %s, want %d", got, tt.want)
				}
				if got := w.answerTo(tx).Has(sip.HeaderRetryAfter); got != (tt.want == 503) {
					t.Errorf("Retry-After: %v", got)
				}
				w.take(sip.MethodInvite)
				w.close()
			})
		})
	}
}
