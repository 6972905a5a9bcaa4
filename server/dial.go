// The dial plans in force: one a domain, compiled when its objects change. A call keeps the plan with which it began.

package server

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/dialplan"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/overload"
)

// errNoMailbox says that an account has no voicemail.
var errNoMailbox = errors.New("the account has no voicemail")

// exits lead calls to the telephone network; the trunks of package carrier do.
type exits interface {
	// Any reports whether a domain has a trunk.
	Any(domain string) bool
	// Route makes the route of a call to the outside. Gates are asked beside those of the trunk; then says what follows when no trunk leads to anybody.
	Route(domain string, c trunk.Call, gates []b2bua.Gate, then func(b2bua.Outcome) b2bua.Route) b2bua.Route
}

// dialer decides where calls go.
type dialer struct {
	directory *store.Directory
	features  dial.Features
	exits     exits // nil: no way leads outside
	turns     *pbx.Turns
	hook      *dial.Webhook
	meter     *dial.Meter
	refusals  *dial.Refusals
	log       *slog.Logger

	mu    sync.Mutex                                // held while plans is exchanged
	plans atomic.Pointer[map[string]*dialplan.Plan] // by domain
}

// openDial makes the dialer and lets it follow the objects.
func (s *Server) openDial() error {
	refusals := &dial.Refusals{Log: s.log}
	d := &dialer{directory: s.directory, features: setup.Features(), turns: s.turns, hook: dial.NewWebhook(s.directory.Reveal), meter: dial.NewMeter(refusals), refusals: refusals, log: s.log}
	d.meter.Warning = warning
	s.directory.Watch(d.update)
	if err := d.meter.Open(filepath.Join(s.Config.Data, "minutes")); err != nil {
		return s.dataError(err)
	}
	s.dial = d
	return nil
}

// warning is what both sides hear when the minutes of who pays are about to end: three short tones.
func warning(rate int) (audio.Source, error) {
	tone := append(beep(rate), make([]int16, rate/10)...)
	return &audio.Samples{PCM: slices.Repeat(tone, 3)}, nil
}

// newRouter makes the router that asks the dialer.
func (s *Server) newRouter(ds *domains) *router {
	return &router{
		domains: ds, registrar: s.registrar, features: s.features, conferences: s.conferences, queues: s.queues, park: s.park, dial: s.dial, inside: s.inside,
		codes: &dial.Desk{Change: s.changeAccount, Target: s.dial.judge, State: func(domain, user string) *object.Account {
			a, _ := s.directory.Settings(domain).Account(user)
			return a
		}},
		night: s.switchHours(),
	}
}

// open reports whether hours are open now.
func (d *dialer) open(domain, hours string) bool {
	p := d.plan(domain)
	return p == nil || p.Open(hours, time.Now())
}

// openByTimes reports whether hours would be open now if nobody had opened or closed them by hand.
func (d *dialer) openByTimes(domain, hours string) bool {
	p := d.plan(domain)
	return p == nil || p.OpenByTimes(hours, time.Now())
}

// update compiles the plan of a domain. One that cannot be used never gets here: it is checked before it is stored. If it does all the same, the plan before stays in force.
func (d *dialer) update(set *object.Settings) {
	p, err := dial.Compile(set, &dial.House{Set: set, Accounts: d.directory, Features: d.features, Carries: d.carries})
	if err != nil {
		d.log.Error("the dial plan cannot be used; the one before stays in force", "domain", set.Domain, "err", err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	all := make(map[string]*dialplan.Plan)
	if plans := d.plans.Load(); plans != nil {
		maps.Copy(all, *plans)
	}
	all[set.Domain] = p
	d.meter.Zone(set.Domain, p.Zone())
	d.plans.Store(&all)
}

// urgent reports whether a request calls for help: it is let in however much there is to do.
func (d *dialer) urgent(ds *domains, method sip.Method, uri sip.URI) bool {
	if overload.Emergency(uri) {
		return true
	}
	if method != sip.MethodInvite {
		return false
	}
	home := ds.of(uri)
	if home == nil {
		return false
	}
	p := d.plan(home.name)
	return p != nil && p.Emergency(dialled(uri))
}

// plan is that of a domain; nil if there never was one that could be used.
func (d *dialer) plan(domain string) *dialplan.Plan {
	if plans := d.plans.Load(); plans != nil {
		if p := (*plans)[domain]; p != nil {
			return p
		}
	}
	d.update(d.directory.Settings(domain)) // a domain that has only just been made
	if plans := d.plans.Load(); plans != nil {
		return (*plans)[domain]
	}
	return nil
}

func (d *dialer) carries(domain string) bool { return d.exits != nil && d.exits.Any(domain) }

// turns says in which order the members of a group ring, whom the PBX knows by their addresses.
type turns struct {
	turns  *pbx.Turns
	domain *domain
}

// Order implements [dialplan.Turns].
func (t turns) Order(group string, s dialplan.Strategy, members []string) []string {
	uri := t.domain.uri(group)
	names, of := make([]string, len(members)), make(map[string]string)
	for i, m := range members {
		names[i] = m
		if account, ok := t.domain.directory.Account(t.domain.name, m); ok {
			aor := t.domain.uri(account)
			names[i] = aor.AOR()
		}
		of[names[i]] = m
	}
	var order []string
	for _, wave := range t.turns.Order(uri.AOR(), pbx.Strategy(s), names, nil) {
		for _, name := range wave {
			order = append(order, of[name])
		}
	}
	return order
}

// judge says why an account may not forward its calls to a target; nil if it may.
func (d *dialer) judge(domain, user, to string) error {
	if to == string(dialplan.KindMailbox) {
		if _, ok := d.directory.Settings(domain).Mailboxes[user]; !ok {
			return errNoMailbox
		}
		return nil
	}
	decision := d.plan(domain).Decide(dialplan.Call{Caller: dialplan.Caller{Account: user}, Dialled: to, At: time.Now(), How: dialplan.Deflected})
	if decision.Action == dialplan.Refuse {
		return decision.Refusal.Status
	}
	return nil
}

// changeAccount changes the settings of an account: on the disk and in force when it returns.
func (s *Server) changeAccount(ctx context.Context, domain, user string, f func(*object.Account) error) error {
	if err := s.Store.ChangeAccount(ctx, domain, user, f); err != nil {
		return err
	}
	return s.Refresh(ctx)
}
