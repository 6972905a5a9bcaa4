// What agents dial: to log in and out, and to pause.

package pbx

import (
	"context"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/media/prompt"
	"github.com/sipwerk/sipwerk/sip"
)

// The features for agents.
const (
	AgentLogin Feature = "agent"       // logs the caller in to a queue or out of it
	AgentBreak Feature = "agent-pause" // gives the caller no calls, or calls again
)

// agentNumbers are the numbers of agents.
func agentNumbers() []Number {
	return []Number{
		{Feature: AgentLogin, Dial: "*45", Names: []string{"agent"}, Argument: true, Description: "logs you in to your queues, or out; *45 and the number of one: that one"},
		{Feature: AgentBreak, Dial: "*46", Names: []string{"agent-pause"}, Description: "gives you no calls of queues, or calls again"},
	}
}

// Players returns the applications of the queues, for [PBX.Players].
func (q *Queues) Players() map[Feature]Player {
	return map[Feature]Player{Queue: q, AgentLogin: PlayerFunc(q.playLogin), AgentBreak: PlayerFunc(q.playBreak)}
}

// playLogin logs the caller in to every queue of theirs, or out of all if they are in any; a number dialled behind the code means that queue.
func (q *Queues) playLogin(ctx context.Context, l *Line) error {
	name := l.Account.AOR()
	all, in := q.Memberships(name)
	if number := l.Argument; number != "" {
		one := sip.URI{Scheme: "sip", User: number, Host: l.Account.Host}
		queue := one.AOR()
		all = slices.DeleteFunc(all, func(s string) bool { return s != queue })
		in = slices.DeleteFunc(in, func(s string) bool { return s != queue })
	}
	if l.Account.Host == "" || len(all) == 0 {
		return l.Say(ctx, prompt.Text("impossible"))
	}
	for _, queue := range all {
		q.Login(name, queue, len(in) == 0)
	}
	if len(in) == 0 {
		return l.Say(ctx, prompt.Text("agent-in"))
	}
	return l.Say(ctx, prompt.Text("agent-out"))
}

// playBreak lets the caller have no calls of queues, or have them again.
func (q *Queues) playBreak(ctx context.Context, l *Line) error {
	name := l.Account.AOR()
	if all, _ := q.Memberships(name); l.Account.Host == "" || len(all) == 0 {
		return l.Say(ctx, prompt.Text("impossible"))
	}
	on := !q.Paused(name)
	q.Pause(name, on)
	if on {
		return l.Say(ctx, prompt.Text("agent-paused"))
	}
	return l.Say(ctx, prompt.Text("agent-back"))
}

// argument returns the number of the table that user begins with, if what follows may follow, and what that is.
func argument(table []Number, user string) (code, rest string) {
	for _, n := range table {
		if after, ok := strings.CutPrefix(user, n.Dial); ok && n.Argument && after != "" && len(n.Dial) > len(code) {
			code, rest = n.Dial, after
		}
	}
	return code, rest
}
