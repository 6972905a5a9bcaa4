// Where calls go by the dial plan: forwards, do not disturb, groups, codes at the telephone, the brakes, and what is told of them.

package server

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/carrier"
	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/dialplan"
	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
)

// lines are exits that note what goes out.
type lines struct{ out []leaving }

// leaving is a call that goes outside.
type leaving struct {
	trunk.Call
	gates []b2bua.Gate
}

// Any implements [exits].
func (l *lines) Any(string) bool { return true }

// Route implements [exits].
func (l *lines) Route(_ string, c trunk.Call, gates []b2bua.Gate, then func(b2bua.Outcome) b2bua.Route) b2bua.Route {
	l.out = append(l.out, leaving{c, gates})
	return b2bua.Route{Ring: []b2bua.Party{{Bindings: []b2bua.Binding{{Target: sip.MustParseURI("sip:" + c.Number + "@provider.example.net")}}}}, Then: then}
}

// asking is a server whose router is asked, and nobody called.
type asking struct {
	*Server
	t      *testing.T
	router *router
	lines  *lines
	log    bytes.Buffer
}

func ask(t *testing.T, set func(*object.Settings)) *asking {
	a := &asking{Server: start(t, nil), t: t, lines: new(lines)}
	a.router = a.calls.Router.(*router)
	a.dial.exits = a.lines
	a.dial.refusals.Log = slog.New(slog.NewTextHandler(&a.log, nil))
	for _, user := range []string{"200", "201", "202", "203"} {
		if err := a.Store.AddAccount(t.Context(), store.Account{Domain: "example.org", User: user}, "secret of "+user); err != nil {
			t.Fatal(err)
		}
	}
	edit(t, a.Server, func(s *object.Settings) {
		plan := object.KindNamed("dialplan").Named("").(*object.Plan)
		plan.Country, plan.AreaCode, plan.TimeZone = "DE", "30", "Europe/Berlin"
		s.Put(plan)
		set(s)
	})
	return a
}

// account puts settings of an account.
func account(s *object.Settings, user string, f func(*object.Account)) {
	a := object.KindNamed("account").Named(user).(*object.Account)
	f(a)
	s.Put(a)
}

// question is a call of an account to a URI.
func (a *asking) question(from, uri string, lines ...string) *b2bua.Question {
	a.t.Helper()
	text := "INVITE " + uri + " SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nFrom: <sip:" + from + "@example.org>;tag=1\r\nTo: <" + uri + ">\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
	req, err := sip.ParseRequest([]byte(text + strings.Join(append(lines, "Content-Length: 0", "", ""), "\r\n")))
	if err != nil {
		a.t.Fatal(err)
	}
	q := &b2bua.Question{Request: req}
	if from != "" {
		q.Caller.Account = sip.URI{Scheme: "sip", User: from, Host: "example.org"}
	}
	return q
}

// dials is a call of an account to a user part.
func (a *asking) dials(from, to string) b2bua.Route {
	return a.router.Route(a.question(from, "sip:"+sip.EscapeUser(to)+"@example.org"))
}

// refused is how many calls were refused for a reason.
func (a *asking) refused(why dialplan.Reason) uint64 {
	return maps.Collect(a.dial.refusals.Counts())[why]
}

// said is a route in a word.
func said(r b2bua.Route) string {
	var words []string
	if r.Diverted != nil {
		words = append(words, r.Diverted.Why.String()+" from "+r.Diverted.From.User)
	}
	switch {
	case r.Later != nil:
		words = append(words, "later")
	case r.Application != nil:
		words = append(words, "application")
	case len(r.Ring) == 0 && r.Refuse != 0:
		words = append(words, r.Refuse.Reason())
	}
	for _, p := range r.Ring {
		if len(p.Bindings) > 0 {
			words = append(words, p.Bindings[0].Target.String())
		} else {
			words = append(words, p.Account.User)
		}
	}
	return strings.Join(words, ", ")
}

// follow gives an outcome to each step of a call and writes what comes.
func follow(r b2bua.Route, misses ...b2bua.Miss) string {
	path := []string{said(r)}
	for _, m := range misses {
		if r.Then == nil {
			break
		}
		r = r.Then(b2bua.Outcome{Miss: m})
		path = append(path, said(r))
	}
	return strings.Join(path, " > ")
}

