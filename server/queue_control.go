// Queues for commands: how things stand, and agents logged in and out.

package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/server/control"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// QueueReport is how things stand in a queue. Times are in seconds; what is counted counts from the start of the server.
type QueueReport struct {
	Queue        string        `json:"queue"`
	Title        string        `json:"title,omitempty"`
	Waiting      int           `json:"waiting"`
	Longest      float64       `json:"longest-wait"` // of those who wait
	Served       int           `json:"served"`
	Abandoned    int           `json:"abandoned"`  // hung up while they waited
	Overflowed   int           `json:"overflowed"` // were sent elsewhere
	AverageWait  float64       `json:"average-wait"`
	AverageTalk  float64       `json:"average-talk"`
	ServiceLevel float64       `json:"service-level"` // share of the served and abandoned whom an agent has answered in time
	Agents       []AgentReport `json:"agents"`
}

// AgentReport is how things stand with an agent of a queue.
type AgentReport struct {
	Agent  string    `json:"agent"`
	State  string    `json:"state"`
	Served int       `json:"served"` // calls of all queues
	Last   time.Time `json:"last-call,omitzero"`
}

// AgentOrder is what is to become of an agent: "login", "logout", "pause" or "resume". Names without a domain belong to the first one.
type AgentOrder struct {
	Do    string `json:"do"`
	Agent string `json:"agent"`
	Queue string `json:"queue,omitempty"` // "": all of the agent's
}

// AgentStates returns what [AgentReport.State] may be: whoever translates it needs them all.
func AgentStates() (all []string) {
	for _, s := range pbx.AgentStates() {
		all = append(all, string(s))
	}
	return all
}

// QueueReports returns how things stand in all queues.
func (s *Server) QueueReports() (all []QueueReport) {
	bare := func(name string) string { return strings.TrimPrefix(name, "sip:") }
	for _, q := range s.queues.Status() {
		r := QueueReport{Queue: bare(q.Name), Title: q.Title, Waiting: q.Waiting, Longest: q.Longest.Seconds(), Served: q.Served, Abandoned: q.Abandoned, Overflowed: q.Overflowed,
			AverageWait: q.Wait.Seconds(), AverageTalk: q.Talk.Seconds(), ServiceLevel: q.Level(), Agents: []AgentReport{}}
		for _, a := range q.Agents {
			r.Agents = append(r.Agents, AgentReport{bare(a.Name), string(a.State), a.Served, a.Last})
		}
		all = append(all, r)
	}
	return all
}

// OrderAgent does what is ordered.
func (s *Server) OrderAgent(o AgentOrder) error {
	agent := s.lampName(o.Agent)
	all, _ := s.queues.Memberships(agent)
	if o.Queue != "" {
		all = []string{s.lampName(o.Queue)}
	}
	if len(all) == 0 {
		return fmt.Errorf("%s is an agent of no queue; add it with sipwerk queue set NUMBER --agent", o.Agent)
	}
	switch o.Do {
	case "pause", "resume":
		s.queues.Pause(agent, o.Do == "pause")
		return nil
	case "login", "logout":
		for _, queue := range all {
			if !s.queues.Login(agent, queue, o.Do == "login") {
				return fmt.Errorf("%s is no agent of the queue %s; see sipwerk queue status", o.Agent, o.Queue)
			}
		}
		return nil
	}
	return fmt.Errorf("%q is no order for an agent; write login, logout, pause or resume", o.Do)
}

// lampName is what the lamp of a user is called: of the first domain if it names none.
func (s *Server) lampName(user string) string {
	local, domain, ok := strings.Cut(strings.TrimPrefix(user, "sip:"), "@")
	if !ok {
		domain = s.Domain.Name
	}
	uri := sip.URI{Scheme: "sip", User: sip.EscapeUser(local), Host: domain}
	return uri.AOR()
}

// controlQueues takes the orders of commands.
func (s *Server) controlQueues() {
	s.control.Handle("GET /queues", func(_ context.Context, _ *http.Request, reply func(any) error) error {
		for _, r := range s.QueueReports() {
			if err := reply(r); err != nil {
				return err
			}
		}
		return nil
	})
	s.control.Handle("POST /agents", func(_ context.Context, r *http.Request, _ func(any) error) error {
		var o AgentOrder
		if err := control.Decode(r, &o); err != nil {
			return err
		}
		return s.OrderAgent(o)
	})
}
