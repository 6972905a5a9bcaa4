// Where a request goes: transport, address and port of a URI, and what to try next. RFC 3263 §4; RFC 7118 §5; RFC 3261 §18.1.1.

package transport

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// Target is one place to try: the outcome of RFC 3263.
type Target struct {
	Transport sip.Transport
	Addr      netip.AddrPort
	Host      string // the name to check a certificate against (RFC 5922), and SNI
}

// Bounds on what one look-up may make us do.
const (
	maxServices = 8
	maxTargets  = 16
)

// service is a transport with the name of its SRV records.
type service struct {
	transport sip.Transport
	name      string
}

// Resolve finds the targets of uri in the order to try; those that failed a short while ago come last. It may block on DNS; a
// numeric host does not. An error wraps sip.ErrNoRoute. RFC 3263 §4.
func (l *Layer) Resolve(ctx context.Context, uri sip.URI) ([]Target, error) {
	l.begin()
	q, err := l.question(uri)
	if err != nil {
		return nil, err
	}
	targets, err := l.answer(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("transport: resolve %s: %w: %w", q.name, sip.ErrNoRoute, err)
	}
	targets = slices.DeleteFunc(targets, func(t Target) bool { return !l.reachable(t) })
	if len(targets) == 0 {
		return nil, fmt.Errorf("transport: resolve %s: %w", q.name, sip.ErrNoRoute)
	}
	if len(targets) > maxTargets {
		targets = targets[:maxTargets]
	}
	l.failures.moveBehind(targets)
	return targets, nil
}

// question is what a URI asks for.
type question struct {
	name      string // maddr, or the host
	host      string // of the URI: what a certificate must name
	port      uint16 // 0: none written
	transport sip.Transport
	secure    bool // sips
}

// question reads the URI; the targets made of it outlive the message that the URI may share its memory with. RFC 3263 §4: maddr takes the place of the host.
func (l *Layer) question(uri sip.URI) (question, error) {
	q := question{name: strings.Clone(strings.Trim(uri.Host, "[]")), port: uri.Port, secure: uri.Scheme == "sips"}
	q.host = q.name
	if maddr := uri.Params.Get("maddr"); maddr != "" {
		q.name = strings.Clone(strings.Trim(maddr, "[]"))
	}
	if !uri.IsSIP() || q.name == "" {
		return q, fmt.Errorf("transport: resolve %s URI: %w", uri.Scheme, sip.ErrNoRoute)
	}
	named := uri.Transport()
	q.transport = sip.ParseTransport(named)
	switch {
	case named != "" && q.transport == sip.TransportNone:
		return q, fmt.Errorf("transport: resolve transport %q: %w", named, sip.ErrNoRoute)
	case !q.secure:
	case q.transport == sip.UDP:
		// RFC 3261 §26.2.2: sips is never sent in the clear, and there is no TLS over datagrams.
		return q, fmt.Errorf("transport: resolve sips URI over UDP: %w", sip.ErrNoRoute)
	case q.transport == sip.TCP:
		q.transport = sip.TLS
	case q.transport == sip.WS:
		q.transport = sip.WSS
	}
	return q, nil
}

// plain is the transport where neither the URI nor DNS names one. RFC 3263 §4.1.
func (l *Layer) plain(q question) sip.Transport {
	switch {
	case q.transport != sip.TransportNone:
		return q.transport
	case q.secure:
		return sip.TLS
	case l.listens(sip.UDP):
		return sip.UDP
	}
	return sip.TCP
}

func (l *Layer) listens(t sip.Transport) bool {
	return slices.ContainsFunc(*l.listeners.Load(), func(ln *listener) bool { return ln.transport == t })
}

// answer follows RFC 3263 §4.1 and §4.2.
func (l *Layer) answer(ctx context.Context, q question) ([]Target, error) {
	port := q.port
	if port == 0 {
		port = defaultPort(l.plain(q))
	}
	if a, err := netip.ParseAddr(q.name); err == nil {
		return []Target{{Transport: l.plain(q), Addr: netip.AddrPortFrom(a.Unmap(), port), Host: q.host}}, nil
	}
	if q.port == 0 {
		targets, err := l.services(ctx, q)
		if len(targets) > 0 || err != nil {
			return targets, err
		}
	}
	return l.addresses(ctx, Target{Transport: l.plain(q), Host: q.host}, network.SRV{Target: q.name, Port: port})
}

// services finds targets through NAPTR and SRV.
func (l *Layer) services(ctx context.Context, q question) ([]Target, error) {
	var targets []Target
	var failed error
	for _, c := range l.candidates(ctx, q) {
		records, err := l.Resolver.LookupSRV(ctx, c.name)
		if err != nil {
			failed = err
			continue
		}
		if len(records) == 1 && records[0].Target == "." {
			continue // RFC 2782: decidedly not available here
		}
		for _, r := range l.order(records) {
			found, err := l.addresses(ctx, Target{Transport: c.transport, Host: q.host}, r)
			if err != nil {
				failed = err
			}
			if targets = append(targets, found...); len(targets) >= maxTargets {
				return targets, nil
			}
		}
	}
	if len(targets) > 0 {
		return targets, nil
	}
	return nil, failed
}

