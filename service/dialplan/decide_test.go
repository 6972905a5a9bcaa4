package dialplan

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestInside: who is reached in the house, and what comes when nobody is.
func TestInside(t *testing.T) {
	h := newHouse().
		account("200", Account{Mailbox: true}).
		account("201", Account{ForwardBusy: "202", ForwardNoAnswer: "voicemail:200", ForwardOffline: "+491701234567"}).
		account("202", Account{ForwardAlways: "203"}).
		account("203", Account{ForwardAlways: "202"}).
		account("204", Account{DND: true, Mailbox: true})
	h.places["voicemail:204"] = Place{Kind: KindMailbox, Name: "204"}
	p := compiled(t, berlin(h))
	for _, c := range []struct {
		from, to string
		outcomes []Outcome
		want     string
	}{
		{"201", "200", []Outcome{NoAnswer, NotPassed}, "account:200 > no-answer > voicemail:200 > refused > give"},
		{"201", "200", []Outcome{Offline}, "account:200 > offline > voicemail:200"},
		{"201", "200", []Outcome{Rejected}, "account:200 > declined > voicemail:200"},
		{"200", "201", []Outcome{NoAnswer}, "account:201 > no-answer > voicemail:200"},
		{"200", "201", []Outcome{Offline, Busy}, "account:201 > offline > out:+491701234567 > busy > give"},
		{"200", "201", []Outcome{Busy}, "account:201 > busy > refuse:loop"}, // 202 and 203 forward to each other
		{"203", "202", nil, "account:202"},                                  // who is forwarded to reaches who forwards
		{"200", "204", nil, "voicemail:204"},
		{"200", "610", []Outcome{NotPassed}, "queue:610 > refused > give"},
		{"200", "700", nil, "menu:700"},
		{"200", "*43", nil, "feature:*43"},
		{"200", "voicemail:200", nil, "voicemail:200"},
		{"200", "999", nil, "refuse:unknown"},
		{"200", "030 123200", nil, "account:200"}, // a number of the house, dialled in full
		{"200", "+4930123600", []Outcome{NoAnswer}, "group:600/account:201+account:202 > no-answer > give"},
		{"anonymous", "200", nil, "account:200"},
	} {
		if got := p.follow(t, p.from(c.from, c.to), c.outcomes...); got != c.want {
			t.Errorf("%s calls %s: %s, want %s", c.from, c.to, got, c.want)
		}
	}
}

// TestDiversions: each change of the way is told, with its cause.
func TestDiversions(t *testing.T) {
	h := newHouse().account("200", Account{ForwardAlways: "201"}).account("201", Account{ForwardNoAnswer: "202"})
	p := compiled(t, berlin(h))
	d := p.Decide(p.from("203", "200"))
	if len(d.Diverted) != 1 || d.Diverted[0].From.Name != "200" || d.Diverted[0].Why != CauseAlways || d.Legs[0].Account != "201" {
		t.Errorf("%+v", d.Diverted)
	}
	next := p.After(&d, NoAnswer)
	if len(next.Diverted) != 1 || next.Diverted[0].From.Name != "201" || next.Diverted[0].Why != CauseNobody || next.Legs[0].Account != "202" {
		t.Errorf("%+v", next.Diverted)
	}
	again := p.After(&d, NoAnswer) // a decision does not change
	if again.Summary() != next.Summary() {
		t.Error(again.Summary())
	}
}

// TestHops: a call is diverted so often and no more, counting those who had it before.
func TestHops(t *testing.T) {
	h := newHouse()
	for i, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"} {
		h.account(name, Account{ForwardAlways: string(rune('b' + i))})
	}
	h.account("m", Account{})
	p := compiled(t, berlin(h))
	if got := p.follow(t, p.from("200", "a")); got != "refuse:loop" {
		t.Error(got)
	}
	if got := p.follow(t, p.from("200", "e")); got != "account:m" {
		t.Error(got)
	}
	c := p.from("200", "e")
	c.Hops = 5
	if got := p.follow(t, c); got != "refuse:loop" {
		t.Error(got)
	}
}

// TestRingTime: who has nothing behind it rings as long as the server lets.
func TestRingTime(t *testing.T) {
	h := newHouse().account("201", Account{Mailbox: true}).account("202", Account{Mailbox: true, RingTime: 7 * time.Second, OneCall: true})
	p := compiled(t, berlin(h))
	for to, want := range map[string]time.Duration{"200": 0, "201": DefaultRingTime, "202": 7 * time.Second, "600": DefaultGroupRingTime} {
		d := p.Decide(p.from("203", to))
		if d.RingTime != want {
			t.Errorf("%s rings for %s, want %s", to, d.RingTime, want)
		}
		if d.Legs[0].OneCall != (to == "202") {
			t.Errorf("%s: one call %t", to, d.Legs[0].OneCall)
		}
	}
}

