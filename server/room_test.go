// Conference rooms of a whole server: made in the store, called by telephones, watched by a subscriber. RFC 4579 §5, RFC 4575 §3.

package server

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/sip"
)

// TestRoom: two telephones of different kinds meet in a room with a PIN; one that is removed is not there any more.
func TestRoom(t *testing.T) {
	s := start(t, map[string]string{"listen": "udp://127.0.0.1:0,tls://127.0.0.1:0"})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pin, err := setup.HashPIN("4711")
	if err != nil {
		t.Fatal(err)
	}
	edit(t, s, func(set *object.Settings) {
		set.Put(&object.Room{Number: "4000", Title: "Sales", PIN: object.PIN(pin), Owners: []string{"alice"}, Quiet: true})
	})
	alice, err := telephone(t, s, "alice", "udp").Dial(ctx, "sip:4000@example.org")
	if err != nil {
		t.Fatal(err)
	}
	bob, err := telephone(t, s, "bob", "tls").Dial(ctx, "sip:4000@example.org")
	if err != nil {
		t.Fatal(err)
	}
	if err := bob.SendDigits(ctx, "4711#"); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	spoken := make(chan struct{})
	go func() {
		defer close(spoken)
		loud := make([]int16, bob.Rate()/50)
		for i := range loud {
			loud[i] = int16(8000 - 16000*(i/8%2))
		}
		for {
			select {
			case <-stop:
				return
			default:
				if bob.WriteSamples(loud) != nil {
					return
				}
			}
		}
	}()
	if !hears(ctx, alice) {
		t.Error("bob is not heard")
	}
	close(stop)
	<-spoken
	if c := s.conferences.Counts(); c.Rooms != 1 || c.Calls != 2 || s.Calls() != 2 {
		t.Errorf("counts %+v", c)
	}
	if err := errors.Join(alice.Hangup(), bob.Hangup()); err != nil {
		t.Error(err)
	}
	edit(t, s, func(set *object.Settings) { delete(set.Rooms, "4000") })
	if _, err := telephone(t, s, "alice", "udp").Dial(ctx, "sip:4000@example.org"); sip.StatusOf(err) != sip.StatusNotFound {
		t.Errorf("a removed room: %v", err)
	}
}

// hears reads until something loud comes.
func hears(ctx context.Context, call interface {
	ReadSamples([]int16) (int, error)
}) bool {
	pcm := make([]int16, 160)
	for ctx.Err() == nil {
		n, err := call.ReadSamples(pcm)
		for _, v := range pcm[:n] {
			if v > 1000 {
				return true
			}
		}
		if err != nil {
			return false
		}
	}
	return false
}

// TestSubscribe: who asks for a package that there is proves who it is, and is told.
func TestSubscribe(t *testing.T) {
	s := start(t, nil)
	edit(t, s, func(set *object.Settings) { set.Put(&object.Room{Number: "4000", Title: "Sales"}) })
	h := newHandset(t, s)
	contact := "Contact: <sip:alice@" + h.conn.LocalAddr().String() + ">"
	subscribe := func(uri string, lines ...string) *sip.Request {
		return h.request("SUBSCRIBE", uri, "sip:alice@example.org", append(lines, contact)...)
	}
	if res := h.ask(subscribe("sip:4000@example.org", "Event: conference")); res.Status != sip.StatusUnauthorized {
		t.Errorf("a stranger gets %d", res.Status)
	}
	if res := h.ask(subscribe("sip:4000@example.org", "Event: presence.winfo")); res.Status != sip.StatusBadEvent || res.Get(sip.HeaderAllowEvents) != s.events.AllowEvents() {
		t.Errorf("another package: %s", res)
	}
	if res := h.prove(subscribe("sip:4001@example.org", "Event: conference"), "alice", "secret of alice"); res.Status != sip.StatusNotFound {
		t.Errorf("no such room: %d", res.Status)
	}
	for _, event := range []string{"refer", "conference"} {
		inside := subscribe("sip:4000@example.org", "Event: "+event)
		inside.AddTag(sip.HeaderTo, "unknown")
		if res := h.prove(inside, "alice", "secret of alice"); res.Status != sip.StatusCallDoesNotExist {
			t.Errorf("inside no dialog: %d", res.Status)
		}
	}
	if res := h.ask(h.request("REFER", "sip:4000@example.org", "sip:alice@example.org", contact, "Refer-To: <sip:bob@example.org>")); res.Status != sip.StatusUnauthorized {
		t.Errorf("a stranger's REFER: %d", res.Status)
	}
	// A fetch: 200, then NOTIFY with the room.
	if res := h.prove(subscribe("sip:4000@example.org", "Event: conference", "Expires: 0"), "alice", "secret of alice"); res.Status != sip.StatusOK {
		t.Fatalf("SUBSCRIBE: %s", res)
	}
	_ = h.conn.SetReadDeadline(time.Now().Add(time.Minute))
	if notify := h.notify(); !strings.Contains(string(notify.Body()), "<display-text>Sales</display-text>") {
		t.Fatal(notify)
	}
}
