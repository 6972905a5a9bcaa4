// Tests beside the plan: calls of which it is written down what is to become of them. A plan whose tests fail does not go live.

package dialplan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// errNoHook is why a webhook is not asked: a test asks nobody outside.
var errNoHook = errors.New("dialplan: webhooks are not asked here")

// trial is a test that has been read.
type trial struct {
	*Test
	at    time.Time
	after []Outcome
}

// Proof is what became of one test.
type Proof struct {
	Test  Test
	Got   string // the summary of the decision
	OK    bool
	Steps []Step
}

// testDay is the day of tests that name none: a Monday.
var testDay = [...]int{2026, 6, 1}

func (p *Plan) readTests() error {
	var faults []error
	for i := range p.set.Tests {
		t := trial{Test: &p.set.Tests[i]}
		monday := time.Date(testDay[0], time.Month(testDay[1]), testDay[2], 12, 0, 0, 0, p.zone)
		var err error
		if t.at, err = ParseMoment(t.At, monday); err != nil {
			faults = append(faults, fmt.Errorf("test %s: at %w", t.Name, err))
		}
		for _, o := range t.After {
			t.after = append(t.after, Outcome(o))
			if !slices.Contains([]Outcome{Offline, Busy, NoAnswer, Rejected, NotPassed}, Outcome(o)) {
				faults = append(faults, fmt.Errorf("test %s: after %q is not known; write busy, no-answer, offline, declined or refused", t.Name, o))
			}
		}
		if t.To == "" || t.Expect == "" {
			faults = append(faults, fmt.Errorf("test %s: to or expect is missing; write what is dialled and what is to become of it", t.Name))
		}
		p.tests = append(p.tests, t)
	}
	return errors.Join(faults...)
}

// Prove runs the tests of the plan, with all hours as their times say: what somebody opens or closes by hand makes no plan wrong. Scripts are run, webhooks are not asked: they fail.
func (p *Plan) Prove(ctx context.Context) []Proof {
	p = p.byTimes()
	proofs := make([]Proof, 0, len(p.tests))
	for _, t := range p.tests {
		d := p.Settle(ctx, p.Decide(Call{Caller: p.Caller(t.From), Dialled: t.To, At: t.at}), nil)
		steps := d.Steps
		for _, o := range t.after {
			if d.Action != Ring && d.Action != Enter {
				break
			}
			d = p.Settle(ctx, p.After(&d, o), nil)
			steps = append(steps, d.Steps...)
		}
		got := d.Summary()
		proofs = append(proofs, Proof{Test: *t.Test, Got: got, OK: matches(got, t.Expect), Steps: steps})
	}
	return proofs
}

// byTimes is the plan without what was opened or closed by hand.
func (p *Plan) byTimes() *Plan {
	timed := *p
	timed.hours = make(map[string]*hours, len(p.hours))
	for name, h := range p.hours {
		mine := *h
		mine.state = ""
		timed.hours[name] = &mine
	}
	return &timed
}

// matches reports whether a summary is what was expected: the same, or more of it behind a sign that ends a word.
func matches(got, want string) bool {
	rest, ok := strings.CutPrefix(got, want)
	return ok && (rest == "" || strings.ContainsRune(":/@+", rune(rest[0])))
}

// Caller reads who calls in a test or a question: an account, "trunk:NAME", "trunk:NAME/NUMBER", "anonymous", or a number outside.
func (p *Plan) Caller(from string) Caller {
	if rest, ok := strings.CutPrefix(from, "trunk:"); ok {
		name, number, _ := strings.Cut(rest, "/")
		return Caller{Trunk: name, Number: number}
	}
	if from == "anonymous" {
		return Caller{}
	}
	if h := p.set.House; h != nil {
		if place, ok := h.Place(from); ok && place.Kind == KindAccount {
			return Caller{Account: place.Name, Number: from}
		}
	}
	return Caller{Number: from}
}
