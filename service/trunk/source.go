// From which addresses a provider calls: those that its names stand for, looked up again from time to time. RFC 3263 §4.

package trunk

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

const (
	sourceAge    = 5 * time.Minute
	sourceTime   = 10 * time.Second // for one look-up
	maxAddresses = 64
)

// sourcing is what the stripe of a line keeps of the look-ups.
type sourcing struct{ next sip.Timer }

// findSources looks the names up on a goroutine. What one look-up does not find any more is forgotten at once, unless it has failed: a provider does not change its addresses
// because our name server is away.
func (l *line) findSources() {
	uris := append(slices.Clone(l.set.Servers), l.set.hops()...)
	l.group.wait.Add(1)
	go func() {
		defer l.group.wait.Done()
		ctx, cancel := context.WithTimeout(context.Background(), sourceTime)
		defer cancel()
		var found []netip.AddrPort
		var failed error
		for _, uri := range uris {
			addresses, err := l.group.Wire.Resolve(ctx, uri)
			if err != nil {
				failed = err
			}
			for _, a := range addresses {
				if !slices.Contains(found, a) && len(found) < maxAddresses {
					found = append(found, a)
				}
			}
		}
		l.do(func() { l.foundSources(found, failed) })
	}()
}

func (l *line) foundSources(found []netip.AddrPort, failed error) {
	if l.ended != nil {
		return
	}
	age := sourceAge
	if failed != nil {
		for _, old := range l.state().addresses {
			if !slices.Contains(found, old) && len(found) < maxAddresses {
				found = append(found, old)
			}
		}
		age /= 10
	}
	l.change(func(s *state) { s.addresses = found })
	l.auth.allow(found)
	l.source.next = l.after(age, l.findSources)
}
