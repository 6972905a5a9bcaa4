package dialplan

import (
	"testing"
	"time"
)

// TestFraud is the table of what is tried to telephone at the expense of others. Every line goes through the one gate there is.
func TestFraud(t *testing.T) {
	h := newHouse().
		account("201", Account{ForwardAlways: "+33123456789"}).
		account("202", Account{ForwardNoAnswer: "09001234567"}).
		account("203", Account{Countries: []string{"fr"}, MaxCalls: 2, Minutes: 10}).
		account("204", Account{Minutes: -1, MaxCalls: -1, NightLock: LockNone}).
		account("205", Account{NightLock: LockAll}).
		group("601", Group{Members: []string{"200"}, Otherwise: "+33123456789"})
	set := berlin(h)
	set.Limits = Limits{Countries: []string{"AT"}, Open: []string{"+491805", "+3361"}, Closed: []string{"+4930666", "+336199"}}
	p := compiled(t, set)
	menu := Caller{Place: Place{Kind: KindMenu, Name: "700"}}
	wished := menu
	wished.Entitled = true
	night := time.Date(2026, 6, 1, 21, 0, 0, 0, time.UTC) // 23:00 there
	for _, c := range []struct {
		what string
		call Call
		used Use
		want string
		code int
	}{
		{"the own country", p.from("200", "+4930999999"), Use{}, "out:+4930999999", 0},
		{"a mobile telephone there", p.from("200", "01701234567"), Use{}, "out:+491701234567", 0},
		{"a country that was ticked", p.from("200", "+4312345678"), Use{}, "out:+4312345678", 0},
		{"one that was not", p.from("200", "+33123456789"), Use{}, "refuse:country", 403},
		{"one behind the calling code of another", p.from("200", "+18765551234"), Use{}, "refuse:country", 403},
		{"one that the account has", p.from("203", "+33123456789"), Use{}, "out:+33123456789", 0},
		{"a number of no country", p.from("200", "+870773123456"), Use{}, "refuse:premium", 403},
		{"one that the called party pays", p.from("200", "+80012345678"), Use{}, "out:+80012345678", 0},
		{"a premium number", p.from("200", "09001234567"), Use{}, "refuse:premium", 403},
		{"directory enquiries", p.from("200", "11833"), Use{}, "refuse:premium", 403},
		{"a beginning that is open", p.from("200", "+33612345678"), Use{}, "out:+33612345678", 0},
		{"one that is closed in it", p.from("200", "+33619912345"), Use{}, "refuse:closed", 403},
		{"one that is closed at home", p.from("200", "+493066612345"), Use{}, "refuse:closed", 403},
		{"a stranger", p.from("anonymous", "+4930999999"), Use{}, "refuse:stranger", 403},
		{"through a trunk", p.from("trunk:telco/+33123456789", "+4930999999"), Use{}, "account:200", 0},
		{"a forward", p.from("200", "201"), Use{}, "refuse:country", 403},
		{"a forward, asked by a trunk", p.from("trunk:telco", "201"), Use{}, "refuse:country", 403},
		{"a transfer", Call{Caller: Caller{Account: "200"}, How: Transferred, Dialled: "09001234567", At: noon}, Use{}, "refuse:premium", 403},
		{"a redirection", Call{Caller: Caller{Account: "200"}, How: Deflected, Dialled: "+33123456789", At: noon}, Use{}, "refuse:country", 403},
		{"a call out of the voicemail of 200", Call{Caller: Caller{Account: "200", Place: Place{Kind: KindMailbox, Name: "200"}}, Dialled: "09001234567", At: noon}, Use{}, "refuse:premium", 403},
		{"digits dialled in a menu", Call{Caller: menu, Dialled: "+4930999999", At: noon}, Use{}, "refuse:forbidden", 403},
		{"a choice of the menu", Call{Caller: wished, Dialled: "+4930999999", At: noon}, Use{}, "out:+4930999999", 0},
		{"a choice of the menu abroad", Call{Caller: wished, Dialled: "+33123456789", At: noon}, Use{}, "refuse:country", 403},
		{"calls enough", p.from("200", "+4930999999"), Use{Calls: 4}, "refuse:calls", 486},
		{"one less", p.from("200", "+4930999999"), Use{Calls: 3}, "out:+4930999999", 0},
		{"those of the account", p.from("203", "+4930999999"), Use{Calls: 2}, "refuse:calls", 486},
		{"any number", p.from("204", "+4930999999"), Use{Calls: 1000, Talked: 1000 * time.Hour}, "out:+4930999999", 0},
		{"minutes enough", p.from("200", "+4930999999"), Use{Talked: 4 * time.Hour}, "refuse:minutes", 403},
		{"those of the account", p.from("203", "+4930999999"), Use{Talked: 10 * time.Minute}, "refuse:minutes", 403},
		{"abroad at night", Call{Caller: Caller{Account: "200"}, Dialled: "+4312345678", At: night}, Use{}, "refuse:night", 403},
		{"at home at night", Call{Caller: Caller{Account: "200"}, Dialled: "+4930999999", At: night}, Use{}, "out:+4930999999", 0},
		{"unlocked", Call{Caller: Caller{Account: "204"}, Dialled: "+4312345678", At: night}, Use{}, "out:+4312345678", 0},
		{"all locked", Call{Caller: Caller{Account: "205"}, Dialled: "+4930999999", At: night}, Use{}, "refuse:night", 403},
		{"all locked, by day", Call{Caller: Caller{Account: "205"}, Dialled: "+4930999999", At: noon}, Use{}, "out:+4930999999", 0},
		{"all locked, inside", Call{Caller: Caller{Account: "205"}, Dialled: "200", At: night}, Use{}, "account:200", 0},
	} {
		c.call.Ledger = ledger{c.call.Caller.Account: c.used}
		d := p.Decide(c.call)
		if d.Summary() != c.want || int(d.Refusal.Status) != c.code {
			t.Errorf("%s: %s (%d), want %s (%d)", c.what, d.Summary(), d.Refusal.Status, c.want, c.code)
		}
	}
	if got := p.follow(t, p.from("200", "202"), NoAnswer); got != "account:202 > no-answer > refuse:premium" {
		t.Error(got)
	}
	if got := p.follow(t, p.from("203", "601"), NoAnswer); got != "group:601/account:200 > no-answer > refuse:country" {
		t.Error(got) // the countries of the caller are not those of the group
	}
}

