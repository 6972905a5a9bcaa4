// A menu of the whole product: people found by what the keys spell.

package flows

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip/siptest"
)

// lobby is a company whose callers dial by name.
const lobby = `
dialplan: {country: DE, area-code: "30", time-zone: Europe/Berlin}
accounts:
  alice: {devices: [alice], secrets: {alice: "env:ALICE"}, name: Alice Adler}
  bob: {devices: [bob], secrets: {bob: "env:BOB"}, name: Bob Alt}
  carol: {devices: [carol], secrets: {carol: "env:CAROL"}, name: Carol Stern}
menus:
  "500": {choices: {"1": carol}, dial-by-name: "9", language: de}
`

// TestDialByName: of two whom the keys spell the second is chosen; one who is alone is, too; nobody is found, and the menu goes on.
func TestDialByName(t *testing.T) {
	for _, tt := range []struct {
		name, keys, choice string
		rings              string
	}{
		{"two of that name", "25#", "2", "bob"}, // Al…: Alice, Alt
		{"one by the first name", "262#", "1", "bob"},
		{"one by the last name", "23537#", "1", "alice"},
		{"nobody, and a choice", "999#", "1", "carol"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			siptest.Run(t, func(b *siptest.Bench) {
				f := newFirmOf(b, lobby, nil)
				phones := map[string]*siptest.Phone{"alice": f.alice, "bob": f.bob, "carol": device(b, "carol", "carol", "tcp")}
				visitor := phones[map[bool]string{true: "alice", false: "carol"}[tt.rings == "carol"]]
				call := visitor.Dial(aor("500"))
				call.Await("Answered")
				b.Wait(time.Second)
				call.Press("9")
				b.Wait(500 * time.Millisecond)
				call.Press(tt.keys)
				b.Wait(4 * time.Second) // they are read out
				call.Press(tt.choice)
				in := phones[tt.rings].Incoming()
				in.Ring()
				in.Answer()
				in.Await("AckReceived")
				b.Wait(2 * time.Second)
				call.HangUp(in)
			})
		})
	}
}