func TestForwards(t *testing.T) {
	a := ask(t, func(s *object.Settings) {
		account(s, "200", func(a *object.Account) {
			a.ForwardNoAnswer, a.ForwardBusy, a.RingTime = "201", "+491701234567", object.Duration(7*time.Second)
		})
		account(s, "201", func(a *object.Account) { a.DND, a.CallWaiting = true, false })
		account(s, "202", func(a *object.Account) { a.ForwardAlways = "203" })
		account(s, "203", func(a *object.Account) { a.ForwardAlways, a.CallWaiting = "600", true })
		group := object.KindNamed("group").Named("600").(*object.Group)
		group.Members, group.Strategy, group.Otherwise = []string{"200", "201", "alice"}, object.StrategyOrder, "bob"
		s.Put(group)
	})
	for _, c := range []struct {
		to     string
		misses []b2bua.Miss
		want   string
	}{
		{"200", []b2bua.Miss{b2bua.NoAnswer}, "200 > no-answer from 200, Busy Here"},
		{"200", []b2bua.Miss{b2bua.Busy, b2bua.Busy}, "200 > user-busy from 200, sip:+491701234567@provider.example.net > "},
		{"201", nil, "Busy Here"},
		{"202", []b2bua.Miss{b2bua.Offline, b2bua.Busy, b2bua.NoAnswer, b2bua.NoAnswer}, "unconditional from 202 > unconditional from 203, 200 > alice > follow-me from 600, bob > "},
		{"600", nil, "200"},
		{"nobody", nil, "Not Found"},
		{"030123456789012345", nil, "Not Found"},
		{"*43", nil, "application"},
		{"*21*201#", nil, "application"},
	} {
		if got := follow(a.dials("bob", c.to), c.misses...); got != c.want {
			t.Errorf("%s: %s, want %s", c.to, got, c.want)
		}
	}
	if r := a.dials("bob", "200"); r.RingTime != 7*time.Second || r.Ring[0].MaxCalls != 0 {
		t.Errorf("%+v", r)
	}
	account201 := func(s *object.Settings) { account(s, "201", func(a *object.Account) { a.CallWaiting = false }) }
	edit(t, a.Server, account201)
	if r := a.dials("bob", "201"); r.Ring[0].MaxCalls != 1 {
		t.Errorf("%+v", r)
	}
}

// TestBrakes is what is tried to telephone at the expense of others: each refusal has its status, an event in the log and a figure.
func TestBrakes(t *testing.T) {
	a := ask(t, func(s *object.Settings) {
		account(s, "201", func(a *object.Account) { a.ForwardAlways = "09001234567" })
		menu := object.KindNamed("menu").Named("700").(*object.Menu)
		menu.Choices = map[string]string{"1": "+4930999999000", "2": "0033123456789"}
		s.Put(menu)
	})
	transferred := func(to string) *b2bua.Question {
		q := a.question("200", "sip:"+to+"@example.org")
		q.How = b2bua.Transferred
		return q
	}
	deflected := func(to string) *b2bua.Question {
		q := transferred(to)
		q.How = b2bua.Deflected
		return q
	}
	inside := func(app, to string) *b2bua.Question {
		q := a.question("", "sip:"+to+"@example.org")
		q.How, q.Caller.Inside = b2bua.Transferred, sip.MustParseURI("sip:"+app+"@example.org")
		return q
	}
	for _, c := range []struct {
		what   string
		q      *b2bua.Question
		status sip.Status
		reason dialplan.Reason
	}{
		{"a country", a.question("200", "sip:0033123456789@example.org"), sip.StatusForbidden, dialplan.Country},
		{"a tel URI", a.question("200", "tel:+33-1-23456789"), sip.StatusForbidden, dialplan.Country},
		{"a local number with a context", a.question("200", "tel:123456789;phone-context=+33"), sip.StatusForbidden, dialplan.Country},
		{"a premium number", a.question("200", "sip:09001234567@example.org"), sip.StatusForbidden, dialplan.Premium},
		{"a foreign identity", a.question("200", "sip:bob@example.org", "P-Asserted-Identity: <sip:alice@example.org>"), sip.StatusForbidden, dialplan.Identity},
		{"a preferred one", a.question("200", "sip:bob@example.org", "P-Preferred-Identity: <tel:+4930666666>"), sip.StatusForbidden, dialplan.Identity},
		{"a signed one", a.question("200", "sip:bob@example.org", "Identity: a.b.c;info=<https://x.example>"), sip.StatusForbidden, dialplan.Identity},
		{"a REFER", transferred("09001234567"), sip.StatusForbidden, dialplan.Premium},
		{"a 302", deflected("0033123456789"), sip.StatusForbidden, dialplan.Country},
		{"a forward", a.question("200", "sip:201@example.org"), sip.StatusForbidden, dialplan.Premium},
		{"what was dialled in a menu", inside("700", "+4930999999"), sip.StatusForbidden, dialplan.Forbidden},
		{"a choice of the menu abroad", inside("700", "0033123456789"), sip.StatusForbidden, dialplan.Country},
		{"a call out of a voicemail", inside("voicemail%3A200", "09001234567"), sip.StatusForbidden, dialplan.Premium},
		{"somebody unknown", a.question("", "sip:+4930999999@example.org"), sip.StatusForbidden, dialplan.Stranger},
	} {
		t.Run(c.what, func(t *testing.T) {
			before := a.refused(c.reason)
			a.log.Reset()
			r := a.router.Route(c.q)
			for r.Then != nil && len(r.Ring) == 0 {
				r = r.Then(b2bua.Outcome{})
			}
			if r.Refuse != c.status || len(r.Ring) > 0 || r.Application != nil || len(a.lines.out) > 0 {
				t.Errorf("%s, want %d", said(r), c.status)
			}
			if a.refused(c.reason) != before+1 || !strings.Contains(a.log.String(), "reason="+string(c.reason)) {
				t.Errorf("not told: %s", a.log.String())
			}
		})
	}
	if r := a.router.Route(inside("700", "+4930999999000")); len(r.Ring) != 1 {
		t.Errorf("a choice of the menu: %s", said(r))
	}
	own := a.question("200", "sip:bob@example.org", "P-Asserted-Identity: <sip:200@127.0.0.1>")
	if r := a.router.Route(own); len(r.Ring) != 1 {
		t.Errorf("its own identity: %s", said(r))
	}
	trusted := a.question("", "sip:bob@example.org", "P-Asserted-Identity: <sip:alice@example.org>")
	trusted.Caller.Trusted = true
	if r := a.router.Route(trusted); len(r.Ring) != 1 {
		t.Errorf("a trusted one: %s", said(r))
	}
}

