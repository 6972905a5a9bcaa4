package dialplan

import (
	"strings"
	"testing"
	"time"
)

// TestEmergency: who needs help gets it, whatever the limits, the locks and the rules say, and however it is dialled. RFC 5031 §4.2; RFC 6881 §5.
func TestEmergency(t *testing.T) {
	h := newHouse().account("200", Account{MaxCalls: 1, Minutes: 1, NightLock: LockAll, CallerID: "+4930123200"})
	set := berlin(h)
	set.Emergency, set.EmergencyTrunk = []string{"19222"}, "telco"
	set.Limits = Limits{Closed: []string{"1"}, NightLock: LockAll, Night: []string{"daily 00:00-24:00"}, Calls: 1, Minutes: 1}
	set.Short = map[string]string{"110": "busy"}
	set.Rules = []Rule{
		{Name: "nothing outside", Target: "busy"},
		{Name: "broken", When: "len(dialled) / 0 > 1", Target: "hangup"},
	}
	p := compiled(t, set)
	used := ledger{"200": {Calls: 99, Talked: 99 * time.Hour}}
	for dialled, want := range map[string]string{"112": "112", "110": "110", "0112": "112", "0110": "110", "19222": "19222", "1 12": "112", "019222": "19222"} {
		c := p.from("200", dialled)
		c.Ledger = used
		d := p.Decide(c)
		if d.Action != Ring || d.Summary() != "emergency:"+want || !d.Legs[0].Out.Emergency || d.Legs[0].Out.Trunks[0] != "telco" || d.Legs[0].Out.MaxCalls != 0 {
			t.Errorf("%s: %s", dialled, d.Summary())
		}
	}
	for _, dialled := range []string{"113", "1120", "01120", "0", "+112", "*112", "116117"} {
		if p.Emergency(dialled) {
			t.Errorf("%s is no emergency number", dialled)
		}
	}
	c := p.from("200", "urn:service:sos.police")
	for service, want := range map[Service]string{"sos": "112", "sos.police": "110", "sos.fire": "112", "sos.marine": "112"} {
		c.Asked = service
		if got := p.follow(t, c); got != "emergency:"+want {
			t.Errorf("%s: %s", service, got)
		}
	}
}

// TestEmergencyOnly: a call for help is dialled by somebody in the house; nobody is forwarded to one, and nobody outside makes one through here.
func TestEmergencyOnly(t *testing.T) {
	h := newHouse().account("201", Account{ForwardAlways: "112"})
	p := compiled(t, berlin(h))
	for _, c := range []struct {
		call Call
		want string
	}{
		{p.from("200", "201"), "refuse:forbidden"},
		{p.from("trunk:telco", "201"), "refuse:forbidden"},
		{p.from("anonymous", "112"), "refuse:stranger"},
		{Call{Caller: Caller{Account: "200"}, Dialled: "112", How: Deflected, At: noon}, "refuse:forbidden"},
		{Call{Caller: Caller{Account: "200"}, Dialled: "112", How: Transferred, At: noon}, "emergency:112"},
		{Call{Caller: Caller{Place: Place{Kind: KindMenu, Name: "700"}}, Dialled: "112", At: noon}, "refuse:forbidden"},
	} {
		if got := p.follow(t, c.call); got != c.want {
			t.Errorf("%+v: %s, want %s", c.call.Caller, got, c.want)
		}
	}
}

// TestEmergencyInside: without a way outside whoever is called so in the house takes the call.
func TestEmergencyInside(t *testing.T) {
	h := newHouse().account("112", Account{})
	h.cut = true
	p := compiled(t, berlin(h))
	if got := p.follow(t, p.from("200", "112")) + " " + p.follow(t, p.from("200", "110")); got != "account:112 refuse:no-trunk" {
		t.Error(got)
	}
}

// TestEmergencyOfCountries: the numbers of each country are known without being set.
func TestEmergencyOfCountries(t *testing.T) {
	for country, want := range map[string]string{"DE": "110 112", "GB": "112 999", "US": "112 911", "AU": "000 112", "FR": "15 17 18 112", "JP": "110 112 119", "": "112 911 999"} {
		p := compiled(t, Settings{Country: country})
		for number := range strings.FieldsSeq(want) {
			if !p.Emergency(number) {
				t.Errorf("%s: %s is none", country, number)
			}
		}
		if p.Emergency("200") {
			t.Errorf("%s: 200 is one", country)
		}
	}
}
