// Orders of commands for queues and calls: how things stand, agents logged in and out, and calls that the server makes for somebody (click to dial).

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/server/control"
	"github.com/sipwerk/sipwerk/server/dial"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/service/dialplan"
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

// RefreshOrder says which trunks a command has changed; it wants to know which of them cannot be used as they are set now.
type RefreshOrder struct {
	Trunks []store.Name `json:"trunks"`
	All    bool         `json:"all"` // too many to name
}

// controlDirectory lets a command that has changed something say so: it is in force when the answer ends, which is the [carrier.Status] of each of those trunks that cannot be used.
// Whether the server has learned of the change before makes no difference.
func (s *Server) controlDirectory() {
	s.control.Handle("POST /refresh", func(ctx context.Context, r *http.Request, reply func(any) error) error {
		var o RefreshOrder
		if err := control.Decode(r, &o); err != nil {
			return err
		}
		if err := s.directory.Catch(ctx, s.log); err != nil {
			return err
		}
		for _, now := range s.trunks.Faulty() {
			asked := func(n store.Name) bool { return n.Domain == now.Domain && n.Name == now.Trunk }
			if !o.All && !slices.ContainsFunc(o.Trunks, asked) {
				continue
			}
			if err := reply(now); err != nil {
				return err
			}
		}
		return nil
	})
}

// controlQueues takes the orders of commands.
func (s *Server) controlQueues() {
	s.control.Handle("GET /queues", replies(func(*http.Request) []QueueReport { return s.QueueReports() }))
	s.control.Handle("POST /agents", func(_ context.Context, r *http.Request, _ func(any) error) error {
		var o AgentOrder
		if err := control.Decode(r, &o); err != nil {
			return err
		}
		return s.OrderAgent(o)
	})
}

// DialOrder is who is to be called, and whom they are connected to when they have answered: accounts without a domain belong to the first one, and To is whatever From could dial.
type DialOrder struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Dial calls an account and, when it has answered, connects it as if it had dialled. It returns when the account has answered, with an error that is one sentence if it has not.
func (s *Server) Dial(ctx context.Context, o DialOrder) error {
	from, err := sip.ParseURI(s.lampName(o.From))
	if err != nil {
		return fmt.Errorf("%q is no account: %w", o.From, err)
	}
	account, ok := s.registrar.Resolve(from)
	if !ok {
		return fmt.Errorf("there is no account %s; see sipwerk account list", o.From)
	}
	to := sip.URI{Scheme: "sip", User: sip.EscapeUser(strings.TrimPrefix(o.To, "sip:")), Host: account.Host}
	if strings.Contains(o.To, "@") {
		if to, err = sip.ParseURI(s.lampName(o.To)); err != nil {
			return fmt.Errorf("%q cannot be dialled: %w", o.To, err)
		}
	}
	answered := make(chan sip.Status, 1)
	if err := s.features.Connect(account, sip.Address{URI: to}, func(status sip.Status) { answered <- status }); err != nil {
		return err
	}
	select {
	case status := <-answered:
		if !status.Success() {
			return fmt.Errorf("%s has not answered: %w", o.From, status)
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// controlCalls takes the orders of commands.
func (s *Server) controlCalls() {
	s.control.Handle("POST /dial", func(ctx context.Context, r *http.Request, _ func(any) error) error {
		var o DialOrder
		if err := control.Decode(r, &o); err != nil {
			return err
		}
		return s.Dial(ctx, o)
	})
	s.control.Handle("POST /route", func(ctx context.Context, r *http.Request, reply func(any) error) error {
		var o routeOrder
		if err := control.Decode(r, &o); err != nil {
			return err
		}
		a, err := dial.Explain(ctx, s.house(o.Domain), o.Question)
		if err != nil {
			return err
		}
		told := routeReply{Answer: a}
		for _, stage := range a.Stages {
			told.Told = append(told.Told, stage.Told)
		}
		return reply(told)
	})
}

// routeOrder asks where a call would go.
type routeOrder struct {
	dial.Question
	Domain string `json:"domain"`
}

// routeReply says it.
type routeReply struct {
	Answer *dial.Answer      `json:"answer"`
	Told   [][]dialplan.Step `json:"told"` // the steps of each stage
}

// ExplainRoute asks the running server what would become of a call now.
func (c *Control) ExplainRoute(ctx context.Context, domain string, q dial.Question) (a *dial.Answer, err error) {
	err = c.Do(ctx, http.MethodPost, "/route", routeOrder{q, domain}, func(line json.RawMessage) error {
		var r routeReply
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		if r.Answer == nil || len(r.Told) != len(r.Answer.Stages) {
			return errors.New("the running server is of another version; use its program")
		}
		for i := range r.Told {
			r.Answer.Stages[i].Told = r.Told[i]
		}
		a = r.Answer
		return nil
	})
	return a, err
}