// TestLimits: what an account uses outside counts until the limit, across every way of calling.
func TestDialLimits(t *testing.T) {
	a := ask(t, func(s *object.Settings) {
		account(s, "202", func(a *object.Account) { a.MaxCalls, a.MinutesADay = 1, 60 })
		if s.Plan.TimeZone = "UTC"; time.Now().UTC().Hour() < 12 {
			s.Plan.TimeZone = "Asia/Tokyo" // where no new day is near
		}
	})
	if r := a.dials("202", "+4930999999"); len(r.Ring) != 1 {
		t.Fatal(said(r))
	}
	gate := a.lines.out[0].gates[0]
	for range 2 { // by another trunk: the same call
		if gate.Begin() != 0 {
			t.Error("the first call is refused")
		}
	}
	if r := a.dials("202", "+4930999999"); r.Refuse != sip.StatusBusyHere {
		t.Error(said(r))
	}
	if r := a.dials("200", "+4930999999"); len(r.Ring) != 1 {
		t.Error(said(r))
	}
	gate.End(sip.StatusServiceUnavailable, 0) // of the first trunk
	if r := a.dials("202", "+4930999999"); r.Refuse != sip.StatusBusyHere {
		t.Error(said(r))
	}
	gate.End(sip.StatusOK, 59*time.Minute)
	for range 2 { // asked at the same moment
		if r := a.dials("202", "+4930999999"); len(r.Ring) != 1 {
			t.Error(said(r))
		}
	}
	late, twin := a.lines.out[2].gates[0], a.lines.out[3].gates[0]
	if late.Begin() != 0 || twin.Begin() != sip.StatusBusyHere {
		t.Error("two at once")
	}
	late.End(sip.StatusOK, 2*time.Minute)
	if r := a.dials("202", "+4930999999"); r.Refuse != sip.StatusForbidden {
		t.Error(said(r))
	}
	if r := a.dials("202", "112"); !r.Emergency || len(r.Ring) != 1 || len(a.lines.out[4].gates) > 0 || !a.lines.out[4].Urgent {
		t.Error("an emergency call is stopped")
	}
	if r := a.router.Route(a.question("202", "urn:service:sos.fire")); len(r.Ring) != 1 || !a.lines.out[5].Urgent {
		t.Error("an emergency service is not called")
	}
	if n := a.dial.refusals.Emergency.Load(); n != 2 {
		t.Errorf("%d emergency calls", n)
	}
	for uri, urgent := range map[string]bool{"sip:112@example.org": true, "tel:110;phone-context=example.org": true, "urn:service:sos": true, "sip:200@example.org": false, "sip:112@example.net": false} {
		if got := a.dial.urgent(a.router.domains, sip.MethodInvite, a.question("202", uri).Request.URI); got != urgent {
			t.Errorf("%s passes the gate of too much: %t", uri, got)
		}
	}
}

