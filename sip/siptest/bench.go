// The bench: a simulated network with named hosts in a bubble of virtual time.

package siptest

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// Delay is how long a message travels on a bench without faults.
const Delay = 10 * time.Millisecond

// Bench is a network with hosts, and the record of all that went over it. [Run] makes it. It belongs to the goroutine of the test.
type Bench struct {
	T   *testing.T
	Net *network.Sim
	// Report, if set, is called once with what the audit has found, if it has found something, in place of the whole ladder in the log of the test.
	Report func(findings []string)

	start time.Time
	parts []part

	mu    sync.Mutex // guards all below
	names map[netip.Addr]string
	addrs map[string]netip.Addr
	order []string
	raw   map[netip.Addr]bool // what these hosts say is not audited
	wire  []transmission

	streams map[direction]*stream
}

// part is something on the bench that is audited and closed at the end.
type part interface {
	audit() []string // what is left that should not be
	close() []string // stops it, and says what is left then
}

// Watched is a program on a host of the bench that the audit looks at.
type Watched struct {
	Name  string
	Host  *network.SimHost
	Left  func() []string // what it still holds although everything is over, in words; nil: nothing is asked
	Close func()          // stops it; the host must have no port open afterwards
}

// Watch puts a program under the audit.
func (b *Bench) Watch(w Watched) { b.parts = append(b.parts, w) }

func (w Watched) audit() []string {
	if w.Left == nil {
		return nil
	}
	return w.Left()
}

func (w Watched) close() []string {
	if w.Close != nil {
		w.Close()
	}
	return portsLeft(w.Name, w.Host)
}

// portsLeft says which host has a port open.
func portsLeft(name string, h *network.SimHost) []string {
	if n := h.Open(); n > 0 {
		return []string{fmt.Sprintf("%s has %d ports open", name, n)}
	}
	return nil
}

// Run runs f on a new bench in a bubble of virtual time and then audits it: every message on the wire is legal, every dialog is closed, and no
// transaction, timer, port or goroutine is left. Faults of the network may be given; seed makes them repeatable.
func Run(t *testing.T, f func(b *Bench), faults ...Faults) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &Bench{T: t, Net: &network.Sim{}, start: time.Now(), names: make(map[netip.Addr]string),
			addrs: make(map[string]netip.Addr), raw: make(map[netip.Addr]bool), streams: make(map[direction]*stream)}
		b.Net.Observe = b.observe
		b.Net.SetConditions(network.Conditions{Delay: Delay})
		for _, x := range faults {
			b.Net.Seed = x.Seed
			b.Net.SetConditions(x.Conditions())
		}
		defer b.finish()
		f(b)
	})
}

// Faults are what a network does to datagrams.
type Faults struct {
	Seed      uint64
	Loss      float64 // share lost
	Duplicate float64 // share that arrives twice
	Reorder   float64 // share overtaken by later ones
	Jitter    time.Duration
}

// String names the faults for a subtest.
func (f Faults) String() string {
	return fmt.Sprintf("seed %d loss %g duplicate %g reorder %g", f.Seed, f.Loss, f.Duplicate, f.Reorder)
}

// Conditions are the faults as the network knows them.
func (f Faults) Conditions() network.Conditions {
	return network.Conditions{Delay: Delay, Jitter: f.Jitter, Loss: f.Loss, Duplicate: f.Duplicate, Reorder: f.Reorder}
}

// Host adds a host called name. Its address is 192.0.2.1 for the first, and so on to 192.0.2.254, then from 198.18.0.0/15; name.test resolves to it.
func (b *Bench) Host(name string) *network.SimHost {
	b.mu.Lock()
	n := len(b.order) + 1
	b.mu.Unlock()
	addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(n)})
	if n > 254 {
		addr = netip.AddrFrom4([4]byte{198, 18, byte(n >> 8), byte(n)})
	}
	return b.HostAt(name, addr)
}

// HostAt adds a host called name with addresses of the caller's choice, of one family or of both; [Bench.Addr] is the first.
func (b *Bench) HostAt(name string, addrs ...netip.Addr) *network.SimHost {
	b.mu.Lock()
	b.addrs[name] = addrs[0]
	for _, a := range addrs {
		b.names[a] = name
	}
	b.order = append(b.order, name)
	b.mu.Unlock()
	b.Net.Names.AddAddr(name+".test", addrs...)
	return b.Net.Host(addrs...)
}

// Addr returns the address of the host called name; the test fails if there is none.
func (b *Bench) Addr(name string) netip.Addr {
	b.T.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	addr, ok := b.addrs[name]
	if !ok {
		b.T.Fatalf("no host is called %q", name)
	}
	return addr
}

// URI returns the address of record of the host called name: sip:name@192.0.2.1.
func (b *Bench) URI(name string) sip.URI {
	b.T.Helper()
	return sip.URI{Scheme: "sip", User: name, Host: b.Addr(name).String()}
}

// Wait lets virtual time pass and everything come to rest.
func (b *Bench) Wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// Faults changes the faults of the network from now on; the zero Faults are none.
func (b *Bench) Faults(f Faults) { b.Net.SetConditions(f.Conditions()) }

// Note writes a remark into the ladder beside a host.
func (b *Bench) Note(host, text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wire = append(b.wire, transmission{at: time.Since(b.start), from: host, note: text})
}

// Crashed writes into the ladder that a host has crashed: what it has said before does not bind it any more.
func (b *Bench) Crashed(host string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wire = append(b.wire, transmission{at: time.Since(b.start), from: host, note: "crashes", crash: true})
}

// Check fails the test, without stopping it, unless ok.
func (b *Bench) Check(ok bool, format string, args ...any) {
	b.T.Helper()
	if !ok {
		b.T.Errorf(format, args...)
	}
}
