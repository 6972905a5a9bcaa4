// Names of the simulated network.

package network

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// Zone is a table of names that answers like DNS. The zero value is empty. Names compare without case and without the dot at the end.
type Zone struct {
	Delay time.Duration // how long each look-up takes

	mu    sync.Mutex
	naptr map[string][]NAPTR
	srv   map[string][]SRV
	addr  map[string][]netip.Addr
	fail  map[string]error
}

func canonicalName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }

func add[T any](z *Zone, table *map[string][]T, name string, records []T) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if *table == nil {
		*table = make(map[string][]T)
	}
	(*table)[canonicalName(name)] = append((*table)[canonicalName(name)], records...)
}

// AddNAPTR adds NAPTR records.
func (z *Zone) AddNAPTR(name string, records ...NAPTR) { add(z, &z.naptr, name, records) }

// AddSRV adds SRV records.
func (z *Zone) AddSRV(name string, records ...SRV) { add(z, &z.srv, name, records) }

// AddAddr adds addresses to a host.
func (z *Zone) AddAddr(host string, addrs ...netip.Addr) { add(z, &z.addr, host, addrs) }

// Fail makes every look-up of name fail with err, or succeed again if err is nil.
func (z *Zone) Fail(name string, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.fail == nil {
		z.fail = make(map[string]error)
	}
	z.fail[canonicalName(name)] = err
}

func lookup[T any](ctx context.Context, z *Zone, table *map[string][]T, name string) ([]T, error) {
	if z.Delay > 0 {
		select {
		case <-time.After(z.Delay):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	name = canonicalName(name)
	if err := z.fail[name]; err != nil {
		return nil, err
	}
	return slices.Clone((*table)[name]), ctx.Err()
}

// LookupNAPTR implements [Resolver].
func (z *Zone) LookupNAPTR(ctx context.Context, name string) ([]NAPTR, error) {
	return lookup(ctx, z, &z.naptr, name)
}

// LookupSRV implements [Resolver].
func (z *Zone) LookupSRV(ctx context.Context, name string) ([]SRV, error) {
	return lookup(ctx, z, &z.srv, name)
}

// LookupAddr implements [Resolver].
func (z *Zone) LookupAddr(ctx context.Context, host string) ([]netip.Addr, error) {
	return lookup(ctx, z, &z.addr, host)
}
