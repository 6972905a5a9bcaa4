package carrier

import (
	"testing"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/server/object"
)

// TestMusic: who calls by a trunk hears the music of the trunk on hold, or else that of the dial plan.
func TestMusic(t *testing.T) {
	var asked string
	trunks := &Trunks{Options: Options{Music: func(setting string) *session.Music {
		asked = setting
		return new(session.Music)
	}}}
	set := &object.Settings{Domain: "example.org", Plan: &object.Plan{Music: "plan.wav"}}
	for own, want := range map[string]string{"trunk.wav": "trunk.wav", "": "plan.wav"} {
		o := &object.Trunk{Name: "provider", TrunkUse: object.TrunkUse{Music: own}}
		if s, err := trunks.settings(set, o); err != nil || s.Music == nil || asked != want {
			t.Errorf("music %q: %q is heard, %v", own, asked, err)
		}
	}
}
