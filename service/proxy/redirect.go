// A 3xx that leads to people of ours: they are tried in place of the branch. RFC 3261 §16.5, §16.7 step 4.

package proxy

import (
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// redirect takes a 3xx whose contacts are people of ours: they are tried in place of the branch. What leads elsewhere is the caller's to decide: the proxy calls nobody
// on behalf of a telephone whom its caller could not call. It reports whether the response is used up.
func (f *fork) redirect(res *sip.Response) bool {
	if !f.invite || res.Status >= 400 {
		return false
	}
	p := f.proxy
	found := &p.lanes[f.stripe].found
	var ts []Target
	var others []string
	for value := range res.Values(sip.HeaderContact) {
		a, err := sip.ParseAddress(value)
		if err != nil || !p.serves(a.URI) {
			others = append(others, strings.Clone(value))
			continue
		}
		found.Targets = found.Targets[:0]
		if p.Locator.Locate(found, a.URI) != 0 {
			continue
		}
		ts = owned(ts, f.fresh(arrange(found.Targets, a.URI.Scheme, p.MaxBranches)))
	}
	room := p.MaxBranches - len(f.branches) - len(f.queue)
	ts = ts[:min(len(ts), max(room, 0))]
	if len(ts) > 0 {
		f.join(ts)
	}
	if len(others) == 0 {
		return len(ts) > 0
	}
	res.Remove(sip.HeaderContact)
	for _, value := range others {
		res.Add(sip.HeaderContact, value)
	}
	return false
}

// fresh keeps the targets to which no branch has led.
func (f *fork) fresh(ts []Target) []Target {
	return slices.DeleteFunc(ts, func(t Target) bool {
		goal := f.proxy.goal(&t.URI)
		return slices.ContainsFunc(f.branches, func(b branch) bool { return b.goal == goal })
	})
}

// join tries targets beside the branches under way, as far as the breadth allows, and the rest behind them.
func (f *fork) join(ts []Target) {
	n := 0
	if free := f.breadth - min(f.spent(), f.breadth); free > 0 {
		n = group(ts, int(free))
		if req, ok := f.again(); ok {
			f.launchAll(req, ts[:n])
		}
	}
	f.queue = append(f.queue, ts[n:]...)
}
