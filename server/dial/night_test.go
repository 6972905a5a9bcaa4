package dial

import (
	"context"
	"errors"
	"testing"

	"github.com/sipwerk/sipwerk/server/object"
)

func TestReadNight(t *testing.T) {
	for dialled, want := range map[string]NightOrder{
		"*481": {Code: "1"}, "*4812#": {Code: "12"}, "*481*1": {Code: "1", State: "open"}, "*481*2#": {Code: "1", State: "closed"}, "*481*0": {Code: "1", State: "auto"},
		"#481": {Code: "1", State: "auto"}, "*#481#": {Code: "1", Tell: true}, "*48": {}, "Night-Switch": {Tell: true},
	} {
		if o, ok := ReadNight(dialled); !ok || o != want {
			t.Errorf("%s: %+v, want %+v", dialled, o, want)
		}
	}
	for _, dialled := range []string{"", "481", "*48x", "*481*", "*481*3", "#481*1", "*#481*1", "*47", "**481"} {
		if o, ok := ReadNight(dialled); ok {
			t.Errorf("%q: %+v", dialled, o)
		}
	}
}

// TestNight: who may switches the hours, and hears what has become of them.
func TestNight(t *testing.T) {
	set := &object.Settings{Domain: "example.org", Hours: map[string]*object.Hours{"office": {Name: "office", State: "auto", Code: "1", SwitchBy: []string{"alice"}}, "shop": {Name: "shop"}}}
	byTimes := true
	n := &Night{
		Settings: func(string) *object.Settings { return set },
		Open: func(_, hours string) bool {
			state := set.Hours[hours].State
			return state == "open" || state == "auto" && byTimes
		},
		Times: func(string, string) bool { return byTimes },
		Change: func(_ context.Context, _, hours string, f func(*object.Hours) error) error {
			return f(set.Hours[hours])
		},
	}
	for _, tt := range []struct {
		user, dialled string
		open          bool // by the times
		want          string
		said, why     string
		err           error
	}{
		{"alice", "*481", true, "closed", "hours-closed", "hours-hand", nil},
		{"alice", "*#481", true, "closed", "hours-closed", "hours-hand", nil},
		{"alice", "*481", true, "auto", "hours-open", "hours-times", nil},
		{"alice", "*481", false, "open", "hours-open", "hours-hand", nil},
		{"bob", "*481", false, "open", "hours-open", "hours-hand", errNotEntitled},
		{"", "*481", false, "open", "hours-open", "hours-hand", errNotEntitled},
		{"bob", "*#481", false, "open", "hours-open", "hours-hand", nil},
		{"alice", "#481", false, "auto", "hours-closed", "hours-times", nil},
		{"alice", "*481*2", true, "closed", "hours-closed", "hours-hand", nil},
		{"alice", "*482", true, "closed", "hours-closed", "hours-hand", ErrNoHours},
	} {
		byTimes = tt.open
		o, _ := ReadNight(tt.dialled)
		if err := n.CarryOut(t.Context(), o, set.Domain, tt.user); !errors.Is(err, tt.err) {
			t.Errorf("%s dials %s: %v, want %v", tt.user, tt.dialled, err, tt.err)
		}
		how, why := n.words(set.Domain, "1")
		if got := set.Hours["office"].State; got != tt.want || how != tt.said || why != tt.why {
			t.Errorf("%s has dialled %s: %s, want %s; %s %s is said", tt.user, tt.dialled, got, tt.want, how, why)
		}
	}
	if !(Features{}).has("*481") || !(Features{}).has("#481") {
		t.Error("the code is no feature")
	}
}

// TestNightAtOnce: who switches goes by how the hours stand when they are written, and not by how they stood when the code was dialled.
func TestNightAtOnce(t *testing.T) {
	office := func(state, code string) *object.Hours {
		return &object.Hours{Name: "office", State: state, Code: code, SwitchBy: []string{"alice"}}
	}
	for _, tt := range []struct {
		stored *object.Hours
		want   string
		err    error
	}{{office("closed", "1"), "auto", nil}, {office("auto", "1"), "closed", nil}, {office("auto", "2"), "auto", ErrNoHours}} {
		n := &Night{
			Settings: func(string) *object.Settings {
				return &object.Settings{Domain: "example.org", Hours: map[string]*object.Hours{"office": office("open", "1")}}
			},
			Open:  func(string, string) bool { return false },
			Times: func(string, string) bool { return true },
			Change: func(_ context.Context, _, _ string, f func(*object.Hours) error) error {
				return f(tt.stored)
			},
		}
		if err := n.CarryOut(t.Context(), NightOrder{Code: "1"}, "example.org", "alice"); !errors.Is(err, tt.err) || tt.stored.State != tt.want {
			t.Errorf("%s, %v; want %s, %v", tt.stored.State, err, tt.want, tt.err)
		}
	}
}
