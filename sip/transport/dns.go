// The resolver of the real network: hosts file, the system's name servers, a small cache. RFC 1035, RFC 2308, RFC 3263 §4.

package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"

	"github.com/sipwerk/sipwerk/network"
)

// DNS is a network.Resolver that asks name servers. The zero value uses the system's.
type DNS struct {
	Servers []netip.AddrPort // name servers, asked in order; nil: those of /etc/resolv.conf
	Hosts   string           // the hosts file; "": /etc/hosts
	Timeout time.Duration    // of one question to one server; 0: 2 s

	mu     sync.Mutex // guards all below
	cache  map[cacheKey]cached
	system systemConfig
}

type cacheKey struct {
	name string
	kind uint16
}

type cached struct {
	records []dns.RR
	until   time.Time
}

// systemConfig is what the system's files say; it is read again when it is old.
type systemConfig struct {
	read    time.Time
	servers []string
	hosts   map[string][]netip.Addr
}

const (
	cacheSize  = 4096
	cacheFloor = 5 * time.Second  // a shorter TTL would ask for each call
	cacheLimit = 10 * time.Minute // a longer one would outlive a fail-over
	cacheNone  = 30 * time.Second // for a name that is not there
	systemAge  = 10 * time.Second
	maxAnswers = 32
)

// LookupNAPTR implements network.Resolver.
func (d *DNS) LookupNAPTR(ctx context.Context, name string) ([]network.NAPTR, error) {
	records, err := d.lookup(ctx, name, dns.TypeNAPTR)
	var found []network.NAPTR
	for _, rr := range records {
		if r, ok := rr.(*dns.NAPTR); ok {
			found = append(found, network.NAPTR{Order: r.Order, Preference: r.Preference, Flags: r.Flags, Service: r.Service,
				Regexp: r.Regexp, Replacement: strings.TrimSuffix(r.Replacement, ".")})
		}
	}
	return found, err
}

// LookupSRV implements network.Resolver.
func (d *DNS) LookupSRV(ctx context.Context, name string) ([]network.SRV, error) {
	records, err := d.lookup(ctx, name, dns.TypeSRV)
	var found []network.SRV
	for _, rr := range records {
		if r, ok := rr.(*dns.SRV); ok {
			target := r.Target
			if target != "." {
				target = strings.TrimSuffix(target, ".")
			}
			found = append(found, network.SRV{Priority: r.Priority, Weight: r.Weight, Port: r.Port, Target: target})
		}
	}
	return found, err
}

// LookupAddr implements network.Resolver: the hosts file first, then A and AAAA together. One of the two is enough.
func (d *DNS) LookupAddr(ctx context.Context, host string) ([]netip.Addr, error) {
	if addrs := d.config().hosts[strings.ToLower(strings.TrimSuffix(host, "."))]; len(addrs) > 0 {
		return addrs, nil
	}
	var six []dns.RR
	var errSix error
	done := make(chan struct{})
	go func() {
		defer close(done)
		six, errSix = d.lookup(ctx, host, dns.TypeAAAA)
	}()
	records, err := d.lookup(ctx, host, dns.TypeA)
	<-done
	var addrs []netip.Addr
	for _, rr := range append(records[:len(records):len(records)], six...) {
		var ip net.IP
		switch r := rr.(type) {
		case *dns.A:
			ip = r.A
		case *dns.AAAA:
			ip = r.AAAA
		}
		if a, ok := netip.AddrFromSlice(ip); ok {
			addrs = append(addrs, a.Unmap())
		}
	}
	if len(addrs) > 0 {
		return addrs, nil
	}
	return nil, errors.Join(err, errSix)
}

// lookup answers from the cache or asks the servers.
func (d *DNS) lookup(ctx context.Context, name string, kind uint16) ([]dns.RR, error) {
	key := cacheKey{dns.CanonicalName(name), kind}
	d.mu.Lock()
	c, ok := d.cache[key]
	d.mu.Unlock()
	if ok && time.Now().Before(c.until) {
		return c.records, nil
	}
	reply, err := d.ask(ctx, key)
	if err != nil {
		return nil, err
	}
	records := reply.Answer[:min(len(reply.Answer), maxAnswers)]
	d.keep(key, records, lifetime(reply))
	return records, nil
}

