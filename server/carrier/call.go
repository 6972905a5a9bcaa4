// The test of a trunk, step by step: its name, its provider, its registration, and a real call. What fails is told with cause and cure.

package carrier

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// Step is one line of the report of a test. Cause and Cure are whole sentences without figures, so that they can be translated.
type Step struct {
	After time.Duration `json:"after"` // since the begin, in nanoseconds
	To    bool          `json:"to"`    // the provider; otherwise it is from it, or about it
	Text  string        `json:"text"`  // "OPTIONS", "200 OK", "3 addresses: …"
	Cause string        `json:"cause,omitempty"`
	Cure  string        `json:"cure,omitempty"`
}

// Order is the order to test a trunk.
type Order struct {
	Domain string        `json:"domain"`
	Number string        `json:"number"` // E.164, or what goes as it is; "": no call is made
	Talk   time.Duration `json:"talk"`   // how long the call lasts once it is answered; 0: 3 s
	Ring   time.Duration `json:"ring"`   // how long it rings; 0: 30 s
}

const (
	testRegister = 35 * time.Second
	testRing     = 30 * time.Second
	testTalk     = 3 * time.Second
	testLongest  = 5 * time.Minute // of ring and talk, whatever is ordered
)

// errTestFailed says that a test found something; its steps have said what.
var errTestFailed = errors.New("the trunk does not work as it is set")

// report collects the steps of a test.
type report struct {
	begun  time.Time
	step   func(Step) error
	failed bool
}

func (r *report) to(format string, args ...any) error {
	return r.step(Step{After: time.Since(r.begun), To: true, Text: fmt.Sprintf(format, args...)})
}

func (r *report) from(format string, args ...any) error {
	return r.step(Step{After: time.Since(r.begun), Text: fmt.Sprintf(format, args...)})
}

// wrong tells what is wrong.
func (r *report) wrong(text string, why remedy) error {
	r.failed = true
	return r.step(Step{After: time.Since(r.begun), Text: text, Cause: why.cause, Cure: why.cure})
}

// Test tests a trunk and calls step with each line of the report. The error is of step or ctx, or says that something was found.
func (t *Trunks) Test(ctx context.Context, name string, test Order, step func(Step) error) error {
	r := &report{begun: time.Now(), step: step}
	o := t.Directory.Settings(test.Domain).Trunks[name]
	switch {
	case o == nil:
		return fmt.Errorf("there is no trunk %s in %s; `sipwerk trunk list` shows what there is", name, test.Domain)
	case !o.Enabled:
		return fmt.Errorf("trunk %s is switched off; `sipwerk trunk set %s --enabled` switches it on", name, name)
	}
	for _, f := range t.unusable()[test.Domain] {
		if f.trunk == name {
			return fmt.Errorf("trunk %s: %w", name, f.err)
		}
	}
	for _, part := range []func(context.Context, *report, string, *Order) error{t.testNames, t.testHealth, t.testRegistration, t.testCall} {
		if err := part(ctx, r, name, &test); err != nil {
			return err
		}
	}
	if r.failed {
		return errTestFailed
	}
	return nil
}

// status is that of one trunk.
func (t *Trunks) named(domain, name string) (trunk.Status, bool) {
	for _, t := range t.group.Status(domain) {
		if t.Trunk == name {
			return t, true
		}
	}
	return trunk.Status{}, false
}

// testNames looks at what the names of the servers stand for.
func (t *Trunks) testNames(ctx context.Context, r *report, name string, test *Order) error {
	o, err := t.settings(t.Directory.Settings(test.Domain), t.Directory.Settings(test.Domain).Trunks[name])
	if err != nil {
		return err
	}
	for _, uri := range append(o.Servers, o.Proxy) {
		if uri.Host == "" {
			continue
		}
		found, err := transportWire{t.stack}.Resolve(ctx, uri)
		if err != nil || len(found) == 0 {
			if err := r.wrong(fmt.Sprintf("%s leads nowhere", uri.Host), remedyName); err != nil {
				return err
			}
			continue
		}
		if err := r.from("%s is %v", uri.Host, found); err != nil {
			return err
		}
	}
	return nil
}

// testHealth asks by OPTIONS.
func (t *Trunks) testHealth(ctx context.Context, r *report, name string, test *Order) error {
	if err := r.to("OPTIONS"); err != nil {
		return err
	}
	p, err := t.group.Probe(ctx, test.Domain, name)
	switch {
	case err != nil:
		return err
	case p.Err != nil:
		return r.wrong("no answer: "+p.Err.Error(), remedySilence)
	case p.Status == sip.StatusServiceUnavailable:
		return r.wrong(p.Status.Error(), remedyAway)
	}
	return r.from("%s", p.Status.Error())
}

// testRegistration registers anew.
func (t *Trunks) testRegistration(ctx context.Context, r *report, name string, test *Order) error {
	if st, ok := t.named(test.Domain, name); !ok || !st.Registers {
		return nil
	}
	if err := r.to("REGISTER"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, testRegister)
	defer cancel()
	st, err := t.group.Register(ctx, test.Domain, name)
	switch {
	case errors.Is(err, trunk.ErrNoTrunk):
		return err
	case st.Registered:
		return r.from("registered until %s", st.Until.Format(time.TimeOnly))
	}
	return r.wrong(st.Problem, whyUnregistered(st))
}

// whyUnregistered says what the answer of a registrar means.
func whyUnregistered(st trunk.Status) remedy {
	switch {
	case errors.Is(st.Err, digest.ErrForeign):
		return remedyRealm
	case errors.Is(st.Err, digest.ErrRefused), st.Status == sip.StatusUnauthorized, st.Status == sip.StatusProxyAuthRequired:
		return remedySecret
	case errors.Is(st.Err, digest.ErrUnsupported):
		return remedyDigest
	case st.Status == sip.StatusForbidden:
		return remedyForbidden
	case st.Status == sip.StatusNotFound:
		return remedyUser
	case st.Status == 0:
		return remedySilence
	}
	return remedyRefused
}
