// How trunks are, for people and for figures.

package trunk

import (
	"net/netip"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Status is how a trunk is.
type Status struct {
	Domain, Trunk string
	Registers     bool
	Registered    bool
	Until         time.Time  // the end of the binding
	Health        string     // unknown, up, shaky, down; "": never asked
	Usable        bool       // a call could go out now
	Problem       string     // why not, or what was answered last
	Status        sip.Status // of the last answer that mattered; 0: none
	Err           error
	Since         time.Time // of the last change
	Calls         int
	MaxCalls      int
	Addresses     []netip.AddrPort // of the provider
	Counts        Counts
}

// Counts are figures of a trunk since it began.
type Counts struct {
	Out    uint64 // calls tried outwards
	In     uint64 // calls taken
	Failed uint64 // of Out, those that the provider did not answer
	Full   uint64 // calls that found all lines taken
}

// Status returns how the trunks of a domain are, in the order of their names; of all domains if it is "".
func (g *Group) Status(domain string) []Status {
	var all []Status
	for _, l := range g.all(domain) {
		all = append(all, l.status())
	}
	return all
}

func (l *line) status() Status {
	s := l.state()
	st := Status{Domain: l.set.Domain, Trunk: l.set.Name, Registers: l.set.Register, Registered: s.registration.registered(), Until: s.until, Health: s.health.String(),
		Since: s.since, Status: s.status, Err: s.err, Calls: int(l.calls.Load()), MaxCalls: l.set.MaxCalls, Addresses: s.addresses,
		Counts: Counts{Out: l.count.out.Load(), In: l.count.in.Load(), Failed: l.count.failed.Load(), Full: l.count.full.Load()}}
	if l.set.interval() < 0 {
		st.Health = ""
	}
	err := l.usable()
	st.Usable = err == nil
	switch {
	case err != nil && s.err != nil:
		st.Problem = err.Error() + ": " + s.err.Error()
	case err != nil && s.status >= 300:
		st.Problem = err.Error() + ": " + s.status.Error()
	case err != nil:
		st.Problem = err.Error()
	case s.err != nil:
		st.Problem = s.err.Error()
	}
	return st
}
