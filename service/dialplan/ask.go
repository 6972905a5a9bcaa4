// The rules in their order, and what they ask of scripts and webhooks.

package dialplan

import (
	"context"
	"time"
)

// rules asks the rules from the one numbered from on.
func (w *walk) rules(from int, dialled string) Decision {
	if from >= len(w.plan.rules) {
		return w.resolve(dialled)
	}
	f := w.facts(dialled)
	for i := from; i < len(w.plan.rules); i++ {
		r := &w.plan.rules[i]
		held, err := r.holds(&f)
		switch {
		case err != nil:
			w.say(sayBadRule, r.Name, err.Error())
			continue
		case !held:
			w.say(sayNoRule, r.Name, "")
			continue
		}
		w.say(sayRule, r.Name, "")
		if q := r.question(&f); q != nil {
			w.way.asked, w.way.dialled = i, dialled
			what := "script"
			if q.Webhook != "" {
				what = "webhook"
			}
			w.say(sayAsk, r.Name, what)
			return w.decide(Decision{Action: Ask, Question: q})
		}
		if d, done := w.apply(r, r.answer()); done {
			return d
		}
	}
	return w.resolve(dialled)
}

// apply does what a rule says; done is false if it only changes how the call is made.
func (w *walk) apply(r *rule, a Answer) (_ Decision, done bool) {
	if a.CallerID != "" {
		w.way.callerID = a.CallerID
	}
	if len(a.Trunks) > 0 {
		w.way.trunks = a.Trunks
	}
	if a.RingTime > 0 {
		w.way.ringTime = time.Duration(a.RingTime) * time.Second
	}
	if a.Target == "" {
		return Decision{}, false
	}
	t, err := readTarget(a.Target)
	if err != nil {
		return Decision{}, false // it was checked
	}
	return w.target(r, t), true
}

// target sends the call where a rule says: the house has wanted it, but whoever pays already goes on paying.
func (w *walk) target(r *rule, t target) Decision {
	w.rule, w.way.house = r.Name, w.way.house || w.way.payer == ""
	return w.to(t)
}

// Answered goes on with a decision whose Action is [Ask], once its question has been answered, or err says why it was not.
func (p *Plan) Answered(d *Decision, a Answer, err error) Decision {
	w := &walk{plan: p, way: d.way}
	r := &p.rules[w.way.asked]
	if err == nil {
		err = a.check()
	}
	switch {
	case err != nil && r.back != nil:
		w.say(sayBadRule, r.Name, err.Error())
		w.say(sayOtherwise, r.Name, r.Otherwise)
		return w.target(r, *r.back)
	case err != nil:
		w.say(sayBadRule, r.Name, err.Error())
	case a.Target == "":
		w.say(saySilent, r.Name, "")
		if r.back != nil && a.CallerID == "" && len(a.Trunks) == 0 && a.RingTime == 0 {
			w.say(sayOtherwise, r.Name, r.Otherwise)
			return w.target(r, *r.back)
		}
	default:
		w.say(sayAnswer, r.Name, a.Target)
	}
	if err == nil {
		if d, done := w.apply(r, a); done {
			return d
		}
	}
	return w.rules(w.way.asked+1, w.way.dialled)
}

// Settle answers the questions of a decision as long as there are any: scripts are run, and hook, if it is not nil, is asked for webhooks; without it they fail.
func (p *Plan) Settle(ctx context.Context, d Decision, hook func(context.Context, *Question) (Answer, error)) Decision {
	for d.Action == Ask {
		a, err := ask(ctx, d.Question, hook)
		next := p.Answered(&d, a, err)
		next.Steps = append(d.Steps, next.Steps...)
		next.Diverted = append(d.Diverted, next.Diverted...)
		d = next
	}
	return d
}

func ask(ctx context.Context, q *Question, hook func(context.Context, *Question) (Answer, error)) (Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, q.Timeout)
	defer cancel()
	switch {
	case q.Webhook == "":
		return q.Answer(ctx)
	case hook == nil:
		return Answer{}, errNoHook
	}
	return hook(ctx, q)
}
