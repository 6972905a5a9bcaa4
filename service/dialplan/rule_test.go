package dialplan

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestRules(t *testing.T) {
	set := berlin(newHouse().account("201", Account{ForwardAlways: "+4930555555"}))
	set.Hours = []Hours{{Name: "office", Open: []string{"mon-fri 08:00-18:00"}}}
	set.Trunks = append(set.Trunks, Trunk{Name: "cheap"})
	set.Rules = []Rule{
		{Name: "off", Disabled: true, Target: "busy"},
		{Name: "machine", When: `caller matches "^\\+4930666" || anonymous && trunk != ""`, Target: "hangup"},
		{Name: "closed", When: `trunk == "telco" && number == "+4930123200" && !open("office")`, Target: "voicemail:200"},
		{Name: "mobile", When: `kind == "mobile" && country == "DE"`, Trunks: []string{"cheap", "telco"}, CallerID: "+4930123000", RingTime: 40 * time.Second},
		{Name: "forwards", When: `how == "forwarded" && by == "201" && number startsWith "+49305555"`, Target: "610"},
		{Name: "guests", When: `account in ["203", "204"] && number != ""`, Target: "busy"},
	}
	p := compiled(t, set)
	for _, c := range []struct{ from, to, at, want, rule string }{
		{"trunk:telco/+4930666123", "+4930123600", "monday 10:00", "refuse:hangup", "machine"},
		{"trunk:telco", "+4930123600", "monday 10:00", "refuse:hangup", "machine"},
		{"trunk:telco/+33123456789", "+4930123200", "monday 10:00", "account:200", ""},
		{"trunk:telco/+33123456789", "+4930123200", "sunday 10:00", "voicemail:200", "closed"},
		{"200", "01701234567", "monday 10:00", "out:+491701234567@cheap,telco", ""},
		{"200", "201", "monday 10:00", "queue:610", "forwards"},
		{"203", "+4930999999", "monday 10:00", "refuse:busy", "guests"},
		{"203", "200", "monday 10:00", "account:200", ""},
	} {
		at, err := ParseMoment(c.at, noon.In(p.Zone()))
		if err != nil {
			t.Fatal(err)
		}
		d := p.Decide(Call{Caller: p.Caller(c.from), Dialled: c.to, At: at})
		if d.Summary() != c.want || d.Rule != c.rule {
			t.Errorf("%s calls %s on %s: %s by %q, want %s by %q", c.from, c.to, c.at, d.Summary(), d.Rule, c.want, c.rule)
		}
	}
	if d := p.Decide(p.from("200", "01701234567")); d.RingTime != 40*time.Second || d.Legs[0].Out.CallerID != "+4930123000" {
		t.Errorf("%+v", d)
	}
}

// TestScripts: what a script says counts; what is wrong with it does not stop the call.
func TestScripts(t *testing.T) {
	const endless = "def route(call):\n  for i in range(1000000000):\n    pass\n"
	for script, want := range map[string]string{
		"def route(call):\n  return None": "voicemail:200",
		"def route(call):\n  if call.caller == '201' and call.hour == 12 and call.weekday == 'monday': return '610'": "queue:610",
		"def route(call):\n  return {'target': '01701234567', 'trunks': ['telco'], 'ring_time': 9}":                  "out:+491701234567@telco",
		"def route(call):\n  return '610' if call.open('office') else '700'":                                         "menu:700",
		"def route(call):\n  return call.nothing":                                                                    "voicemail:200",
		"def route(call):\n  return 7":                                                                               "voicemail:200",
		"def route(call):\n  return {'goal': '610'}":                                                                 "voicemail:200",
		"def route(call):\n  return 'a b'":                                                                           "voicemail:200",
		"def route(call):\n  return {'ring_time': 99999}":                                                            "voicemail:200",
		"def route(call):\n  fail('no')":                                                                             "voicemail:200",
		endless:                                                                                                      "voicemail:200",
	} {
		set := berlin(newHouse())
		set.Hours = []Hours{{Name: "office"}}
		set.Rules = []Rule{{Name: "script", Script: script, Otherwise: "voicemail:200"}}
		p := compiled(t, set)
		if got := p.follow(t, p.from("201", "200")); got != want {
			t.Errorf("%s\n%s, want %s", script, got, want)
		}
	}
}

