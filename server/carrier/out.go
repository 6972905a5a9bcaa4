// Calls that leave the house: one trunk after the other, until one has a word to say about who is called. RFC 3261 §21.5.4.

package carrier

import (
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/service/b2bua"
	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
)

// Route is the way of a call to the outside; gates are asked beside the trunk's own. then says what follows when the number was reached and nobody answered, or no trunk could.
func (t *Trunks) Route(domain string, c trunk.Call, gates []b2bua.Gate, then func(b2bua.Outcome) b2bua.Route) b2bua.Route {
	ways, passed := t.Ways(domain, c)
	for _, p := range passed {
		t.Log.Info("trunk passed over", "domain", domain, "trunk", p.Trunk, "why", p.Err)
	}
	return t.step(ways, c.Payer, gates, then)
}

// Ways returns the trunks by which a call would be tried now, in this order, and those by which not.
func (t *Trunks) Ways(domain string, c trunk.Call) ([]trunk.Way, []trunk.Passed) {
	if c.Caller.Number == "" && c.Caller.Account != "" {
		c.Caller.Number = t.numberOf(domain, c.Caller.Account)
	}
	return t.group.Ways(domain, c)
}

// maxNumbers is how many numbers of the trunks are looked at for that of an account.
const maxNumbers = 1000

// numberOf returns the first number of the trunks of a domain that leads to an account; "" if there is none.
func (t *Trunks) numberOf(domain, account string) string {
	looked := 0
	trunks := t.Directory.Settings(domain).Trunks
	for _, name := range slices.Sorted(maps.Keys(trunks)) {
		for _, text := range trunks[name].Numbers {
			for number := range numbers(text) {
				if looked++; looked > maxNumbers {
					return ""
				}
				if owner, ok := t.Directory.Account(domain, number); ok && owner == account {
					return number
				}
			}
		}
	}
	return ""
}

// numbers yields those of a block, or the one number that it is.
func numbers(text string) iter.Seq[string] {
	first, last, block := strings.Cut(text, "-")
	return func(yield func(string) bool) {
		from, err := strconv.ParseUint(strings.TrimPrefix(first, "+"), 10, 64)
		to, err2 := strconv.ParseUint(strings.TrimPrefix(last, "+"), 10, 64)
		if !block || err != nil || err2 != nil {
			yield(first)
			return
		}
		for n := from; n <= to; n++ {
			if !yield("+" + strconv.FormatUint(n, 10)) {
				return
			}
		}
	}
}

// patience is how long a trunk may say nothing at all while another one could take the call. A server that is there says 100 within 200 ms (RFC 3261 §17.2.1), and by then three copies have been sent
// over UDP.
const patience = 4 * time.Second

// step tries the first of the ways, and the others behind it.
func (t *Trunks) step(ways []trunk.Way, payer string, gates []b2bua.Gate, then func(b2bua.Outcome) b2bua.Route) b2bua.Route {
	if len(ways) == 0 {
		return b2bua.Route{Refuse: sip.StatusServiceUnavailable, Then: then, Cause: "no-trunk"}
	}
	w := ways[0]
	p := party(w, gates)
	p.Payer = payer
	if len(ways) > 1 {
		p.Patience = patience
	}
	return b2bua.Route{Ring: []b2bua.Party{p}, Cause: "trunk:" + w.Trunk, Then: func(o b2bua.Outcome) b2bua.Route {
		switch {
		case len(ways) > 1 && !o.Rang && (o.Response == nil || trunk.FailsOver(o.Response.Status)):
			return t.step(ways[1:], payer, gates, then)
		case then != nil:
			return then(o)
		}
		return b2bua.Route{}
	}}
}

// party is one trunk as the B2BUA calls it.
func party(w trunk.Way, gates []b2bua.Gate) b2bua.Party {
	p := b2bua.Party{Name: w.Trunk, Domain: w.Domain, From: &w.From, To: &w.To, Auth: w.Auth, Codecs: w.Codecs, Gate: outward{w, gates}}
	for _, h := range w.Headers {
		p.Headers = append(p.Headers, b2bua.Field{Name: h.Name, Value: h.Value})
	}
	for i, h := range w.Hops {
		p.Bindings = append(p.Bindings, b2bua.Binding{Target: h.Target, Path: h.Path, To: h.To, Remote: h.Remote, Kind: w.Kind, Digits: w.Digits, Music: w.Music, Spare: i > 0})
	}
	return p
}

// outward counts a call that leaves by a trunk, for the trunk and for whoever else counts it.
type outward struct {
	way   trunk.Way
	gates []b2bua.Gate
}

// Begin implements [b2bua.Gate].
func (g outward) Begin() sip.Status {
	for i, other := range g.gates {
		if status := other.Begin(); status != 0 {
			g.leave(i, status, 0)
			return status
		}
	}
	if !g.way.Begin() {
		g.leave(len(g.gates), sip.StatusServiceUnavailable, 0)
		return sip.StatusServiceUnavailable
	}
	return 0
}

// Answered implements [b2bua.Meter].
func (g outward) Answered(talk b2bua.Talk) {
	for _, other := range g.gates {
		if m, ok := other.(b2bua.Meter); ok {
			m.Answered(talk)
		}
	}
}

// End implements [b2bua.Gate].
func (g outward) End(status sip.Status, talked time.Duration) {
	g.way.End(status)
	g.leave(len(g.gates), status, talked)
}

// leave tells the first n of the others.
func (g outward) leave(n int, status sip.Status, talked time.Duration) {
	for _, other := range g.gates[:n] {
		other.End(status, talked)
	}
}
