// How the trunks are, for `sipwerk trunk status` and the metrics.

package carrier

import (
	"time"

	"github.com/sipwerk/sipwerk/service/trunk"
)

// Status is how a trunk is, as commands read it.
type Status struct {
	Domain     string     `json:"domain"`
	Trunk      string     `json:"trunk"`
	Usable     bool       `json:"usable"`              // a call could go out now
	Registers  bool       `json:"registers"`           // it is one that registers
	Registered bool       `json:"registered"`          // and the provider knows it
	Until      *time.Time `json:"until,omitempty"`     // the end of the registration
	Health     string     `json:"health,omitempty"`    // unknown, up, shaky, down
	Problem    string     `json:"problem,omitempty"`   // why it is not usable, or what the provider said last
	Since      *time.Time `json:"since,omitempty"`     // of the last change
	Calls      int        `json:"calls"`               // under way
	MaxCalls   int        `json:"max_calls,omitempty"` // 0: no limit
	Addresses  []string   `json:"addresses,omitempty"` // of the provider
	CallsOut   uint64     `json:"calls_out"`           // since it began
	CallsIn    uint64     `json:"calls_in"`            // the same
	Failed     uint64     `json:"failed"`              // calls out that the provider did not answer
	Full       uint64     `json:"full"`                // calls that found all lines taken
}

// Faulty returns the trunks whose settings cannot be used, with the Problem.
func (t *Trunks) Faulty() (all []Status) {
	for d, fs := range t.unusable() {
		for _, f := range fs {
			all = append(all, Status{Domain: d, Trunk: f.trunk, Problem: f.err.Error()})
		}
	}
	return all
}

// Status returns how the trunks of a domain are; of all if it is "". Those whose settings cannot be used are among them.
func (t *Trunks) Status(domain string) []Status {
	var all []Status
	for _, one := range t.group.Status(domain) {
		all = append(all, statusOf(&one))
	}
	for _, f := range t.Faulty() {
		if domain == "" || domain == f.Domain {
			all = append(all, f)
		}
	}
	return all
}

func statusOf(t *trunk.Status) Status {
	st := Status{Domain: t.Domain, Trunk: t.Trunk, Usable: t.Usable, Registers: t.Registers, Registered: t.Registered, Health: t.Health, Problem: t.Problem,
		Calls: t.Calls, MaxCalls: t.MaxCalls, CallsOut: t.Counts.Out, CallsIn: t.Counts.In, Failed: t.Counts.Failed, Full: t.Counts.Full, Since: &t.Since}
	if !t.Until.IsZero() {
		st.Until = &t.Until
	}
	for _, a := range t.Addresses {
		st.Addresses = append(st.Addresses, a.String())
	}
	return st
}

// unusable returns the trunks whose settings cannot be used, by domain.
func (t *Trunks) unusable() map[string][]fault {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make(map[string][]fault)
	for d, k := range t.known {
		all[d] = k.faults
	}
	return all
}

// Figures returns the states and counts of all trunks.
func (t *Trunks) Figures() []trunk.Status { return t.group.Status("") }

// Judged returns how many signatures of callers were proven, how many were not, and how many callers had none.
func (t *Trunks) Judged() (passed, failed, none uint64) {
	return t.judged[judgedPassed].Load(), t.judged[judgedFailed].Load(), t.judged[judgedNone].Load()
}
