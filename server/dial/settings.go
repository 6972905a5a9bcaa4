// The dial plan of a domain, made of the objects that are set.

package dial

import (
	"context"
	"fmt"
	"strings"

	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/service/dialplan"
)

// Check reports what is wrong with the dial plan of settings that are to come into force: one sentence for each fault, with the field and the cure. Tests are not run.
func Check(set *object.Settings) error {
	_, err := Compile(set, &House{Set: set})
	return err
}

// Test is what became of one test of a dial plan.
type Test struct {
	Name   string   `json:"name"`
	From   string   `json:"from"`
	To     string   `json:"to"`
	At     string   `json:"at,omitempty"`
	Expect string   `json:"expect"`
	Got    string   `json:"got"`
	OK     bool     `json:"ok"`
	Steps  []string `json:"steps"` // in English

	Told []dialplan.Step `json:"-"` // the steps, to be translated
}

// Accounts says which accounts a domain has: a user, a device or a number leads to one.
type Accounts interface {
	Account(domain, user string) (account string, ok bool)
}

// Prove runs the tests of the dial plan of settings that are to come into force. The house says who lives there.
func Prove(ctx context.Context, set *object.Settings, h *House) ([]Test, error) {
	plan, err := Compile(set, h)
	if err != nil {
		return nil, err
	}
	return proved(ctx, plan), nil
}

// proved runs the tests of a plan.
func proved(ctx context.Context, plan *dialplan.Plan) []Test {
	var all []Test
	for _, p := range plan.Prove(ctx) {
		t := Test{Name: p.Test.Name, From: p.Test.From, To: p.Test.To, At: p.Test.At, Expect: p.Test.Expect, Got: p.Got, OK: p.OK, Told: p.Steps}
		for _, s := range p.Steps {
			t.Steps = append(t.Steps, s.String())
		}
		all = append(all, t)
	}
	return all
}

// Failed returns an error that names the tests that fail; nil if none does.
func Failed(tests []Test) error {
	var failed []string
	for _, t := range tests {
		if !t.OK {
			failed = append(failed, fmt.Sprintf("%s (%s instead of %s)", t.Name, t.Got, t.Expect))
		}
	}
	if failed == nil {
		return nil
	}
	return fmt.Errorf("plan: tests fail: %s; mend the plan, or the tests if they are wrong: `sipwerk route test` shows every step", strings.Join(failed, ", "))
}

// Compile makes the plan of the objects of a domain. Its error is a sentence for each fault, with the field and the cure.
func Compile(set *object.Settings, h *House) (*dialplan.Plan, error) {
	return dialplan.Compile(settings(set, h))
}

func settings(set *object.Settings, h *House) dialplan.Settings {
	p := set.DialPlan()
	out := dialplan.Settings{
		Country: p.Country, AreaCode: p.AreaCode, TimeZone: p.TimeZone, Outside: p.OutsidePrefix, Emergency: p.Emergency, EmergencyTrunk: p.EmergencyTrunk,
		Short: p.ShortNumbers, House: h,
		Limits: dialplan.Limits{Countries: p.Countries, Open: p.OpenPrefixes, Closed: p.ClosedPrefixes, Calls: p.MaxCalls, Minutes: p.MinutesADay, NightLock: dialplan.Lock(p.NightLock), Night: p.Night},
	}
	if out.TimeZone == "" {
		out.TimeZone = "Local"
	}
	for _, r := range p.Rules {
		out.Rules = append(out.Rules, dialplan.Rule{Name: r.Name, Disabled: r.Disabled, When: r.When, Target: r.Target, CallerID: r.CallerID, Trunks: r.Trunks, RingTime: r.RingTime.D(),
			Script: r.Script, Webhook: r.Webhook, Timeout: r.WebhookTimeout.D(), Otherwise: r.Otherwise})
	}
	for _, t := range p.Tests {
		out.Tests = append(out.Tests, dialplan.Test{Name: t.Name, From: t.From, To: t.To, At: t.At, After: t.After, Expect: t.Expect})
	}
	for o := range set.Objects(object.KindNamed("hours")) {
		h := o.(*object.Hours)
		out.Hours = append(out.Hours, dialplan.Hours{Name: h.Name, TimeZone: h.TimeZone, Open: h.Open, Holidays: h.Holidays, State: dialplan.HoursState(h.State)})
	}
	for o := range set.Objects(object.KindNamed("trunk")) {
		if t := o.(*object.Trunk); t.Enabled {
			out.Trunks = append(out.Trunks, trunkOf(t))
		}
	}
	return out
}

// trunkOf is a trunk as the plan knows it.
func trunkOf(t *object.Trunk) dialplan.Trunk {
	out := dialplan.Trunk{Name: t.Name, Country: t.Country, Numbers: t.Numbers, Default: t.DefaultTarget}
	for _, in := range t.Inbound {
		number, target, _ := strings.Cut(in, "=")
		out.Inbound = append(out.Inbound, dialplan.Inbound{Number: number, Target: target})
	}
	return out
}
