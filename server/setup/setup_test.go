package setup

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
)

// company is a domain with people and a dial plan, without a server that runs.
func company(t *testing.T, set func(*object.Settings)) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	_, _, err = st.EnsureDomain(t.Context(), "example.org")
	for _, user := range []string{"alice", "bob", "200", "201", "202"} {
		err = errors.Join(err, st.AddAccount(t.Context(), store.Account{Domain: "example.org", User: user}, "secret of "+user))
	}
	if err == nil {
		_, err = st.Edit(t.Context(), "example.org", func(s *object.Settings) error {
			plan := object.KindNamed("dialplan").Named("").(*object.Plan)
			plan.Country, plan.AreaCode, plan.TimeZone = "DE", "30", "Europe/Berlin"
			s.Put(plan)
			set(s)
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// TestPlans: settings with a fault, or with a test that fails, are told before they come into force.
func TestPlans(t *testing.T) {
	set := &object.Settings{Domain: "example.org"}
	plan := object.KindNamed("dialplan").Named("").(*object.Plan)
	plan.Country, plan.TimeZone = "DE", "Europe/Berlin"
	set.Put(plan)
	plan.Tests = []object.PlanTest{{Name: "abroad", From: "200", To: "0033123456789", At: "sunday 22:00", Expect: "refuse:no-trunk"}, {Name: "wrong", From: "200", To: "201", Expect: "account:200"}}
	tests, err := CheckPlan(t.Context(), set, lives{"200", "201"})
	if err == nil {
		err = dial.Failed(tests)
	}
	if err == nil || !strings.Contains(err.Error(), "wrong (account:201 instead of account:200)") || strings.Contains(err.Error(), "abroad") {
		t.Error(err)
	}
	plan.Rules = []object.Rule{{Name: "r", When: "nothing", Target: "200"}}
	if _, err := CheckPlan(t.Context(), set, lives{}); err == nil || !strings.Contains(err.Error(), "rule r: when") {
		t.Error(err)
	}
}

// lives are accounts.
type lives []string

func (l lives) Account(_, user string) (string, bool) { return user, slices.Contains(l, user) }

// TestExplain: what would become of a call is told without a server.
func TestExplain(t *testing.T) {
	st := company(t, func(s *object.Settings) {
		a := object.KindNamed("account").Named("200").(*object.Account)
		a.ForwardNoAnswer = "201"
		s.Put(a)
		s.Plan.Tests = []object.PlanTest{{Name: "first", From: "201", To: "200", Expect: "account:200"}}
	})
	answer, err := ExplainRoute(t.Context(), st, "example.org", dial.Question{From: "202", To: "200", At: "sunday 22:00"})
	if err != nil {
		t.Fatal(err)
	}
	var path []string
	for _, s := range answer.Stages {
		path = append(path, s.After+" "+s.Decision)
	}
	if got := strings.Join(path, " > "); got != " account:200 > no-answer account:201 > no-answer give" || answer.At.Hour() != 22 {
		t.Errorf("%s at %s", got, answer.At)
	}
	if answer.Live {
		t.Error("the database knows what happens now")
	}
	tests, err := TestRoutes(t.Context(), st, "example.org")
	if err != nil || len(tests) != 1 || !tests[0].OK {
		t.Errorf("%+v %v", tests, err)
	}
}

// TestAffected: who notices a change, over as many steps as it takes.
func TestAffected(t *testing.T) {
	setup := &Setup{Store: company(t, func(*object.Settings) {})}
	d, err := object.ParseDocument("x", []byte("hours: {office: {open: ['mon-fri 09:00-17:00']}}\ngroups: {600: {members: [alice]}, 601: {members: [bob]}}\n"+
		"menus: {800: {choices: {1: 'hours:office?open=600'}}, 801: {choices: {1: 800}}, 802: {choices: {1: 601}}}\n"))
	if err == nil {
		_, err = setup.Apply(t.Context(), "example.org", d, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"hours: {office: {open: ['mon-thu 09:00-17:00']}}":                "menu 800 menu 801",
		"groups: {600: {members: [alice, bob]}, 601: {members: [bob]}}":   "account alice account bob menu 800 menu 801",
		"groups: {600: {members: [alice, bob]}, 601: {members: [alice]}}": "account alice account bob menu 800 menu 801 menu 802",
		"dialplan: {country: DE}":                                         "everybody",
		"mailboxes: {bob: {}}":                                            "account bob",
	} {
		if got := strings.Join(affects(t, setup, text), " "); got != want {
			t.Errorf("%s\n%s\nwant %s", text, got, want)
		}
	}
}

// TestApplySwitchedHours: what was closed by hand stays so, unless a document says otherwise; then the plan shows it.
func TestApplySwitchedHours(t *testing.T) {
	st := company(t, func(s *object.Settings) {
		s.Put(&object.Hours{Name: "office", State: "closed", Open: []string{"mon-fri 09:00-17:00"}})
	})
	setup := &Setup{Store: st}
	for _, tt := range []struct{ text, want, shown string }{
		{"hours: {office: {open: ['mon-thu 09:00-17:00']}, shop: {}}", "closed", "open"},
		{"hours: {office: {open: ['mon-thu 09:00-17:00'], state: auto}}", "auto", "state"},
	} {
		d, err := object.ParseDocument("x", []byte(tt.text))
		if err != nil {
			t.Fatal(err)
		}
		plan, err := setup.Plan(t.Context(), "example.org", d, nil)
		if err != nil {
			t.Fatal(err)
		}
		if fields := plan.Items()[0].Fields; len(fields) != 1 || fields[0].Field != tt.shown {
			t.Errorf("%s: the plan shows %+v", tt.text, fields)
		}
		if _, err := setup.Apply(t.Context(), "example.org", d, nil); err != nil {
			t.Fatal(err)
		}
		set, err := st.Settings(t.Context(), "example.org")
		if err != nil || set.Hours["office"].State != tt.want {
			t.Errorf("%s: the office is %s, %v", tt.text, set.Hours["office"].State, err)
		}
	}
}

// affects returns who would notice a document.
func affects(t *testing.T, s *Setup, text string) []string {
	t.Helper()
	d, err := object.ParseDocument("x", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	c, err := s.Plan(t.Context(), "example.org", d, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.Affected
}