// rota is a turn that goes backwards.
type rota struct{}

func (rota) Order(_ string, _ Strategy, members []string) []string {
	members = slices.Clone(members)
	slices.Reverse(members)
	return members
}

func TestGroups(t *testing.T) {
	h := newHouse().
		account("202", Account{ForwardAlways: "204"}). // its forward does not count in a group
		account("203", Account{DND: true}).
		group("601", Group{Members: []string{"200", "201", "202"}, Strategy: RingInOrder, Otherwise: "voicemail:600"}).
		group("602", Group{Members: []string{"200", "201"}, Strategy: RoundRobin, Otherwise: "601"}).
		group("603", Group{Members: []string{"600", "201", "203", "nobody", "0170 1234567"}}).
		group("604", Group{Members: []string{"203"}, Otherwise: "voicemail"}).
		group("605", Group{Members: []string{"+33 1 23456789", "+49900 1234567"}, Strategy: RingInOrder}).
		group("606", Group{Members: []string{"606", "605"}, Otherwise: "606"})
	h.places["voicemail:604"] = Place{Kind: KindMailbox, Name: "604"}
	p := compiled(t, berlin(h))
	for _, c := range []struct {
		to       string
		outcomes []Outcome
		want     string
	}{
		{"600", nil, "group:600/account:201+account:202"},
		{"601", []Outcome{Busy, NoAnswer, Offline}, "group:601/account:200 > busy > group:601/account:201 > no-answer > group:601/account:202 > offline > voicemail:600"},
		{"602", []Outcome{NoAnswer, NoAnswer}, "group:602/account:201 > no-answer > group:602/account:200 > no-answer > group:601/account:200"},
		{"603", nil, "group:603/account:201+account:202+out:+491701234567"},
		{"604", nil, "voicemail:604"},
		{"605", nil, "give"}, // another country, and a premium number
		{"606", nil, "refuse:loop"},
	} {
		call := p.from("204", c.to)
		call.Turns = rota{}
		if got := p.follow(t, call, c.outcomes...); got != c.want {
			t.Errorf("%s: %s, want %s", c.to, got, c.want)
		}
	}
}

// TestInbound: what comes in by a trunk goes where its table says, and never out again by itself.
func TestInbound(t *testing.T) {
	h := newHouse().account("201", Account{ForwardAlways: "+33123456789"}).account("202", Account{ForwardAlways: "01701234567"})
	set := berlin(h)
	set.Trunks = append(set.Trunks, Trunk{Name: "spare"})
	p := compiled(t, set)
	for _, c := range []struct{ from, to, want string }{
		{"trunk:telco/+33612345678", "+4930123600", "group:600/account:201+account:202"},
		{"trunk:telco", "030123600", "group:600/account:201+account:202"},
		{"trunk:telco", "+4930123745", "menu:700"},
		{"trunk:telco", "+4930123200", "account:200"},
		{"trunk:telco", "+4930123201", "account:200"},       // the default
		{"trunk:telco", "+33123456789", "account:200"},      // never through
		{"trunk:telco", "112", "account:200"},               // nobody outside calls for help through here
		{"trunk:telco", "+4930123999", "out:+491701234567"}, // the house has wanted it
		{"trunk:telco", "201", "refuse:country"},            // and 201 may not
		{"trunk:telco", "202", "out:+491701234567"},
		{"trunk:spare", "*43", "refuse:unknown"},
		{"trunk:spare", "+33123456789", "refuse:unknown"},
		{"trunk:gone", "200", "account:200"},
	} {
		if got := p.follow(t, p.from(c.from, c.to)); got != c.want {
			t.Errorf("%s calls %s: %s, want %s", c.from, c.to, got, c.want)
		}
	}
}

// TestSteps: a decision says how it was found.
func TestSteps(t *testing.T) {
	p := compiled(t, berlin(newHouse()))
	d := p.Decide(p.from("200", "0033 1 23456789"))
	var all []string
	for _, s := range d.Steps {
		all = append(all, s.String())
	}
	want := "200 calls 0033 1 23456789\n0033 1 23456789 is the number +33123456789\nit belongs to FR, class ordinary\nthe call is refused with 403: country"
	if got := strings.Join(all, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if d.Refusal.Status != 403 || !d.Refusal.Why.Brake() || d.Refusal.Payer != "200" || d.Refusal.Number != "+33123456789" {
		t.Errorf("%+v", d.Refusal)
	}
}

// TestSayings: what steps say is said once, and everything that is said can be translated.
func TestSayings(t *testing.T) {
	all := Sayings()
	for i, s := range all {
		if slices.Contains(all[:i], s) || strings.Count(string(s), "%s") > 2 {
			t.Errorf("%q", s)
		}
	}
}
