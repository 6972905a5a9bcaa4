// Rules: conditions in the expression language of expr-lang/expr, compiled once. They have no loops and few built-in functions, so what one can cost is known from its length.

package dialplan

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/vm"
)

const (
	maxRuleNodes  = 200    // of the syntax tree of a condition
	maxRuleMemory = 10_000 // of the machine that runs it, in its own units
	maxScript     = 32 << 10
	defaultWait   = 2 * time.Second  // for a webhook
	longestWait   = 30 * time.Second // the caller hears nothing so long
)

// Facts are what conditions, scripts and webhooks see of a call.
type Facts struct {
	Caller    string `expr:"caller" json:"caller"`       // account, or number of somebody outside
	Account   string `expr:"account" json:"account"`     // of the caller; "" for somebody outside
	Trunk     string `expr:"trunk" json:"trunk"`         // by which the call came
	Anonymous bool   `expr:"anonymous" json:"anonymous"` // the caller is not known
	Dialled   string `expr:"dialled" json:"dialled"`
	Number    string `expr:"number" json:"number"`   // E.164; "" if none was dialled
	Country   string `expr:"country" json:"country"` // of the number
	Kind      string `expr:"kind" json:"kind"`       // class of the number, or what is called so in the house: account, group, queue, …
	How       string `expr:"how" json:"how"`         // dialled, forwarded, transferred, deflected
	By        string `expr:"by" json:"by"`           // account that sends the call on
	Weekday   string `expr:"weekday" json:"weekday"` // monday, …
	Date      string `expr:"date" json:"date"`       // 2026-12-24
	Time      string `expr:"time" json:"time"`       // 22:00
	Hour      int    `expr:"hour" json:"hour"`
	Minute    int    `expr:"minute" json:"minute"`

	Open func(string) bool `expr:"open" json:"-"` // open("office")
}

// rule is one that has been read.
type rule struct {
	*Rule
	when   *vm.Program // nil: always
	target *target     // nil: none
	script *script     // nil: none
	back   *target     // Otherwise; nil: the next rule
}

// Question is what a rule wants to know: the answer of its script or webhook.
type Question struct {
	Rule    string
	Webhook string        // URL; "": a script
	Timeout time.Duration // to be waited for the answer at most
	Facts   Facts

	script *script
}

// Answer is what a script or a webhook says. The zero Answer says nothing.
type Answer struct {
	Target   string   `json:"target"`
	CallerID string   `json:"caller_id"`
	Trunks   []string `json:"trunks"`
	RingTime int      `json:"ring_time"` // in seconds
}

// Answer runs the script of a question. It takes a few milliseconds at most, or ends with ctx.
func (q *Question) Answer(ctx context.Context) (Answer, error) {
	if q.script == nil {
		return Answer{}, errors.New("dialplan: the question is one for a webhook")
	}
	return q.script.run(ctx, &q.Facts)
}

func (p *Plan) readRules() error {
	var faults []error
	for i := range p.set.Rules {
		r := &p.set.Rules[i]
		if r.Disabled {
			continue
		}
		read, err := p.readRule(r)
		if err != nil {
			faults = append(faults, fmt.Errorf("rule %s: %w", r.Name, err))
			continue
		}
		p.rules = append(p.rules, read)
	}
	return errors.Join(faults...)
}

func (p *Plan) readRule(r *Rule) (out rule, err error) {
	out.Rule = r
	if r.When != "" {
		if out.when, err = p.compile(r.When); err != nil {
			return out, fmt.Errorf("when: %w", err)
		}
	}
	if out.target, err = optional(r.Target); err != nil {
		return out, fmt.Errorf("target %w", err)
	}
	if out.back, err = optional(r.Otherwise); err != nil {
		return out, fmt.Errorf("otherwise %w", err)
	}
	if r.Script != "" {
		if r.Webhook != "" {
			return out, errors.New("script and webhook exclude each other; leave one of them out")
		}
		if out.script, err = p.readScript(r.Script); err != nil {
			return out, fmt.Errorf("script: %w", err)
		}
	}
	if r.Timeout < 0 || r.Timeout > longestWait {
		return out, fmt.Errorf("timeout %s is too long; the caller hears nothing meanwhile: at most %s", r.Timeout, longestWait)
	}
	for _, t := range r.Trunks {
		if p.trunks[t] == nil {
			return out, fmt.Errorf("trunks: there is no trunk %q; `sipwerk trunk list` shows them", t)
		}
	}
	return out, nil
}

