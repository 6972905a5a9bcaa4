// The night switch of a whole server: dialled, and shown by its lamp.

package server

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/sip"
)

func TestNightSwitch(t *testing.T) {
	s := start(t, nil)
	edit(t, s, func(set *object.Settings) {
		set.Put(&object.Hours{Name: "office", State: "auto", Open: []string{"daily 0-24"}, Code: "1", SwitchBy: []string{"alice"}})
	})
	const lamp = "sip:*481@example.org"
	if s.lamps.Calls(lamp) != 0 {
		t.Error("it is lit by day")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, tt := range []struct {
		who, state string
		lit        int
	}{{"bob", "auto", 0}, {"alice", "closed", 1}, {"alice", "auto", 0}} {
		call, err := telephone(t, s, tt.who, "udp").Dial(ctx, lamp)
		if err != nil {
			t.Fatal(err)
		}
		if !hears(ctx, call) { // what has become of it is said when it is done
			t.Errorf("%s hears nothing", tt.who)
		}
		if err := call.Hangup(); err != nil {
			t.Error(err)
		}
		if got := s.directory.Settings("example.org").Hours["office"].State; got != tt.state || s.lamps.Calls(lamp) != tt.lit {
			t.Errorf("%s has dialled: %s, %d; want %s, %d", tt.who, got, s.lamps.Calls(lamp), tt.state, tt.lit)
		}
	}
	edit(t, s, func(set *object.Settings) { set.Hours["office"].State = "closed" })
	h := newHandset(t, s)
	if res := h.prove(h.request("SUBSCRIBE", lamp, "sip:bob@example.org", "Event: dialog", "Expires: 0", "Contact: <sip:bob@"+h.conn.LocalAddr().String()+">"), "bob", "secret of bob"); res.Status != sip.StatusOK {
		t.Fatalf("the lamp: %s", res)
	}
	if text := h.notified(); !strings.Contains(text, "<state>confirmed</state>") || strings.Contains(text, "call-id") {
		t.Errorf("the lamp shows %s", text)
	}
	if name, ok := s.night.lamp(sip.MustParseURI("sip:*482@example.org")); ok || s.lamps.Onlookers.Online("sip:*482@example.org") || !s.lamps.Onlookers.Online(lamp) {
		t.Errorf("%s is the lamp of no hours", name)
	}
	s.night.lookAll() // as every minute
	if s.lamps.Calls(lamp) != 1 {
		t.Error("it went out")
	}
	edit(t, s, func(set *object.Settings) { set.Remove(object.KindNamed("hours"), "office") })
	if s.lamps.Calls(lamp) != 0 {
		t.Error("the lamp of no hours is lit")
	}
}

// TestNightLampChanged: who looks at the clock during a change puts nothing back: nothing is read before it is known that nobody else looks.
func TestNightLampChanged(t *testing.T) {
	office := &object.Hours{Name: "office", Code: "1"}
	var n *nightLamps
	alone := func() {
		if n.mu.TryLock() {
			n.mu.Unlock()
			t.Error("somebody else may look meanwhile")
		}
	}
	phases := make(map[string]b2bua.LegPhase)
	n = &nightLamps{
		settings: func(domain string) *object.Settings {
			alone()
			return &object.Settings{Domain: domain, Hours: map[string]*object.Hours{"office": office}}
		},
		open: func(string, string) bool {
			alone()
			return office.State == "open"
		},
		show:  func(name string, l *b2bua.LegState) { phases[name] = l.Phase },
		names: make(map[string]bool), lit: make(map[string]*b2bua.LegState),
	}
	n.look("example.org")
	for _, state := range []string{"closed", "open", "closed"} {
		office.State = state
		n.lookAll() // what it knows of before is asked for again
		if lit := phases["sip:*481@example.org"] == b2bua.LegConfirmed; lit != (state == "closed") {
			t.Errorf("%s: lit is %v", state, lit)
		}
	}
}

// TestNightHoursGone: nobody hears that hours were switched that are gone.
func TestNightHoursGone(t *testing.T) {
	s := start(t, nil)
	if err := s.switchHours().Change(t.Context(), "example.org", "gone", func(*object.Hours) error { return nil }); !errors.Is(err, dial.ErrNoHours) {
		t.Error(err)
	}
}
