// What the running server knows of a domain beside its dial plan, to be explained: telephones, trunks, limits, and how things stand at places of the house.

package server

import (
	"strconv"
	"strings"

	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/service/dialplan"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/service/trunk"
	"github.com/sipwerk/sipwerk/sip"
)

// house is a domain with all that the running server knows of it.
func (s *Server) house(domain string) *dial.House {
	h := setup.House(s.directory, s.directory.Settings(domain))
	h.Carries = s.dial.carries
	name := func(user string) string { return s.lampName(user + "@" + domain) }
	h.World = &dial.World{
		Ledger: s.dial.meter.Ledger(domain),
		Calls:  func(account string) int { return s.lamps.Calls(name(account)) },
		Place:  func(kind dialplan.Kind, number string) []dialplan.Step { return s.placeNow(kind, name(number)) },
		Telephones: func(account string) int {
			return len(s.registrar.Lookup(sip.URI{Scheme: "sip", User: sip.EscapeUser(account), Host: domain}))
		},
		Trunks: func(out *dialplan.Out, from dialplan.Caller) (ways []dial.Exit, not []dial.Passed) {
			c := trunk.Call{Number: out.Number.Text(), Urgent: out.Emergency, Trunks: out.Trunks,
				Caller: trunk.Caller{Number: out.CallerID, Account: from.Account, Proven: from.Account != "", Hidden: out.Hide}}
			found, passed := s.trunks.Ways(domain, c)
			for _, w := range found {
				ways = append(ways, dial.Exit{Trunk: w.Trunk, Shows: w.From.URI.UserName(), Codecs: w.Codecs})
			}
			for _, p := range passed {
				not = append(not, dial.Passed{Trunk: p.Trunk, Why: p.Err.Error()})
			}
			return ways, not
		},
	}
	return h
}

// placeNow says how things stand at a place of the house.
func (s *Server) placeNow(kind dialplan.Kind, name string) (steps []dialplan.Step) {
	say := func(format dialplan.Saying, a, b string) {
		steps = append(steps, dialplan.Step{Say: format, A: a, B: b})
	}
	uri, err := sip.ParseURI(name)
	if err != nil {
		return nil
	}
	switch kind {
	case dialplan.KindQueue:
		for _, q := range s.queues.Status() {
			if q.Name != name {
				continue
			}
			var free []string
			for _, a := range q.Agents {
				if a.State == pbx.AgentFree {
					agent, _, _ := strings.Cut(strings.TrimPrefix(a.Name, "sip:"), "@")
					free = append(free, agent)
				}
			}
			say(dial.SayWaiting, strconv.Itoa(q.Waiting), uri.UserName())
			say(dial.SayAgents, strconv.Itoa(len(free)), strings.Join(free, ", "))
		}
	case dialplan.KindRoom:
		for _, r := range s.conferences.Status() {
			if r.Room == name {
				say(dial.SayMembers, strconv.Itoa(len(r.Members)), uri.UserName())
				if r.Locked {
					say(dial.SayLocked, uri.UserName(), "")
				}
			}
		}
	case dialplan.KindFeature:
		if slot, ok := s.park.Serves(uri); ok && slot > 0 {
			if _, taken := s.park.Taken(uri); taken {
				say(dial.SaySlotTaken, uri.UserName(), "")
			} else {
				say(dial.SaySlotFree, uri.UserName(), "")
			}
		}
	}
	return steps
}