// lifetime is how long an answer may be kept: its shortest TTL, or for nothing the minimum of the SOA. RFC 2308 §5.
func lifetime(reply *dns.Msg) time.Duration {
	ttl := cacheLimit
	for _, rr := range reply.Answer {
		ttl = min(ttl, time.Duration(rr.Header().Ttl)*time.Second)
	}
	if len(reply.Answer) == 0 {
		ttl = cacheNone
		for _, rr := range reply.Ns {
			if soa, ok := rr.(*dns.SOA); ok {
				ttl = min(ttl, time.Duration(min(soa.Minttl, soa.Hdr.Ttl))*time.Second)
			}
		}
	}
	return max(ttl, cacheFloor)
}

// keep caches an answer. A full cache drops what has run out, and if nothing has, an arbitrary quarter.
func (d *DNS) keep(key cacheKey, records []dns.RR, ttl time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if len(d.cache) >= cacheSize {
		for k, c := range d.cache {
			if now.After(c.until) {
				delete(d.cache, k)
			}
		}
		for k := range d.cache {
			if len(d.cache) <= cacheSize*3/4 {
				break
			}
			delete(d.cache, k)
		}
	}
	if d.cache == nil {
		d.cache = make(map[cacheKey]cached)
	}
	d.cache[key] = cached{records, now.Add(ttl)}
}

// ask puts a question to the servers in turn until one answers.
func (d *DNS) ask(ctx context.Context, key cacheKey) (*dns.Msg, error) {
	question := new(dns.Msg).SetQuestion(key.name, key.kind)
	question.SetEdns0(1232, false)
	err := fmt.Errorf("transport: no name server for %s", key.name)
	for _, server := range d.servers() {
		var reply *dns.Msg
		reply, err = d.exchange(ctx, question, server)
		if err != nil {
			continue
		}
		switch reply.Rcode {
		case dns.RcodeSuccess, dns.RcodeNameError:
			return reply, nil
		}
		err = fmt.Errorf("transport: look up %s %s: %s says %s", key.name, dns.TypeToString[key.kind], server, dns.RcodeToString[reply.Rcode])
	}
	return nil, err
}

// exchange asks one server over UDP, and over TCP if the answer was cut.
func (d *DNS) exchange(ctx context.Context, question *dns.Msg, server string) (*dns.Msg, error) {
	timeout := d.Timeout
	if timeout == 0 {
		timeout = 2 * time.Second
	}
	client := dns.Client{Timeout: timeout}
	reply, _, err := client.ExchangeContext(ctx, question, server)
	if err == nil && reply.Truncated {
		client.Net = "tcp"
		reply, _, err = client.ExchangeContext(ctx, question, server)
	}
	return reply, err
}

func (d *DNS) servers() []string {
	if len(d.Servers) == 0 {
		return d.config().servers
	}
	servers := make([]string, len(d.Servers))
	for i, s := range d.Servers {
		servers[i] = s.String()
	}
	return servers
}

// config returns what the system's files say now.
func (d *DNS) config() systemConfig {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.system.read.IsZero() || time.Since(d.system.read) > systemAge {
		hosts := d.Hosts
		if hosts == "" {
			hosts = "/etc/hosts"
		}
		d.system = systemConfig{read: time.Now(), hosts: readHosts(hosts)}
		if conf, err := dns.ClientConfigFromFile("/etc/resolv.conf"); err == nil {
			for _, s := range conf.Servers {
				d.system.servers = append(d.system.servers, net.JoinHostPort(s, conf.Port))
			}
		}
	}
	return d.system
}

// readHosts reads a hosts file; what cannot be read names nobody.
func readHosts(path string) map[string][]netip.Addr {
	hosts := make(map[string][]netip.Addr)
	f, err := os.Open(path)
	if err != nil {
		return hosts
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		a, err := netip.ParseAddr(fields[0])
		if err != nil {
			continue
		}
		for _, name := range fields[1:] {
			name = strings.ToLower(strings.TrimSuffix(name, "."))
			hosts[name] = append(hosts[name], a.Unmap())
		}
	}
	return hosts
}