// TestPayer: who diverts pays.
func TestPayer(t *testing.T) {
	h := newHouse().account("201", Account{ForwardAlways: "+4930999999", Minutes: 30, MaxCalls: 3, CallerID: "+4930123201"}).account("202", Account{CallerID: "+4930123202", HideCallerID: true})
	p := compiled(t, berlin(h))
	c := p.from("202", "201")
	c.Ledger = ledger{"201": {Calls: 1, Talked: 10 * time.Minute}}
	out := p.Decide(c)
	if o := out.Legs[0].Out; o.Payer != "201" || o.MaxCalls != 3 || o.Minutes != 30 || o.CallerID != "" || o.Hide {
		t.Errorf("%+v", o)
	}
	out = p.Decide(p.from("202", "+4930999999"))
	if o := out.Legs[0].Out; o.Payer != "202" || o.MaxCalls != DefaultCalls || o.Minutes != DefaultMinutes || o.CallerID != "+4930123202" || !o.Hide {
		t.Errorf("%+v", o)
	}
}

// TestNoTrunk: nobody is told more than that the number leads nowhere.
func TestNoTrunk(t *testing.T) {
	h := newHouse()
	h.cut = true
	p := compiled(t, berlin(h))
	if d := p.Decide(p.from("200", "+4930999999")); d.Refusal.Why != NoTrunk || d.Refusal.Status != 404 || d.Refusal.Why.Brake() {
		t.Errorf("%+v", d.Refusal)
	}
}
