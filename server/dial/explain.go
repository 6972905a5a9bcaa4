// What a dial plan would do with a call, for people and for tests: decided as a call would be, and made nowhere.

package dial

import (
	"context"
	"time"

	"github.com/sipwerk/sipwerk/service/dialplan"
)

// Question is a call that might be made.
type Question struct {
	From  string   `json:"from"`         // account, number outside, "trunk:NAME", "trunk:NAME/NUMBER", or "anonymous"
	To    string   `json:"to"`           // what is dialled
	At    string   `json:"at,omitempty"` // see [dialplan.ParseMoment]; "" is now
	After []string `json:"after,omitempty"`
}

// Answer is what would become of it.
type Answer struct {
	From    string    `json:"from"`
	To      string    `json:"to"`
	At      time.Time `json:"at"`
	Live    bool      `json:"live"`   // telephones, trunks and limits are as a running server knows them now
	Stages  []Stage   `json:"stages"` // the first decision, and one after each outcome
	Refused int       `json:"refused,omitempty"`
}

// Stage is one decision.
type Stage struct {
	After    string   `json:"after,omitempty"` // the outcome of the stage before
	Decision string   `json:"decision"`
	RingTime float64  `json:"ring_time,omitempty"` // in seconds; 0: that of the server
	Rule     string   `json:"rule,omitempty"`
	Steps    []string `json:"steps"` // in English

	Told []dialplan.Step `json:"-"` // the steps, to be translated
}

// maxStages ends the path of a call on which nobody ever answers.
const maxStages = 20

// Explain says what the dial plan of a house would do with a call. Where q names no outcomes, the path is followed on which nobody answers, or cannot because there is no telephone, as far as the house
// knows. Webhooks are not asked.
func Explain(ctx context.Context, h *House, q Question) (*Answer, error) {
	plan, err := Compile(h.Set, h)
	if err != nil {
		return nil, err
	}
	at, err := dialplan.ParseMoment(q.At, time.Now().In(plan.Zone()))
	if err != nil {
		return nil, err
	}
	a := &Answer{From: q.From, To: q.To, At: at, Live: h.World != nil}
	caller := plan.Caller(q.From)
	if number := h.ahead(caller, q.To); number != nil {
		a.add("", &dialplan.Decision{Action: dialplan.Enter, Place: dialplan.Place{Kind: dialplan.KindFeature, Name: q.To},
			Steps: h.number(q.To)})
		return a, nil
	}
	call := dialplan.Call{Caller: caller, Dialled: q.To, At: at}
	if h.World != nil {
		call.Ledger = h.World.Ledger
	}
	d := plan.Settle(ctx, plan.Decide(call), nil)
	a.add("", h.look(&d, caller))
	for n := 0; n < maxStages && (d.Action == dialplan.Ring || d.Action == dialplan.Enter && len(q.After) > n); n++ {
		o := h.expect(&d, caller)
		if len(q.After) > 0 {
			if n == len(q.After) {
				break
			}
			o = dialplan.Outcome(q.After[n])
		}
		d = plan.Settle(ctx, plan.After(&d, o), nil)
		a.add(string(o), h.look(&d, caller))
	}
	a.Refused = int(d.Refusal.Status)
	return a, nil
}

func (a *Answer) add(after string, d *dialplan.Decision) {
	s := Stage{After: after, Decision: d.Summary(), RingTime: d.RingTime.Seconds(), Rule: d.Rule, Told: d.Steps}
	for _, step := range d.Steps {
		s.Steps = append(s.Steps, step.String())
	}
	a.Stages = append(a.Stages, s)
}