// optional reads a target that may be missing.
func optional(s string) (*target, error) {
	if s == "" {
		return nil, nil
	}
	t, err := readTarget(s)
	return &t, err
}

// compile reads a condition.
func (p *Plan) compile(when string) (*vm.Program, error) {
	named := &named{hours: p.hours}
	options := []expr.Option{expr.Env(Facts{}), expr.AsBool(), expr.MaxNodes(maxRuleNodes), expr.DisableAllBuiltins(), expr.Patch(named)}
	for _, f := range []string{"len", "lower", "upper", "trim", "hasPrefix", "hasSuffix", "indexOf", "int", "string"} {
		options = append(options, expr.EnableBuiltin(f))
	}
	program, err := expr.Compile(when, options...)
	if err == nil {
		err = named.fault
	}
	return program, err
}

// named looks for what a condition must not hold: loops, and hours that nobody has made, which are a fault of the plan and not of a call.
type named struct {
	hours map[string]*hours
	fault error
}

// Visit implements ast.Visitor.
func (v *named) Visit(node *ast.Node) {
	if _, loop := (*node).(*ast.PredicateNode); loop {
		v.fault = errors.New("conditions have no loops (all, any, filter, map, …); write a script instead")
	}
	call, ok := (*node).(*ast.CallNode)
	if !ok {
		return
	}
	callee, ok := call.Callee.(*ast.IdentifierNode)
	if !ok || callee.Value != "open" || len(call.Arguments) != 1 {
		return
	}
	name, ok := call.Arguments[0].(*ast.StringNode)
	if !ok {
		v.fault = errors.New(`open wants the name of hours in quotes, such as open("office")`)
	} else if v.hours[name.Value] == nil {
		v.fault = fmt.Errorf("there are no hours %q; `sipwerk hours add %s` makes them", name.Value, name.Value)
	}
}

// holds reports whether the condition of a rule holds.
func (r *rule) holds(f *Facts) (bool, error) {
	if r.when == nil {
		return true, nil
	}
	machine := vm.VM{MemoryBudget: maxRuleMemory}
	out, err := machine.Run(r.when, *f)
	held, _ := out.(bool)
	return held, err
}

// question is what a rule asks of a script or a webhook; nil if it needs none.
func (r *rule) question(f *Facts) *Question {
	switch {
	case r.script != nil:
		return &Question{Rule: r.Name, Timeout: defaultWait, Facts: *f, script: r.script}
	case r.Webhook != "":
		q := &Question{Rule: r.Name, Webhook: r.Webhook, Timeout: r.Timeout, Facts: *f}
		if q.Timeout == 0 {
			q.Timeout = defaultWait
		}
		return q
	}
	return nil
}

// answer is what a rule says without being asked.
func (r *rule) answer() Answer {
	return Answer{Target: r.Target, CallerID: r.CallerID, Trunks: slices.Clone(r.Trunks), RingTime: int(r.RingTime / time.Second)}
}

// facts collects what rules see of a call.
func (w *walk) facts(dialled string) Facts {
	p, c := w.plan, w.way.call
	at := c.At.In(p.zone)
	f := Facts{Caller: c.Caller.Account, Account: c.Caller.Account, Trunk: c.Caller.Trunk, Dialled: dialled, How: c.How.String(), By: w.way.payer,
		Weekday: weekdayName(at.Weekday()), Date: at.Format("2006-01-02"), Time: at.Format("15:04"), Hour: at.Hour(), Minute: at.Minute()}
	if f.Account == "" {
		f.Caller = c.Caller.Number
		f.Anonymous = c.Caller.Number == ""
	}
	if w.way.forwarded {
		f.How = "forwarded"
	}
	n := p.numbers.read(dialled)
	f.Number, f.Country, f.Kind = n.E164, n.Country, string(n.Class)
	if place, ok := w.place(dialled); ok {
		f.Kind = string(place.Kind)
	}
	f.Open = func(name string) bool { return p.Open(name, c.At) }
	return f
}

// Open reports whether hours are open at a time; those that nobody has set always are.
func (p *Plan) Open(name string, at time.Time) bool {
	h := p.hours[name]
	if h == nil {
		return true
	}
	open, _ := h.open(at)
	return open
}

// OpenByTimes is [Plan.Open] as the times say, whatever was opened or closed by hand.
func (p *Plan) OpenByTimes(name string, at time.Time) bool {
	h := p.hours[name]
	if h == nil {
		return true
	}
	open, _ := h.byTimes(at)
	return open
}

func weekdayName(d time.Weekday) string {
	return [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}[d]
}