// TestScriptEnds: a script ends with the caller.
func TestScriptEnds(t *testing.T) {
	set := berlin(newHouse())
	set.Rules = []Rule{{Name: "script", Script: "def route(call):\n  for i in range(40000):\n    pass\n  return '610'"}}
	p := compiled(t, set)
	d := p.Decide(p.from("201", "200"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if d.Action != Ask {
		t.Fatal(d.Summary())
	}
	// The script may have ended before the news of the end has come to it.
	if a, err := d.Question.Answer(ctx); err == nil && a.Target != "610" {
		t.Errorf("%+v", a)
	}
}

func TestWebhooks(t *testing.T) {
	set := berlin(newHouse())
	set.Rules = []Rule{
		{Name: "crm", When: `account == "201"`, Webhook: "http://crm.example.org/route", Timeout: time.Second, Otherwise: "610"},
		{Name: "second", When: `account == "202"`, Webhook: "http://crm.example.org/route"},
		{Name: "last", When: `account == "202"`, Target: "700"},
	}
	p := compiled(t, set)
	answers := map[string]func() (Answer, error){
		"a target":        func() (Answer, error) { return Answer{Target: "202"}, nil },
		"nothing":         func() (Answer, error) { return Answer{}, nil },
		"a failure":       func() (Answer, error) { return Answer{}, errors.New("down") },
		"what is no good": func() (Answer, error) { return Answer{Target: "a b"}, nil },
		"a premium":       func() (Answer, error) { return Answer{Target: "09001234567"}, nil },
	}
	for _, c := range []struct{ from, answer, want string }{
		{"201", "a target", "account:202"}, {"201", "nothing", "queue:610"}, {"201", "a failure", "queue:610"}, {"201", "what is no good", "queue:610"}, {"201", "a premium", "refuse:premium"},
		{"202", "nothing", "menu:700"}, {"202", "a failure", "menu:700"}, {"203", "a failure", "account:200"},
	} {
		asked := false
		d := p.Settle(t.Context(), p.Decide(p.from(c.from, "200")), func(_ context.Context, q *Question) (Answer, error) {
			asked = true
			if q.Webhook != "http://crm.example.org/route" || q.Facts.Account != c.from || q.Facts.Dialled != "200" || q.Facts.Kind != "account" {
				t.Errorf("%+v", q)
			}
			return answers[c.answer]()
		})
		if d.Summary() != c.want || asked != (c.from != "203") {
			t.Errorf("%s, %s: %s, want %s", c.from, c.answer, d.Summary(), c.want)
		}
	}
}

// TestFaults: what is wrong with a plan is said in one sentence, with the field and the cure.
func TestFaults(t *testing.T) {
	rule := func(r Rule) Settings {
		r.Name = "r"
		return Settings{Rules: []Rule{r}}
	}
	long := strings.Repeat(`dialled == "1" || `, 100) + "true"
	for want, set := range map[string]Settings{
		`plan: country "XX" is not known`:             {Country: "XX"},
		`plan: time-zone "Mars" is not known`:         {TimeZone: "Mars"},
		`plan: area-code "a" is none`:                 {Country: "DE", AreaCode: "a"},
		`plan: outside-prefix "#" is none`:            {Outside: "#"},
		`plan: countries: "FRA" is not known`:         {Limits: Limits{Countries: []string{"FRA"}}},
		`plan: night-lock "some" is not known`:        {Limits: Limits{NightLock: "some"}},
		`plan: night: "late" is no range`:             {Limits: Limits{Night: []string{"late"}}},
		`plan: short-numbers: "a" cannot be`:          {Short: map[string]string{"a": "200"}},
		`plan: short-numbers 1: target "x:y" is`:      {Short: map[string]string{"1": "x:y"}},
		`rule r: when: unknown name nothing`:          rule(Rule{When: "nothing == 1"}),
		`rule r: when: expected bool`:                 rule(Rule{When: "dialled"}),
		`rule r: when: there are no hours "x"`:        rule(Rule{When: `open("x")`}),
		`rule r: when: open wants the name`:           rule(Rule{When: `open(dialled)`}),
		`rule r: when: unknown name repeat`:           rule(Rule{When: `len(repeat("a", 1000000)) > 1`}),
		`rule r: when: conditions have no loops`:      rule(Rule{When: `all(1..1000, # > 0)`}),
		`rule r: when: compilation failed`:            rule(Rule{When: long}),
		`rule r: target "a b" is none`:                rule(Rule{Target: "a b"}),
		`rule r: otherwise "hours:x" lacks`:           rule(Rule{Otherwise: "hours:x"}),
		`rule r: script: has no function route`:       rule(Rule{Script: "x = 1"}),
		`rule r: script: rule:1:4: not an identifier`: rule(Rule{Script: "def"}),
		`rule r: script and webhook exclude`:          rule(Rule{Script: "x = 1", Webhook: "http://x"}),
		`rule r: timeout 1m0s is too long`:            rule(Rule{Webhook: "http://x", Timeout: time.Minute}),
		`rule r: trunks: there is no trunk "x"`:       rule(Rule{Trunks: []string{"x"}}),
		`hours h: time-zone "Mars" is not`:            {Hours: []Hours{{Name: "h", TimeZone: "Mars"}}},
		`hours h: open: "mo 8-25" is no range`:        {Hours: []Hours{{Name: "h", Open: []string{"mo 8-25"}}}},
		`hours h: holidays: "13-40" is no day`:        {Hours: []Hours{{Name: "h", Holidays: []string{"13-40"}}}},
		`trunk t: default-target "a b" is none`:       {Trunks: []Trunk{{Name: "t", Default: "a b"}}},
		`trunk t: inbound +1: target is empty`:        {Trunks: []Trunk{{Name: "t", Inbound: []Inbound{{"+1", ""}}}}},
		`test x: at "soon" is no time`:                {Tests: []Test{{Name: "x", To: "1", Expect: "give", At: "soon"}}},
		`test x: after "rain" is not known`:           {Tests: []Test{{Name: "x", To: "1", Expect: "give", After: []string{"rain"}}}},
		`test x: to or expect is missing`:             {Tests: []Test{{Name: "x"}}},
	} {
		_, err := Compile(set)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// TestProofs: the tests beside the plan.
func TestProofs(t *testing.T) {
	set := berlin(newHouse().account("200", Account{Mailbox: true}))
	set.Rules = []Rule{{Name: "crm", When: `dialled == "77"`, Webhook: "http://crm", Otherwise: "610"}, {Name: "s", When: `dialled == "78"`, Script: "def route(call):\n  return '700'"}}
	set.Tests = []Test{
		{Name: "abroad", From: "200", To: "+33123456789", At: "sunday 22:00", Expect: "refuse:country"},
		{Name: "nobody", From: "anonymous", To: "200", After: []string{"no-answer"}, Expect: "voicemail:200"},
		{Name: "group", From: "trunk:telco/+331", To: "+4930123600", Expect: "group:600"},
		{Name: "number", From: "200", To: "030999999", Expect: "out:+4930999999"},
		{Name: "webhook", From: "200", To: "77", Expect: "queue"},
		{Name: "script", From: "200", To: "78", Expect: "menu:700"},
		{Name: "wrong", From: "200", To: "201", Expect: "account:202"},
		{Name: "no beginning of a word", From: "200", To: "201", Expect: "acc"},
	}
	p := compiled(t, set)
	proofs := p.Prove(t.Context())
	for i, proof := range proofs {
		if proof.OK != (i < 6) || len(proof.Steps) == 0 {
			t.Errorf("%s: %s, %t", proof.Test.Name, proof.Got, proof.OK)
		}
	}
	if len(proofs) != len(set.Tests) {
		t.Errorf("%d proofs", len(proofs))
	}
}
