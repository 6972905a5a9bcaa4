// Package carrier leads calls to the rest of the world and takes those that come from there: it feeds the service trunk with the objects of every domain as they change, and stands
// between it and the B2BUA.
//
// [Trunks.Take] is asked about every INVITE before anybody is challenged, [Trunks.Route] says how a call leaves, one trunk after the other, and [Trunks.Test] tries one of them step by
// step. Callers are proven as RFC 8224 §6.2 says where a trunk wants that. It decides neither who may call whom nor where a call goes that came in: that is the dial plan.
package carrier

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
	"github.com/sipwerk/sipwerk/sip/passport"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// Options are what the trunks need of the server.
type Options struct {
	Directory *store.Directory
	Secret    []byte           // see [trunk.Group]
	TLS       *tls.Config      // what is shown and believed where a trunk says nothing else
	Next      sip.EventHandler // takes calls that come in
	Dialogs   *dialog.Table    // for calls of tests, with
	Media     *session.Site
	Voice     session.Voice
	Log       *slog.Logger
	Music     func(setting string) *session.Music // what a setting means; nil: music is that of the site
}

// Trunks are the lines of all domains to the rest of the world. Safe for use by many goroutines.
type Trunks struct {
	Options
	group   *trunk.Group
	stack   *stack.Stack
	fetcher passport.Fetcher
	judging atomic.Int64 // signatures that are looked at
	judged  [3]atomic.Uint64

	mu    sync.Mutex // guards what follows
	known map[string]*known
}

// fault is why a trunk is not in use although it is switched on.
type fault struct {
	trunk string
	err   error
}

// known is what is kept beside the group of the trunks of a domain.
type known struct {
	faults    []fault
	shown     map[string]*tls.Config        // over TLS, by host
	verifiers map[string]*passport.Verifier // by trunk
}

// transportWire is the transport layer as trunks see it.
type transportWire struct{ stack *stack.Stack }

// Resolve implements [trunk.Wire].
func (w transportWire) Resolve(ctx context.Context, server sip.URI) (all []netip.AddrPort, err error) {
	found, err := w.stack.Transport().Resolve(ctx, server)
	for _, t := range found {
		all = append(all, t.Addr)
	}
	return all, err
}

// KeepAlive implements [trunk.Wire].
func (w transportWire) KeepAlive(f sip.Flow) error { return w.stack.Transport().KeepAlive(f) }

// New makes the trunks; nothing is sent before [Trunks.Begin].
func New(o Options) *Trunks {
	t := &Trunks{Options: o, known: make(map[string]*known)}
	t.group = &trunk.Group{Secret: o.Secret, Observer: t}
	return t
}

// Begin lets the trunks follow the objects. The stack listens.
func (t *Trunks) Begin(st *stack.Stack) {
	t.stack, t.group.Engine, t.group.Wire = st, st, transportWire{st}
	t.Directory.Watch(t.update)
}

// Close takes back what is registered and waits for that until ctx ends.
func (t *Trunks) Close(ctx context.Context) {
	if err := t.group.Close(ctx); err != nil {
		t.Log.Warn("some trunks could not be taken back", "err", err)
	}
	t.fetcher.Close()
}

// FlowLost tells the trunks that a connection is gone.
func (t *Trunks) FlowLost(f sip.Flow) { t.group.FlowLost(f) }

// update makes the trunks of a domain what its objects say. One that cannot be used does not keep the others from it.
func (t *Trunks) update(set *object.Settings) {
	var all []trunk.Settings
	k := &known{shown: make(map[string]*tls.Config), verifiers: make(map[string]*passport.Verifier)}
	for _, name := range slices.Sorted(maps.Keys(set.Trunks)) {
		o := set.Trunks[name]
		s, err := t.settings(set, o)
		if err == nil && o.Enabled {
			err = errors.Join(t.show(k, o, &s), t.believe(k, o))
		}
		if err != nil {
			t.Log.Error("a trunk cannot be used", "domain", set.Domain, "trunk", name, "err", err)
			k.faults = append(k.faults, fault{name, err})
			continue
		}
		all = append(all, s)
	}
	t.mu.Lock()
	t.known[set.Domain] = k
	t.mu.Unlock()
	t.group.Set(set.Domain, all)
}

// believe reads whose signatures of callers a trunk believes.
func (t *Trunks) believe(k *known, o *object.Trunk) error {
	if o.Verify == "" {
		return nil
	}
	roots, err := passport.ReadRoots(o.STIRRoots)
	if err != nil {
		return errorAt("stir-roots", err)
	}
	k.verifiers[o.Name] = &passport.Verifier{Roots: roots, Certificates: &t.fetcher}
	return nil
}

// verifier is that of a trunk; without one nobody is believed.
func (t *Trunks) verifier(domain, trunk string) *passport.Verifier {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k := t.known[domain]; k != nil && k.verifiers[trunk] != nil {
		return k.verifiers[trunk]
	}
	return &passport.Verifier{Certificates: &t.fetcher}
}

// show reads the certificate that a trunk shows over TLS, and whom it believes.
func (t *Trunks) show(k *known, o *object.Trunk, s *trunk.Settings) error {
	if o.Certificate == "" && o.CA == "" {
		return nil
	}
	cfg := t.TLS.Clone()
	cfg.GetCertificate = nil
	if o.Certificate != "" {
		pair, err := tls.LoadX509KeyPair(o.Certificate, o.Key)
		if err != nil {
			return errorAt("certificate", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	if o.CA != "" {
		roots, err := passport.ReadRoots(o.CA)
		if err != nil {
			return errorAt("ca", err)
		}
		cfg.RootCAs = roots
	}
	for _, uri := range append(slices.Clone(s.Servers), s.Proxy) {
		if uri.Host != "" {
			k.shown[strings.ToLower(strings.Trim(uri.Host, "[]"))] = cfg
		}
	}
	return nil
}

// ClientTLS is what is shown to a host and believed of it, nil if no trunk says anything of it; see [stack.Stack].
func (t *Trunks) ClientTLS(host string) *tls.Config {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.known {
		if cfg := k.shown[strings.ToLower(host)]; cfg != nil {
			return cfg
		}
	}
	return nil
}

// Any reports whether a domain has a trunk that is switched on.
func (t *Trunks) Any(domain string) bool { return t.group.Any(domain) }

// ObserveTrunk implements [trunk.Observer].
func (t *Trunks) ObserveTrunk(e trunk.Event) {
	who := []any{"domain", e.Domain, "trunk", e.Trunk}
	if e.Status != 0 {
		who = append(who, "status", int(e.Status))
	}
	if e.Err != nil {
		who = append(who, "err", e.Err)
	}
	if e.Again > 0 {
		who = append(who, "again", e.Again)
	}
	switch e.What {
	case trunk.RegistrationFailed, trunk.Unreachable, trunk.Full, trunk.Unregistered:
		t.Log.Warn("trunk "+e.What.String(), who...)
	default:
		t.Log.Info("trunk "+e.What.String(), who...)
	}
}
