// Two whole servers: one is the provider of the other. RFC 3261 §10.2, §22.

package server

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/server/carrier"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
)

// provide starts a provider with the accounts u1, who has the number +4930100, and alice.
func provide(t *testing.T) *Server {
	t.Helper()
	p, err := Start(t.Context(), configuration(t, map[string]string{"domain": "provider.example", "listen": "udp://127.0.0.1:0,tcp://127.0.0.1:0"}), Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Stop(context.Background()) })
	for _, u := range []string{"u1", "alice"} {
		if err := p.Store.AddAccount(t.Context(), store.Account{Domain: "provider.example", User: u}, "secret of "+u); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Store.AddNumbers(t.Context(), "provider.example", "u1", []string{"+4930100"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return p
}

// lease gives a server a trunk to the provider and waits until that knows it.
func lease(t *testing.T, s, provider *Server, change func(*object.Trunk)) {
	t.Helper()
	secret := s.Store.Seal("secret of u1")
	_, err := s.Store.Edit(t.Context(), "example.org", func(set *object.Settings) error {
		o := object.KindNamed("trunk").Named("provider").(*object.Trunk)
		o.Server, o.Transport, o.User, o.Secret, o.FromDomain = []string{provider.Listeners()[0].Addr.String()}, "udp", "u1", secret, "provider.example"
		o.Numbers, o.Country = []string{"+4930100-+4930109"}, "49"
		change(o)
		set.Put(o)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// reportOf runs a test of the trunk as a command does, and returns its report.
func reportOf(t *testing.T, s *Server, test carrier.Order) (report string, err error) {
	t.Helper()
	c, err := DialControl(s.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	err = c.TestTrunk(t.Context(), "provider", test, func(step carrier.Step) error {
		text := step.Text
		if step.To {
			text = "> " + text
		}
		if step.Cause != "" {
			text += " | " + step.Cause + " " + step.Cure
		}
		lines = append(lines, text)
		return nil
	})
	return strings.Join(lines, "\n"), err
}

func TestTrunk(t *testing.T) {
	p, s := provide(t), start(t, nil)
	lease(t, s, p, func(*object.Trunk) {})
	report, err := reportOf(t, s, carrier.Order{Number: "echo", Talk: 500 * time.Millisecond})
	if err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
	for _, want := range []string{"> OPTIONS\n200 OK", "> REGISTER\nregistered until", "> INVITE sip:echo@provider.example, from sip:+4930100@provider.example;user=phone", "200 OK, answered", "> BYE", "packets of sound"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
	c, err := DialControl(s.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.Trunks(t.Context(), "")
	if err != nil || len(all) != 1 || !all[0].Usable || !all[0].Registered || all[0].CallsOut != 1 || all[0].Calls != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	figures := 0
	for _, m := range trunkMetrics() {
		m.read(s, func(v float64, label ...string) {
			if m.name == "sipwerk_trunk_registered" && v == 1 && label[0] == "provider@example.org" || m.name == "sipwerk_trunk_calls_out_total" && v == 1 {
				figures++
			}
		})
	}
	if figures != 2 {
		t.Error("no metric says that the trunk is registered and was called by")
	}
}

// What is wrong is said with its cause and its cure.
func TestTrunkFaults(t *testing.T) {
	p, s := provide(t), start(t, nil)
	for name, c := range map[string]struct {
		change func(*object.Trunk)
		test   carrier.Order
		want   string
	}{
		"a wrong user":      {func(o *object.Trunk) { o.User = "nobody" }, carrier.Order{}, "Check user, auth-user and secret of the trunk."},
		"another realm":     {func(o *object.Trunk) { o.Realm = "elsewhere" }, carrier.Order{}, "in another realm than the trunk has."},
		"a dead port":       {func(o *object.Trunk) { o.Server, o.Kind, o.Transport = []string{"127.0.0.1:9"}, "address", "tcp" }, carrier.Order{}, "Nobody answers at the address of the server."},
		"an unknown number": {func(o *object.Trunk) {}, carrier.Order{Number: "+331456"}, "Check number-format, strip and prefix of the trunk."},
		"no transport":      {func(o *object.Trunk) { o.Server = []string{"nowhere.invalid:5060"} }, carrier.Order{}, "stands for no address"},
	} {
		lease(t, s, p, c.change)
		report, err := reportOf(t, s, c.test)
		if err == nil || !strings.Contains(report, c.want) {
			t.Errorf("%s: %v\n%s", name, err, report)
		}
	}
	lease(t, s, p, func(o *object.Trunk) { o.Certificate, o.Key = "/nowhere/cert.pem", "/nowhere/key.pem" })
	if _, err := reportOf(t, s, carrier.Order{}); err == nil || !strings.Contains(err.Error(), "certificate: open /nowhere/cert.pem") {
		t.Errorf("a certificate that is not there: %v", err)
	}
	if all := s.trunks.Status("example.org"); len(all) != 1 || all[0].Usable || all[0].Problem == "" {
		t.Errorf("%+v", all)
	}
	lease(t, s, p, func(o *object.Trunk) { o.Enabled = false })
	if _, err := reportOf(t, s, carrier.Order{}); err == nil || !strings.Contains(err.Error(), "switched off") {
		t.Errorf("one that is switched off: %v", err)
	}
}

// Somebody calls a number of the trunk: the account that has it rings, and sees who calls as a number that can be called back.
func TestTrunkInbound(t *testing.T) {
	p, s := provide(t), start(t, nil)
	lease(t, s, p, func(*object.Trunk) {})
	if err := s.Store.AddNumbers(t.Context(), "example.org", "bob", []string{"+4930100"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if report, err := reportOf(t, s, carrier.Order{}); err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	bob := telephone(t, s, "bob", "udp")
	ready, served := make(chan struct{}), make(chan error, 1)
	bob.Ready = func() { close(ready) }
	from := make(chan string, 1)
	go func() {
		served <- bob.Serve(ctx, func(ctx context.Context, call *phone.Call) error {
			from <- call.Remote().URI.String()
			if err := call.Answer(ctx); err != nil {
				return err
			}
			<-ctx.Done()
			return nil
		})
	}()
	<-ready
	alice := &phone.Phone{URI: "sip:alice@provider.example", Password: "secret of alice", Outbound: "sip:" + p.Listeners()[0].Addr.String(), Listen: []string{"udp://127.0.0.1:0"},
		Log: slog.New(slog.DiscardHandler)}
	defer alice.Close()
	call, err := alice.Dial(ctx, "+4930100")
	if err != nil {
		t.Fatal(err)
	}
	if got := <-from; got != "sip:alice@provider.example" {
		t.Errorf("bob sees %s", got)
	}
	if all := s.trunks.Status(""); all[0].Calls != 1 || all[0].CallsIn != 1 {
		t.Errorf("%+v", all)
	}
	if err := call.Hangup(); err != nil {
		t.Error(err)
	}
	cancel()
	<-served
	for end := time.After(time.Minute); s.trunks.Status("")[0].Calls != 0; {
		select {
		case <-end:
			t.Fatal("the call does not end")
		case <-time.After(10 * time.Millisecond):
		}
	}
	if all := s.trunks.Status(""); all[0].Calls != 0 {
		t.Errorf("the call is over: %+v", all)
	}
}

// Who is no trunk is challenged like everybody else, whatever number and From it has. RFC 3261 §26.2.
func TestTrunkStranger(t *testing.T) {
	p, s := provide(t), start(t, nil)
	lease(t, s, p, func(*object.Trunk) {})
	h := newHandset(t, s)
	req := h.request("INVITE", "sip:+4930100@example.org", "sip:+4940@provider.example", "P-Asserted-Identity: <sip:+4940@provider.example>")
	if res := h.ask(req); res.Status != sip.StatusUnauthorized {
		t.Errorf("a stranger gets %d", res.Status)
	}
}

func TestTrunkOrders(t *testing.T) {
	s := start(t, nil)
	c, err := DialControl(s.Config.Data)
	if err != nil {
		t.Fatal(err)
	}
	none := func(json.RawMessage) error { return nil }
	if err := c.Do(t.Context(), http.MethodPost, "/trunks/none/test", carrier.Order{}, none); err == nil || !strings.Contains(err.Error(), "there is no trunk none in example.org") {
		t.Error(err)
	}
}

// A trunk that wants proven callers refuses a call without Identity; one that only looks takes it and says what it found. RFC 8224 §6.2.2.
func TestTrunkVerify(t *testing.T) {
	p, s := provide(t), start(t, nil)
	if err := s.Store.AddNumbers(t.Context(), "example.org", "bob", []string{"+4930100"}); err != nil {
		t.Fatal(err)
	}
	for verify, want := range map[string]sip.Status{"require": sip.StatusUseIdentityHeader, "accept": sip.StatusTemporarilyUnavailable} { // bob has no telephone
		lease(t, s, p, func(o *object.Trunk) {
			o.Verify, o.STIRRoots = verify, s.certificates.local.file("ca.pem")
		})
		if report, err := reportOf(t, s, carrier.Order{}); err != nil {
			t.Fatalf("%v\n%s", err, report)
		}
		alice := &phone.Phone{URI: "sip:alice@provider.example", Password: "secret of alice", Outbound: "sip:" + p.Listeners()[0].Addr.String(), Listen: []string{"udp://127.0.0.1:0"},
			Log: slog.New(slog.DiscardHandler)}
		_, err := alice.Dial(t.Context(), "+4930100")
		if status, ok := errors.AsType[sip.Status](err); !ok || status != want {
			t.Errorf("%s: %v, want %d", verify, err, want)
		}
		if err := alice.Close(); err != nil {
			t.Error(err)
		}
	}
	if passed, failed, none := s.trunks.Judged(); passed != 0 || failed != 0 || none != 2 {
		t.Errorf("judged %d, %d, %d", passed, failed, none)
	}
}

// An account that has a number of the trunk's calls by it, and the others by the first.
func TestTrunkCallerNumber(t *testing.T) {
	s := start(t, nil)
	if err := s.Store.AddNumbers(t.Context(), "example.org", "bob", []string{"+4930105"}); err != nil {
		t.Fatal(err)
	}
	lease(t, s, s, func(o *object.Trunk) {
		o.Kind, o.OptionsInterval = object.TrunkAddress, object.Duration(-time.Second)
	})
	for account, want := range map[string]string{"bob": "+4930105", "alice": "+4930100"} {
		from := ""
		for end := time.After(time.Minute); from == ""; { // until the address of the provider is known
			r := s.trunks.Route("example.org", trunk.Call{Number: "+331456", Caller: trunk.Caller{Account: account, Proven: true}}, nil, nil)
			if len(r.Ring) == 1 {
				from = r.Ring[0].From.URI.User
				break
			}
			select {
			case <-end:
				t.Fatal("there is no way out")
			case <-time.After(10 * time.Millisecond):
			}
		}
		if from != want {
			t.Errorf("%s calls as %s, want %s", account, from, want)
		}
	}
}