// TestWebhookRule: a rule asks over HTTP, signed, and the call goes where the answer says, or on when there is none in time.
func TestWebhookRule(t *testing.T) {
	asked := make(chan string, 1)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked <- string(body) + r.Header.Get(dial.SignatureHeader)
		if strings.Contains(string(body), `"dialled":"77"`) {
			io.WriteString(w, `{"target":"201"}`)
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	defer hook.Close()
	a := ask(t, func(s *object.Settings) {
		s.Plan.Rules = []object.Rule{{Name: "crm", When: `dialled startsWith "7"`, Webhook: hook.URL, Otherwise: "203"}}
	})
	for dialled, want := range map[string]string{"77": "201", "78": "203"} {
		r := a.dials("200", dialled)
		if r.Later == nil {
			t.Fatal(said(r))
		}
		if got := said(r.Later(context.Background(), nil)); got != want {
			t.Errorf("%s: %s, want %s", dialled, got, want)
		}
		if q := <-asked; !strings.Contains(q, `"account":"200"`) {
			t.Error(q)
		}
	}
}

// TestCodes: forwards and do not disturb are set at the telephone, are in force at once, and are kept to the same gate.
func TestCodes(t *testing.T) {
	s := start(t, nil)
	state := func() *object.Account {
		a, _ := s.directory.Settings("example.org").Account("alice")
		return a
	}
	alice := telephone(t, s, "alice", "udp")
	for code, want := range map[string]string{"*21*bob#": "bob", "#21#": ""} {
		call, err := alice.Dial(t.Context(), "sip:"+sip.EscapeUser(code)+"@example.org")
		if err != nil {
			t.Fatalf("%s: %v", code, err)
		}
		for pcm := make([]int16, 160); state().ForwardAlways != want; { // until it is done; the test ends if it never is
			if _, err := call.ReadSamples(pcm); err != nil {
				t.Fatalf("%s: %+v", code, state())
			}
		}
		_ = call.Hangup()
	}
	codes := s.calls.Router.(*router).codes
	for _, c := range []struct {
		code   string
		failed bool
		check  func(a *object.Account) bool
	}{
		{"*26", false, func(a *object.Account) bool { return a.DND }},
		{"#26#", false, func(a *object.Account) bool { return !a.DND }},
		{"*61*bob", false, func(a *object.Account) bool { return a.ForwardNoAnswer == "bob" }},
		{"*67*nobody", true, func(a *object.Account) bool { return a.ForwardBusy == "" }},
		{"*67*0033123456789", true, func(a *object.Account) bool { return a.ForwardBusy == "" }},
		{"*62", true, func(a *object.Account) bool { return a.ForwardOffline == "" }}, // there is no mailbox
		{"#61", false, func(a *object.Account) bool { return a.ForwardNoAnswer == "" }},
	} {
		o, ok := dial.ReadOrder(c.code)
		if err := codes.CarryOut(t.Context(), o, "example.org", "alice"); !ok || (err != nil) != c.failed || !c.check(state()) {
			t.Errorf("%s: %v %+v", c.code, err, state())
		}
	}
}

// TestPlanGoesLive: a change with which the plan has a fault, or one of its tests fails, is refused whole.
func TestPlanGoesLive(t *testing.T) {
	a := ask(t, func(s *object.Settings) {
		s.Plan.Tests = []object.PlanTest{{Name: "reception", From: "201", To: "200", Expect: "account:200"}}
	})
	desk := &setup.Setup{Store: a.Store}
	change := func(f func(*object.Settings)) error {
		_, err := desk.Edit(t.Context(), "example.org", func(s *object.Settings) error { f(s); return nil })
		if err := a.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		return err
	}
	if err := change(func(s *object.Settings) { account(s, "200", func(a *object.Account) { a.ForwardAlways = "202" }) }); err == nil ||
		!strings.Contains(err.Error(), "reception (account:202 instead of account:200)") {
		t.Error(err)
	}
	if err := change(func(s *object.Settings) { s.Plan.Rules = []object.Rule{{Name: "r", When: "nobody()", Target: "200"}} }); err == nil || !strings.Contains(err.Error(), "rule r: when") {
		t.Error(err)
	}
	if got := said(a.dials("201", "200")); got != "200" {
		t.Errorf("what was refused is in force: %s", got)
	}
	if err := change(func(s *object.Settings) { account(s, "200", func(a *object.Account) { a.ForwardBusy = "202" }) }); err != nil {
		t.Error(err)
	}
	if got := follow(a.dials("201", "200"), b2bua.Busy); got != "200 > user-busy from 200, 202" {
		t.Error(got)
	}
}

// TestExplainLive: a running server also says what counts now.
func TestExplainLive(t *testing.T) {
	s := start(t, nil)
	provider := provide(t)
	lease(t, s, provider, func(*object.Trunk) {})
	edit(t, s, func(set *object.Settings) {
		plan := object.KindNamed("dialplan").Named("").(*object.Plan)
		plan.Country, plan.TimeZone = "DE", "UTC"
		set.Put(plan)
		account(set, "alice", func(a *object.Account) { a.MinutesADay = 30 })
		account(set, "bob", func(a *object.Account) {
			a.CallWaiting, a.ForwardOffline, a.ForwardBusy = false, "+4930777777", "alice"
		})
		down := object.KindNamed("trunk").Named("down").(*object.Trunk)
		down.Server, down.Transport, down.User, down.Secret = []string{"127.0.0.1:9"}, "udp", "u", s.Store.Seal("x")
		set.Put(down)
		off := object.KindNamed("trunk").Named("off").(*object.Trunk)
		off.Server, off.Kind, off.Enabled = []string{"127.0.0.1:9"}, "address", false
		set.Put(off)
		queue := object.KindNamed("queue").Named("610").(*object.Queue)
		queue.Agents = []string{"alice"}
		set.Put(queue)
	})
	known := func(c carrier.Status) bool { return c.Trunk == "provider" && c.Registered }
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for ctx.Err() == nil && !slices.ContainsFunc(s.trunks.Status("example.org"), known) {
		<-time.After(10 * time.Millisecond)
	}
	way, err := DialControl(s.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	explain := func(from, to string) string {
		t.Helper()
		a, err := way.ExplainRoute(t.Context(), "example.org", dial.Question{From: from, To: to})
		if err != nil || !a.Live {
			t.Fatal(a, err)
		}
		var all []string
		for i, stage := range a.Stages {
			if all = append(all, stage.After+" => "+stage.Decision); len(stage.Told) != len(stage.Steps) {
				t.Errorf("stage %d is not to be translated: %+v", i, stage)
			}
			all = append(all, stage.Steps...)
		}
		return strings.Join(all, "\n")
	}
	check := func(got string, want ...string) {
		t.Helper()
		for _, w := range want {
			if !strings.Contains(got, w) {
				t.Errorf("no %q in\n%s", w, got)
			}
		}
	}
	check(explain("alice", "+4930123456"), "alice has 30 minutes left today", "alice may have 4 more calls to the outside at once", "the trunk provider takes the call and shows +4930100 as the caller",
		"the trunk down does not take the call: not registered", "the trunk off does not take the call: it is switched off")
	check(explain("alice", "bob"), "bob has no registered telephone", "offline => out:+4930777777", "bob has 240 minutes left today")
	serve(t, telephone(t, s, "bob", "udp"), echoes)
	check(explain("alice", "bob"), "bob has 1 registered telephones", "no-answer => give")
	s.lamps.Show("sip:bob@example.org", &b2bua.LegState{ID: "elsewhere", Phase: b2bua.LegConfirmed})
	check(explain("alice", "bob"), "bob is in a call and takes no second one", "busy => account:alice", "alice has no registered telephone")
	s.lamps.Show("sip:bob@example.org", &b2bua.LegState{ID: "elsewhere", Phase: b2bua.LegOver})
	check(explain("alice", "610"), "0 wait in the queue 610", "0 of its agents can take a call")
	check(explain("alice", "*503"), "=> feature:*503", "nobody waits in the slot *503", "*503: parks a call that is transferred there")
	check(explain("alice", "**200"), "=> feature:**200", "takes the call that rings there")
	check(explain("alice", "*52bob"), "=> feature:*52bob", "listens to its call")
	check(explain("alice", "*43"), "=> feature:*43", "*43: says back what it hears")
	check(explain("alice", "*21*200"), "*21: forwards every call to NUMBER")
}
