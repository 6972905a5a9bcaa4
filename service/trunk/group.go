// All trunks of a server: who asks for what, and changes while it runs.

package trunk

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sipwerk/sipwerk/sip"
)

// Wire is what trunks ask of the transport layer.
type Wire interface {
	// Resolve returns the addresses of a server in the order to try, by RFC 3263. It may block.
	Resolve(ctx context.Context, server sip.URI) ([]netip.AddrPort, error)
	// KeepAlive sends what keeps a NAT on the way open over f.
	KeepAlive(f sip.Flow) error
}

// Observer is told what happens to trunks. It must not block.
type Observer interface{ ObserveTrunk(e Event) }

// Event is a change of a trunk.
type Event struct {
	Domain, Trunk string
	What          What
	Status        sip.Status    // of the answer that caused it; 0: there was none
	Err           error         // why
	Again         time.Duration // until the next attempt
}

// What has happened to a trunk.
type What uint8

// The events.
const (
	Registered What = iota + 1
	Unregistered
	RegistrationFailed
	Reachable
	Unreachable
	Full // a call found all its lines taken
)

// String gives the words for a log.
func (w What) String() string {
	return [...]string{"", "registered", "unregistered", "registration failed", "reachable", "unreachable", "all lines taken"}[w]
}

// Group keeps the trunks. Fill the exported fields before the first Set; Set, Ways, Recognise and the others may then be called from anywhere.
type Group struct {
	Engine   sip.Engine
	Wire     Wire
	Secret   []byte     // gives each trunk an instance and a Contact that stay through a restart, and that nobody else knows
	Random   *rand.Rand // nil: the runtime's randomness; a seeded one is for tests on one goroutine
	Observer Observer   // nil: nobody is told

	mu     sync.Mutex // guards lines
	lines  map[name]*line
	wait   sync.WaitGroup // for lines that are leaving, and look-ups under way
	chance sync.Mutex     // held while Random is used
}

// name is that of a trunk.
type name struct{ domain, trunk string }

// Set makes the trunks of a domain those of all: new ones begin, others end, and one whose settings differ begins anew. The settings have passed [Settings.Check]. Calls under way
// go on.
func (g *Group) Set(domain string, all []Settings) {
	for _, change := range g.plan(domain, all) {
		change()
	}
}

// plan exchanges the lines and returns what is to be done about that.
func (g *Group) plan(domain string, all []Settings) (changes []func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lines == nil {
		g.lines = make(map[name]*line)
	}
	wanted := make(map[name]bool)
	for i := range all {
		s := &all[i]
		n := name{domain, s.Name}
		if s.Disabled {
			continue
		}
		wanted[n] = true
		old := g.lines[n]
		if old != nil && reflect.DeepEqual(*old.set, *s) {
			continue
		}
		l := g.newLine(s)
		g.lines[n] = l
		changes = append(changes, func() { g.exchange(old, l) })
	}
	for n, l := range g.lines {
		if n.domain == domain && !wanted[n] {
			delete(g.lines, n)
			changes = append(changes, func() { g.end(l, func() {}) })
		}
	}
	return changes
}

// exchange lets l begin in the place of old, if there is one. A provider that knows both by one address-of-record and one Contact need not be told that the first has ended.
func (g *Group) exchange(old, l *line) {
	switch {
	case old == nil:
		l.do(l.begin)
	case old.set.sameRecord(l.set):
		l.calls.Add(old.calls.Load())
		old.do(func() {
			old.drop()
			l.do(l.begin)
		})
	default:
		l.calls.Add(old.calls.Load())
		g.end(old, func() { l.do(l.begin) })
	}
}

// end takes a line back, and calls then when the provider has been told.
func (g *Group) end(l *line, then func()) {
	g.wait.Add(1)
	l.do(func() {
		l.end(func() {
			then()
			g.wait.Done()
		})
	})
}

// Close takes all trunks back and waits until the providers have been told, or ctx ends.
func (g *Group) Close(ctx context.Context) error {
	for _, l := range g.clear() {
		g.end(l, func() {})
	}
	done := make(chan struct{})
	go func() {
		g.wait.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// clear forgets all trunks and returns them.
func (g *Group) clear() []*line {
	all := g.all("")
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(g.lines)
	return all
}

// line returns a trunk, nil if there is none of that name.
func (g *Group) line(domain, trunk string) *line {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lines[name{domain, trunk}]
}

// all returns the trunks of a domain, of all domains if it is "", in the order of their names.
func (g *Group) all(domain string) []*line {
	g.mu.Lock()
	defer g.mu.Unlock()
	found := slices.DeleteFunc(slices.Collect(maps.Values(g.lines)), func(l *line) bool { return domain != "" && l.set.Domain != domain })
	slices.SortFunc(found, func(a, b *line) int {
		return cmp.Or(cmp.Compare(a.set.Domain, b.set.Domain), cmp.Compare(a.set.Name, b.set.Name))
	})
	return found
}

// Any reports whether a domain has a trunk that is switched on.
func (g *Group) Any(domain string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	for n := range g.lines {
		if n.domain == domain {
			return true
		}
	}
	return false
}

// FlowLost tells those who depend on a connection that it is gone.
func (g *Group) FlowLost(f sip.Flow) {
	for _, l := range g.all("") {
		if f.ID != 0 && l.state().flow.ID == f.ID {
			l.do(func() { l.register(regFlowLost) })
		}
	}
}

// token is a text that belongs to a trunk and that nobody can guess.
func (g *Group) token(purpose string, n name) string {
	mac := hmac.New(sha256.New, g.Secret)
	mac.Write([]byte(strings.Join([]string{purpose, n.domain, n.trunk}, "\x00")))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// draw returns a random duration below d.
func (g *Group) draw(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(g.number(int64(d)))
}

// number returns a random number below n.
func (g *Group) number(n int64) int64 {
	if g.Random == nil {
		return rand.Int64N(n)
	}
	g.chance.Lock()
	defer g.chance.Unlock()
	return g.Random.Int64N(n)
}

func (g *Group) tell(e Event) {
	if g.Observer != nil {
		g.Observer.ObserveTrunk(e)
	}
}
