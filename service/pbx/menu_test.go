package pbx

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
)

// lobby is a house with one menu, 500.
type lobby struct {
	*postroom
	set  MenuSettings
	call *siptest.Call
}

func (o *lobby) Menu(uri sip.URI) (MenuSettings, bool) { return o.set, uri.UserName() == "500" }

func (o *lobby) Extension(_ sip.URI, number string) bool {
	return slices.Contains([]string{"200", "201", "3"}, number)
}

func (o *lobby) Spelled(_ context.Context, _ sip.URI, keys string, most int) (people []Person, _ error) {
	for number, name := range map[string]string{"200": "Alice Müller"} {
		if Spells(name, keys) && len(people) < most {
			people = append(people, Person{Number: number})
		}
	}
	return people, nil
}

// inLobby calls a menu.
func inLobby(t *testing.T, set MenuSettings, f func(o *lobby), faults ...siptest.Faults) {
	inPostroom(t, func(p *postroom) {
		o := &lobby{postroom: p, set: set}
		o.set.URI = sip.URI{Scheme: "sip", User: "500", Host: "example.org"}
		o.PBX.Players[Menu] = &Menus{o}
		o.Numbers = []Number{{Feature: Menu, Dial: "500"}}
		o.phone.Refers = true
		o.call = o.dial("500")
		o.call.Await("Answered")
		f(o)
	}, faults...)
}

// sentTo waits until the caller is sent on, and says what comes of it.
func (o *lobby) sentTo(target string, outcome sip.Status) {
	o.T.Helper()
	if event := o.call.Await("Request REFER"); event != "Request REFER to "+target {
		o.T.Errorf("%s, want to %s", event, target)
	}
	o.call.Report(outcome)
}

// TestMenu: choices lead where they should, and back when nobody is there; what is no choice is said to be none.
func TestMenu(t *testing.T) {
	set := MenuSettings{Choices: map[byte]string{'1': "600", '2': "voicemail:200", '*': "hangup"}, Retries: 5}
	inLobby(t, set, func(o *lobby) {
		o.says("for-name", "n[6]", "n[0]", "n[0]", "press", "n[1]", "to-message", "n[2]")
		o.call.Press("1")
		o.says("connecting")
		o.sentTo("sip:600@example.org", sip.StatusBusyHere)
		o.says("unreachable", "for-name")
		o.call.Press("9")
		o.says("invalid", "for-name")
		o.call.Press("1")
		o.sentTo("sip:600@example.org", sip.StatusForbidden)
		o.says("forbidden", "for-name")
		o.call.Press("2")
		o.sentTo("sip:voicemail%3A200@example.org", sip.StatusOK)
		o.call.Await("Ended BYE received")
	})
	inLobby(t, set, func(o *lobby) {
		o.call.Press("*")
		o.says("goodbye")
		o.call.Await("Ended BYE received")
	})
}

// TestMenuSilence: who presses nothing hears the menu again, and is sent elsewhere in the end.
func TestMenuSilence(t *testing.T) {
	inLobby(t, MenuSettings{Prompts: []string{"queue-welcome"}, Retries: 1, Timeout: 3 * time.Second, Otherwise: "600"}, func(o *lobby) {
		o.says("queue-welcome", "queue-welcome", "connecting")
		o.sentTo("sip:600@example.org", sip.StatusTemporarilyUnavailable)
		o.says("unreachable", "goodbye")
		o.call.Await("Ended BYE received")
	})
}

// TestMenuExtension: an extension may begin with the key of a choice; one digit alone is the choice.
func TestMenuExtension(t *testing.T) {
	set := MenuSettings{Choices: map[byte]string{'2': "600"}, Extensions: true, Retries: 5}
	inLobby(t, set, func(o *lobby) {
		o.says("dial-extension")
		o.call.Press("201")
		o.sentTo("sip:201@example.org", sip.StatusBusyHere)
		o.says("unreachable", "dial-extension")
		o.call.Press("2")
		o.sentTo("sip:600@example.org", sip.StatusBusyHere)
		o.says("unreachable", "dial-extension")
		o.call.Press("77#")
		o.says("invalid", "dial-extension")
		o.call.Press("3")
		o.sentTo("sip:3@example.org", sip.StatusOK)
		o.call.Await("Ended BYE received")
	})
}

// TestMenuByName: a name is spelled, and chosen among those that fit.
func TestMenuByName(t *testing.T) {
	inLobby(t, MenuSettings{Prompts: []string{"queue-welcome"}, ByName: '9', Retries: 5}, func(o *lobby) {
		o.call.Press("9")
		o.says("dial-name")
		o.call.Press("77#")
		o.says("no-name", "queue-welcome")
		o.call.Press("9")
		o.says("dial-name")
		o.call.Press("685#")
		o.says("for-name", "n[2]", "press", "n[1]")
		o.call.Press("1")
		o.sentTo("sip:200@example.org", sip.StatusOK)
		o.call.Await("Ended BYE received")
	})
}

// TestMenuTellsByName: a menu that reads its choices out also says by which key a name is spelled.
func TestMenuTellsByName(t *testing.T) {
	inLobby(t, MenuSettings{ByName: '9', Extensions: true}, func(o *lobby) {
		o.says("by-name", "n[9]", "dial-extension")
		o.call.Press("9")
		o.says("dial-name")
	})
}

// TestMenuUnderLoss: the way through a menu is found over a bad network.
func TestMenuUnderLoss(t *testing.T) {
	for seed := uint64(1); seed <= 4; seed++ {
		faults := siptest.Faults{Seed: seed, Loss: 0.1, Duplicate: 0.1, Reorder: 0.1, Jitter: 30 * time.Millisecond}
		t.Run(faults.String(), func(t *testing.T) {
			inLobby(t, MenuSettings{Choices: map[byte]string{'1': "600"}, Retries: 5}, func(o *lobby) {
				o.call.Press("1")
				o.sentTo("sip:600@example.org", sip.StatusBusyHere)
				o.Wait(5 * time.Second)
				o.call.Press("1")
				o.sentTo("sip:600@example.org", sip.StatusOK)
				o.call.Await("Ended BYE received")
			}, faults)
		})
	}
}

func TestSpells(t *testing.T) {
	for keys, want := range map[string]bool{"254": true, "25423": true, "685": true, "68553": true, "2542368": true, "53": false, "": false, "6855372": false} {
		if Spells("Alice Müller", keys) != want {
			t.Errorf("%q: %t", keys, !want)
		}
	}
	if !Spells("Jean-Luc 7of9", "53265") || !Spells("Zoë", "963") || Spells("李", "5") {
		t.Error("letters that are on no key")
	}
}
