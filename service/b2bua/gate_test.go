package b2bua

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// keeper is a gate that notes what it is asked and told.
type keeper struct {
	refuse sip.Status
	log    []string
}

func (k *keeper) Begin() sip.Status {
	k.log = append(k.log, "begin")
	return k.refuse
}

func (k *keeper) End(status sip.Status, talked time.Duration) {
	k.log = append(k.log, fmt.Sprintf("%d after %s", status, talked.Round(time.Second)))
}

func (k *keeper) expect(t *testing.T, want string) {
	t.Helper()
	if got := strings.Join(k.log, ", "); got != want {
		t.Errorf("the gate saw %q, want %q", got, want)
	}
}

// trunks leads calls for bob to two trunks, one after the other.
func (w *world) trunks(first, second *keeper) {
	party := func(name string, n int, k *keeper) Party {
		return Party{Name: name, Gate: k, Bindings: []Binding{{Target: sip.MustParseURI(fmt.Sprintf("sip:+49@192.0.2.%d", n)), Remote: netip.AddrFrom4([4]byte{192, 0, 2, byte(n)})}}, Codecs: []string{"PCMU"}}
	}
	w.routes["bob"] = Route{Ring: []Party{party("one", 2, first)}, Then: func(Outcome) Route { return Route{Ring: []Party{party("two", 3, second)}} }}
}

// A trunk that has no line free is passed over, and one that has is told of the end once, with how long it lasted.
func TestGate(t *testing.T) {
	play(t, func(w *world) {
		full, free, caller := &keeper{refuse: sip.StatusServiceUnavailable}, &keeper{}, &keeper{}
		w.caller = Caller{Trunk: "in", Gate: caller}
		w.trunks(full, free)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		s := w.one(sip.MethodInvite)
		if s.URI.Host != "192.0.2.3" || strings.Contains(string(s.Body()), "PCMA") {
			t.Errorf("the INVITE is %s", s.Request)
		}
		w.reply(s, sip.StatusOK, offer("192.0.2.3", 6000))
		w.ack(tx, "")
		w.pass(90 * time.Second)
		free.expect(t, "begin")
		w.hangUp(tx, 2)
		full.expect(t, "begin")
		free.expect(t, "begin, 200 after 1m30s")
		caller.expect(t, "begin, 200 after 1m30s")
		d := w.end()
		if len(d.Legs) != 3 || d.Legs[0].Trunk != "in" || d.Legs[1].Trunk != "two" || d.Legs[2].Trunk != "one" || d.Legs[2].Status != sip.StatusServiceUnavailable {
			t.Errorf("legs %+v", d.Legs)
		}
	})
}

// A trunk that refuses, one that is given up, and a caller for whom there is no line.
func TestGateRefused(t *testing.T) {
	play(t, func(w *world) {
		first, second := &keeper{}, &keeper{}
		w.trunks(first, second)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		w.reply(w.one(sip.MethodInvite), sip.StatusServiceUnavailable, "")
		first.expect(t, "begin, 503 after 0s")
		s := w.one(sip.MethodInvite)
		w.reply(s, sip.StatusRinging, "")
		w.in(func() {
			w.handlers[tx].HandleEvent(&sip.Event{Kind: sip.EventCancel, Stripe: stripe, Tx: tx, Request: w.incoming[tx], Engine: w})
		})
		w.reply(s, sip.StatusRequestTerminated, "")
		second.expect(t, "begin, 487 after 0s")
		w.end()
	})
	play(t, func(w *world) {
		full := &keeper{refuse: sip.StatusBusyHere}
		w.caller = Caller{Gate: full}
		w.phone("bob", 2)
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		if got := w.statuses(tx); got != "486" {
			t.Errorf("the caller got %s", got)
		}
		w.ack(tx, "")
		full.expect(t, "begin")
		w.end()
	})
}

// timekeeper is a gate that keeps the talk it is given.
type timekeeper struct {
	keeper
	talks []Talk
}

func (k *timekeeper) Answered(t Talk) { k.talks = append(k.talks, t) }

// A gate that counts the time is told of the answer once, can let both sides hear something, and can end the call; when the call is over it can do nothing.
func TestMeter(t *testing.T) {
	play(t, func(w *world) {
		k := &timekeeper{}
		w.routes["bob"] = Route{Ring: []Party{{Gate: k, Bindings: []Binding{{Target: sip.MustParseURI("sip:+49@192.0.2.2"), Remote: netip.MustParseAddr("192.0.2.2")}}}}}
		tx := w.invite("bob", offer("192.0.2.1", 4000))
		s := w.one(sip.MethodInvite)
		if len(k.talks) > 0 {
			t.Error("the gate was told of an answer before there is one")
		}
		w.reply(s, sip.StatusOK, offer("192.0.2.2", 6000))
		w.ack(tx, "")
		if len(k.talks) != 1 {
			t.Fatalf("the gate was told of %d answers", len(k.talks))
		}
		mouth, ear, heard := w.socket("192.0.2.1:4000"), w.socket("192.0.2.2:6000"), make(chan int, 2)
		go func() {
			announced, said := 0, 0
			for into := []network.Datagram{{Buf: make([]byte, 500)}}; ; {
				if _, err := ear.ReadBatch(into); err != nil {
					heard <- announced
					heard <- said
					return
				}
				if into[0].N == 400 {
					said++
				} else {
					announced++
				}
			}
		}()
		for range 2 { // the second while the first is heard: it comes after it
			k.talks[0].Announce(func(rate int) (audio.Source, error) { return &audio.Samples{PCM: make([]int16, rate)}, nil })
			w.pass(100 * time.Millisecond)
		}
		w.pass(5 * time.Second)
		packet := network.Datagram{Buf: append([]byte{0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, make([]byte, 388)...), Peer: netip.AddrPortFrom(serverAddress, mediaPort(t, w.answerTo(tx).Body()))}
		if _, err := mouth.WriteBatch([]network.Datagram{packet}); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
		if err := errors.Join(mouth.Close(), ear.Close()); err != nil {
			t.Error(err)
		}
		if announced, said := <-heard, <-heard; announced < 90 || announced > 110 || said != 1 {
			t.Errorf("the far side heard %d packets of the announcement, want two seconds, and %d of the caller", announced, said)
		}
		k.talks[0].HangUp("SIP;cause=403")
		for _, bye := range w.take(sip.MethodBye) {
			if bye.Get(sip.HeaderReason) != "SIP;cause=403" {
				t.Errorf("%s", bye)
			}
			w.reply(bye, sip.StatusOK, "")
		}
		if d := w.end(); d.Reason != "SIP;cause=403" || d.By != BySystem || d.Status != sip.StatusOK {
			t.Errorf("%+v", d)
		}
		k.talks[0].HangUp("")
		k.talks[0].Announce(nil)
		if byes := w.take(sip.MethodBye); len(byes) > 0 {
			t.Errorf("%d BYE to a call that is over", len(byes))
		}
	})
}