// candidates lists the services to look up, best first: what NAPTR says, otherwise every transport we have. RFC 3263 §4.1.
func (l *Layer) candidates(ctx context.Context, q question) []service {
	if q.transport != sip.TransportNone {
		return []service{{q.transport, servicePrefix(q.transport) + q.name}}
	}
	// Some resolvers of routers at home refuse every NAPTR: a failure counts as no record, and SRV decides.
	records, _ := l.Resolver.LookupNAPTR(ctx, q.name)
	slices.SortStableFunc(records, func(a, b network.NAPTR) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Preference, b.Preference))
	})
	var found []service
	for _, r := range records {
		t := naptrTransport(r.Service)
		if strings.EqualFold(r.Flags, "s") && r.Replacement != "" && l.speaks(t, q.secure) && len(found) < maxServices {
			found = append(found, service{t, r.Replacement})
		}
	}
	if len(found) > 0 {
		return found
	}
	for _, t := range [...]sip.Transport{sip.UDP, sip.TCP, sip.TLS} {
		if l.speaks(t, q.secure) {
			found = append(found, service{t, servicePrefix(t) + q.name})
		}
	}
	return found
}

// speaks reports whether we can send over t, and may: sips wants a secure one. Datagrams need a socket of a listener.
func (l *Layer) speaks(t sip.Transport, secure bool) bool {
	if t == sip.TransportNone || secure && !t.Secure() {
		return false
	}
	return t != sip.UDP || l.listens(sip.UDP)
}

// naptrTransport reads a NAPTR service. RFC 3263 §4.1, RFC 7118 §5.2.
func naptrTransport(s string) sip.Transport {
	switch strings.ToUpper(s) {
	case "SIP+D2U":
		return sip.UDP
	case "SIP+D2T":
		return sip.TCP
	case "SIPS+D2T":
		return sip.TLS
	case "SIP+D2W":
		return sip.WS
	case "SIPS+D2W":
		return sip.WSS
	}
	return sip.TransportNone
}

func servicePrefix(t sip.Transport) string {
	return [...]string{"", "_sip._udp.", "_sip._tcp.", "_sips._tcp.", "_sip._ws.", "_sips._ws."}[t]
}

// addresses completes target with the addresses of a host.
func (l *Layer) addresses(ctx context.Context, target Target, at network.SRV) ([]Target, error) {
	addrs, err := l.Resolver.LookupAddr(ctx, at.Target)
	targets := make([]Target, 0, len(addrs))
	for _, a := range addrs {
		target.Addr = netip.AddrPortFrom(a.Unmap(), at.Port)
		targets = append(targets, target)
	}
	return targets, err
}

// reachable reports whether this host has a way to t, and for UDP a socket of its family.
func (l *Layer) reachable(t Target) bool {
	if !l.routes.local(l.Network, t.Addr.Addr()).IsValid() {
		return false
	}
	_, ok := l.datagramFlow(t.Addr)
	return ok || t.Transport != sip.UDP
}

// order sorts SRV records by priority, and those of one priority by chance in proportion to their weights. RFC 2782.
func (l *Layer) order(records []network.SRV) []network.SRV {
	records = slices.Clone(records)
	// Weight 0 first: it is then chosen only by a draw of 0.
	slices.SortStableFunc(records, func(a, b network.SRV) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(min(a.Weight, 1), min(b.Weight, 1)))
	})
	for start := 0; start < len(records); {
		end := start + 1
		for end < len(records) && records[end].Priority == records[start].Priority {
			end++
		}
		l.shuffle(records[start:end])
		start = end
	}
	return records
}

// shuffle draws one record after the other.
func (l *Layer) shuffle(records []network.SRV) {
	for ; len(records) > 1; records = records[1:] {
		sum := 0
		for _, r := range records {
			sum += int(r.Weight)
		}
		draw, running := l.draw(sum+1), 0
		for i, r := range records {
			if running += int(r.Weight); running >= draw {
				copy(records[1:], records[:i]) // keep the order of those not drawn
				records[0] = r
				break
			}
		}
	}
}

// draw returns a random number below n.
func (l *Layer) draw(n int) int {
	if l.Random == nil {
		return rand.IntN(n)
	}
	l.failures.mu.Lock()
	defer l.failures.mu.Unlock()
	return l.Random.IntN(n)
}

// Failed notes that t did not answer: [Layer.Resolve] lists it last for a while. The owner of a transaction calls it; [Layer.Connect] does so by itself.
func (l *Layer) Failed(t Target) {
	l.begin()
	l.failures.add(t.key())
}

// failureList remembers what failed lately. When it is full, what is old goes, and if nothing is, all.
type failureList struct {
	mu sync.Mutex // also guards Layer.Random
	at map[Target]time.Time
}

const (
	failureSize = 1024
	failureAge  = time.Minute
)

func (f *failureList) add(t Target) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.at) >= failureSize {
		for old, at := range f.at {
			if time.Since(at) > failureAge {
				delete(f.at, old)
			}
		}
	}
	if f.at == nil || len(f.at) >= failureSize {
		f.at = make(map[Target]time.Time)
	}
	f.at[t] = time.Now()
}

// moveBehind puts targets that failed lately behind the others; among each other both keep their order.
func (f *failureList) moveBehind(targets []Target) {
	f.mu.Lock()
	defer f.mu.Unlock()
	failed := func(t Target) int {
		if at, ok := f.at[t.key()]; ok && time.Since(at) <= failureAge {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(targets, func(a, b Target) int { return failed(a) - failed(b) })
}
