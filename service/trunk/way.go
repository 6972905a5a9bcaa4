// The ways by which a call leads out.

package trunk

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/dialog"
)

// Call is one that is to go out.
type Call struct {
	Number string // E.164, or what goes as it is: 110
	Caller Caller
	Urgent bool     // an emergency: no limit of ours keeps it
	Trunks []string // by which it may go, in this order; empty: all of the domain, by priority and weight
	// Identity are the values of that header with which the call has come in, if it was not dialled here: what proves its caller goes on with it.
	Identity []string
	Payer    string // the account on whose minutes it goes, for the record; "": the house
}

// Way is how a call goes out by one trunk.
type Way struct {
	Trunk   string
	Domain  string // of ours, to which the trunk belongs
	Hops    []Hop  // to the provider, the preferred first
	From    sip.Address
	To      sip.Address
	Headers []Header
	Auth    dialog.Authorizer // answers the provider's challenges, and nobody else's
	Kind    session.Kind
	Digits  session.Digits
	Music   *session.Music
	Codecs  []string // only these; empty: all

	line   *line
	urgent bool
}

// Hop is one way to the provider.
type Hop struct {
	Target sip.URI
	Path   []string // becomes the route set
	To     sip.Destination
	Remote netip.Addr // of the provider: where its sound probably comes from
}

// Passed is a trunk that a call does not go by, and why.
type Passed struct {
	Trunk string
	Err   error
}

// errNoAddress is why a trunk is passed over whose server cannot be found.
var errNoAddress = errors.New("the name of its server leads to no address")

// Reasons returns why a trunk may be passed over, for those who translate it.
func Reasons() (all []string) {
	for _, err := range []error{errNoAddress, errUnregistered, errDown, errFull, ErrNoTrunk} {
		all = append(all, err.Error())
	}
	return all
}

// Ways returns the ways out in the order to try, and which trunks were passed over.
func (g *Group) Ways(domain string, c Call) (ways []Way, passed []Passed) {
	var all []candidate
	for _, l := range g.asked(domain, c.Trunks, &passed) {
		err := l.usable()
		if errors.Is(err, errFull) && c.Urgent {
			err = nil
		}
		if err != nil {
			passed = append(passed, Passed{l.set.Name, err})
			continue
		}
		all = append(all, candidate{line: l, priority: l.set.Priority, weight: l.set.Weight})
	}
	if len(c.Trunks) == 0 {
		arrange(all, func(n int) int { return int(g.number(int64(n))) })
	}
	for _, a := range all {
		w, err := a.line.way(c)
		if err != nil {
			passed = append(passed, Passed{a.line.set.Name, err})
			continue
		}
		ways = append(ways, w)
	}
	return ways, passed
}

// asked returns the trunks that are asked for.
func (g *Group) asked(domain string, names []string, passed *[]Passed) (found []*line) {
	if len(names) == 0 {
		return g.all(domain)
	}
	for _, n := range names {
		if l := g.line(domain, n); l != nil {
			found = append(found, l)
		} else {
			*passed = append(*passed, Passed{n, ErrNoTrunk})
		}
	}
	return found
}

func (l *line) way(c Call) (Way, error) {
	s := l.state()
	w := Way{Trunk: l.set.Name, Domain: l.set.Domain, Auth: l.auth, Kind: l.set.Kind, Digits: l.set.Digits, Music: l.set.Music, Codecs: l.set.Codecs, line: l, urgent: c.Urgent}
	w.To = sip.Address{URI: l.set.address(c.Number)}
	w.From, w.Headers = l.set.present(c.Caller)
	hop := Hop{Target: w.To.URI, Path: s.services}
	if s.registration.registered() && !s.flow.IsZero() {
		hop.To, hop.Remote = sip.Destination{Flow: s.flow}, s.flow.Remote.Addr()
		w.Hops = append(w.Hops, hop)
	}
	if len(s.addresses) > 0 {
		hop.Remote = s.addresses[0].Addr()
		for _, uri := range l.set.hops() {
			hop.To = sip.Destination{URI: uri}
			w.Hops = append(w.Hops, hop)
		}
	}
	if len(w.Hops) == 0 {
		return w, errNoAddress
	}
	if l.set.Signer != nil {
		var err error
		if w.Headers, err = l.prove(c, w); err != nil {
			return w, err
		}
	}
	return w, nil
}

// Begin enters the call: false if all lines of the trunk are taken by now. End owes each one that was entered.
func (w Way) Begin() bool {
	if w.urgent {
		w.line.calls.Add(1)
	} else if !w.line.take() {
		return false
	}
	w.line.count.out.Add(1)
	return true
}

// End says how the attempt went, or that the call is over. Silence and 503 make the trunk's health be looked at.
func (w Way) End(status sip.Status) {
	w.line.release()
	switch status {
	case sip.StatusRequestTimeout, sip.StatusServiceUnavailable, sip.StatusFlowFailed:
		w.line.count.failed.Add(1)
		w.line.do(func() { w.line.ask(healthSuspect) })
	}
}

// FailsOver reports whether the next trunk is to be tried after a status: this provider could not, and has said nothing about whom was called. RFC 3261 §21.5.4.
func FailsOver(status sip.Status) bool {
	return slices.Contains([]sip.Status{sip.StatusRequestTimeout, sip.StatusServiceUnavailable, sip.StatusFlowFailed, sip.StatusBadGateway, sip.StatusServerTimeout,
		sip.StatusServerInternalError, sip.StatusUnauthorized, sip.StatusProxyAuthRequired}, status)
}
