// `sipwerk queue status`, the orders for agents, and `sipwerk room status`: what a running server knows of its queues and rooms.

package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
)

// newQueue is the command of the queues.
func (p *program) newQueue() *cobra.Command {
	return p.newObject("queue", p.newQueueStatus(),
		p.newAgent("login", p.Text("Log an agent in to a queue, or to all of its own")), p.newAgent("logout", p.Text("Log an agent out of a queue, or of all")),
		p.newAgent("pause", p.Text("Give an agent no calls")), p.newAgent("resume", p.Text("Give an agent calls again")))
}

func (p *program) newQueueStatus() *cobra.Command {
	return newStatus(p, "queue", p.Text("Show who waits in the queues, and what their agents do"), p.showQueues)
}

func (p *program) newRoomStatus() *cobra.Command {
	return newStatus(p, "room", p.Text("Show who is in the conference rooms, and who is heard and seen"), p.showRooms)
}

// newRoomInvite has a room in use call somebody.
func (p *program) newRoomInvite() *cobra.Command {
	c := &cobra.Command{
		Use:   "invite ROOM NUMBER",
		Short: p.Text("Have a conference room that is in use call somebody"),
		Long: p.Text("NUMBER is an account, a group, or a number outside. A call to the outside is that of the user of --from: their countries, minutes and calls at once count.\n" +
			"The command ends when whoever was called is in the room."),
		Example: terminal.Examples("sipwerk room invite 4000 201", "sipwerk room invite 4000 +4930123456 --from 200"),
		Args:    p.Exactly("ROOM", "NUMBER"),
	}
	var from string
	c.Flags().StringVar(&from, "from", "", p.Text("the user who invites and pays (the first owner of the room)"))
	p.order(c, "/rooms/invite", func(args []string) any { return server.InviteOrder{Room: args[0], Whom: args[1], From: from} })
	return c
}

// newStatus is the command that shows what a running server reports of all objects of a kind.
func newStatus[T any](p *program, kind, short string, show func(w io.Writer, all []T)) *cobra.Command {
	line := "sipwerk " + kind + " status"
	c := &cobra.Command{Use: "status", Short: short, Example: terminal.Examples(line, line+" --json"), Args: p.Exactly()}
	out := p.Report(c)
	find := p.running(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		way, _, err := find()
		if err != nil {
			return err
		}
		all, err := server.Reports[T](c.Context(), way, "/"+kind+"s")
		if err != nil {
			return err
		}
		return out.Write(all, func(w io.Writer) { show(w, all) })
	}
	return c
}

// showQueues writes a table of the queues, each with a line for each agent.
func (p *program) showQueues(w io.Writer, all []server.QueueReport) {
	fmt.Fprintln(w, p.Text("QUEUE\tWAITING\tLONGEST\tSERVED\tABANDONED\tELSEWHERE\tWAIT\tTALK\tIN TIME"))
	seconds := func(s float64) string { return (time.Duration(s) * time.Second).String() }
	for _, q := range all {
		fmt.Fprintf(w, "%s\t%d\t%s\t%d\t%d\t%d\t%s\t%s\t%.0f %%\n", q.Queue, q.Waiting, seconds(q.Longest), q.Served, q.Abandoned, q.Overflowed, seconds(q.AverageWait), seconds(q.AverageTalk),
			100*q.ServiceLevel)
		for _, a := range q.Agents {
			fmt.Fprintf(w, "  %s\t%s\t\t%d\n", a.Agent, p.Text(a.State), a.Served)
		}
	}
}

// showRooms writes a table of the rooms in use, each with a line for each member.
func (p *program) showRooms(w io.Writer, all []server.RoomReport) {
	fmt.Fprintln(w, p.Text("ROOM\tSTATE\tSINCE\tVIDEO"))
	for _, r := range all {
		var marks []string
		for _, mark := range r.Marks() {
			marks = append(marks, p.Text(mark))
		}
		fmt.Fprintf(w, "%s\t%s\n", r.Room, strings.Join(marks, " "))
		for _, m := range r.Members {
			marks = marks[:0]
			for _, mark := range m.Marks() {
				marks = append(marks, p.Text(mark))
			}
			since := ""
			if !m.Since.IsZero() {
				since = m.Since.Local().Format(time.TimeOnly)
			}
			fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", m.Member, strings.Join(marks, " "), since, p.Text(m.Sight()))
		}
	}
}

// newAgent is an order for an agent.
func (p *program) newAgent(verb, short string) *cobra.Command {
	c := &cobra.Command{Use: verb + " USER", Short: short, Example: terminal.Examples("sipwerk queue " + verb + " 200"), Args: p.Exactly("USER")}
	var queue string
	if verb == "login" || verb == "logout" {
		c.Flags().StringVar(&queue, "queue", "", p.Text("of this queue alone"))
	}
	p.order(c, "/agents", func(args []string) any { return server.AgentOrder{Do: verb, Agent: args[0], Queue: queue} })
	return c
}
