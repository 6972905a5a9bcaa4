// `sipwerk cdr`: what became of calls. A running server's records are here within a second of the end of their calls.

package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/store"
)

func (p *program) newCDR() *cobra.Command {
	c := &cobra.Command{
		Use:   "cdr",
		Short: p.Text("List, show and export call detail records"),
		Long: p.Text("Each call that has ended leaves a record: who called whom, when, how it ended and who ended it, every telephone that rang, codecs, loss and quality.\n" +
			"How long records are kept is said by the setting keep.records."),
	}
	c.AddCommand(p.newCDRList(), p.newCDRShow(), p.newCDRExport())
	return c
}

// cdrFlags choose records.
type cdrFlags struct {
	from, to, account string
	load              func() (*config.Config, error)
}

func (p *program) cdrFlags(c *cobra.Command) *cdrFlags {
	f := &cdrFlags{load: p.Settings(c, "data", "domain")}
	c.Flags().StringVar(&f.from, "from", "", p.Text("calls that began then or later: 2026-11-23, \"2026-11-23 14:00\", today, yesterday, or a span back such as 24h"))
	c.Flags().StringVar(&f.to, "to", "", p.Text("calls that began before; written like --from"))
	c.Flags().StringVar(&f.account, "account", "", p.Text("calls in which this account took part"))
	return f
}

// filter makes a filter of the flags, and opens the store.
func (f *cdrFlags) filter(p *program, c *cobra.Command) (*accounts, store.CDRFilter, error) {
	var out store.CDRFilter
	var err error
	now := time.Now()
	if out.From, err = p.parseMoment(f.from, now); err != nil {
		return nil, out, fmt.Errorf("--from: %w", err)
	}
	if out.To, err = p.parseMoment(f.to, now); err != nil {
		return nil, out, fmt.Errorf("--to: %w", err)
	}
	account := f.account
	a, err := p.open(c.Context(), f.load, &account)
	if err != nil {
		return nil, out, err
	}
	out.Account, out.Domain = account, a.domain
	return a, out, nil
}

// parseMoment reads a time as people write it, in the zone of this machine; "" is the zero time.
func (p *program) parseMoment(s string, now time.Time) (time.Time, error) {
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch s {
	case "":
		return time.Time{}, nil
	case "now":
		return now, nil
	case "today":
		return midnight, nil
	case "yesterday":
		return midnight.AddDate(0, 0, -1), nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.DateTime, "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if d, err := time.ParseDuration(s); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, errors.New(p.Text("%q is no time; write one such as 2026-11-23, \"2026-11-23 14:00\", today, yesterday or 24h", s))
}

func (p *program) newCDRList() *cobra.Command {
	var limit int
	c := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   p.Text("List calls, the newest first"),
		Example: terminal.Examples("sipwerk cdr list", "sipwerk cdr list --account 200 --from yesterday", "sipwerk cdr list --from 24h --json | jq '.[] | select(.q850 != 16)'"),
		Args:    p.Exactly(),
	}
	f := p.cdrFlags(c)
	c.Flags().IntVar(&limit, "limit", 50, p.Text("at most so many; 0: all"))
	out := p.Report(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		a, filter, err := f.filter(p, c)
		if err != nil {
			return err
		}
		defer a.Close()
		filter.Newest, filter.Limit = true, limit
		records := a.CDRs(c.Context(), filter)
		if out.JSON {
			return terminal.WriteArray(p.Out, records)
		}
		w := p.Table()
		defer w.Flush()
		fmt.Fprintln(w, p.Text("CALL\tSTART\tFROM\tDIALLED\tTALKED TO\tTIME\tENDED BY\tSTATUS\tMOS"))
		for r, err := range records {
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", r.ID[:min(16, len(r.ID))], r.Start.Local().Format(time.DateTime), caller(&r), r.Dialled, r.Final,
				r.Talked().Round(time.Second), p.cdrWord(r.By), r.Status, mos(&r))
		}
		return nil
	}
	return c
}

// caller is who called, as short as it can be said.
func caller(r *store.CDR) string {
	if r.Account != "" {
		return r.Account
	}
	return r.From
}

// mos is how the worst side of a call sounded, empty if nothing was heard.
func mos(r *store.CDR) string {
	if m := r.MOS(); m > 0 {
		return strconv.FormatFloat(m, 'f', 1, 64)
	}
	return ""
}

func (p *program) newCDRShow() *cobra.Command {
	c := &cobra.Command{
		Use:     "show CALL",
		Short:   p.Text("Show all that is known of a call"),
		Long:    p.Text("Shows the record of a call. CALL is its identifier as `sipwerk cdr list` shows it."),
		Example: terminal.Examples("sipwerk cdr show 019ab3c4d5e6f701", "sipwerk cdr show 019ab3c4d5e6f701 --json"),
		Args:    p.Exactly("CALL"),
	}
	load := p.Settings(c, "data", "domain")
	out := p.Report(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		user := ""
		a, err := p.open(c.Context(), load, &user)
		if err != nil {
			return err
		}
		defer a.Close()
		r, err := a.CDR(c.Context(), args[0])
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("%w; %s", err, p.Text("`sipwerk cdr list` shows what there is"))
		}
		if err != nil {
			return err
		}
		if out.JSON {
			return out.Encode(r)
		}
		p.showCDR(&r)
		return nil
	}
	return c
}

// showCDR prints a record, a line for each thing that is known.
func (p *program) showCDR(r *store.CDR) {
	w := p.Table()
	defer w.Flush()
	say := func(label, value string) {
		if value != "" {
			fmt.Fprintf(w, "%s\t%s\n", label, value)
		}
	}
	say(p.Text("call"), r.ID)
	say("Session-ID", r.SessionID)
	say(p.Text("from"), r.From)
	say(p.Text("account"), r.Account)
	say(p.Text("trunk"), r.Trunk)
	say(p.Text("dialled"), r.Dialled+" ("+r.To+")")
	say(p.Text("talked to"), r.Final)
	say(p.Text("start"), moment(r.Start))
	say(p.Text("ring"), moment(r.Ring))
	say(p.Text("answer"), moment(r.Answer))
	say(p.Text("end"), moment(r.End))
	if !r.Answer.IsZero() {
		say(p.Text("talked"), r.Talked().Round(time.Millisecond).String())
	}
	say(p.Text("status"), fmt.Sprintf("SIP %d, Q.850 %d", r.Status, r.Cause))
	say(p.Text("ended by"), p.cdrWord(r.By))
	say(p.Text("reason"), r.Reason)
	say(p.Text("error"), r.Error)
	if r.Transcoded {
		say(p.Text("transcoded"), p.Text("yes"))
	}
	for _, file := range r.Recordings {
		say(p.Text("recording"), file)
	}
	for _, m := range r.Moves {
		say(p.Text("moved"), fmt.Sprintf("%s %s: %s → %s %s", moment(m.At), p.cdrWord(m.Kind), m.By, m.To, m.Call))
	}
	for i := range r.Legs {
		p.showLeg(say, &r.Legs[i])
	}
}

func (p *program) showLeg(say func(label, value string), l *store.CDRLeg) {
	who := l.Account + " " + l.Target + " " + l.Trunk
	say(p.Text("leg"), fmt.Sprintf("%s %s %s: SIP %d %s %s", moment(l.Start), p.cdrWord(l.Side), who, l.Status, l.Codec, l.Error))
	if l.Payer != "" {
		say(p.Text("paid by"), l.Payer)
	}
	if l.Digits != "" {
		say(p.Text("digits"), l.Digits)
	}
	for _, s := range l.Streams {
		if s.Media == "video" {
			say(p.Text("seen"), p.Text("%d packets came, %d went", s.Packets, s.Sent))
			continue
		}
		say(p.Text("heard"), p.Text("%d packets, %d lost, jitter %.1f ms, round trip %.1f ms, MOS %.1f", s.Packets, s.Lost, s.Jitter, s.RoundTrip, s.MOS))
	}
}

// cdrWord is a word of the records in the language of the user.
func (p *program) cdrWord(w string) string {
	switch w {
	case "caller":
		return p.Text("caller")
	case "callee":
		return p.Text("callee")
	case "system":
		return p.Text("system")
	case "redirect":
		return p.Text("redirected")
	case "forward":
		return p.Text("forwarded")
	case "transfer":
		return p.Text("transferred")
	case "pickup":
		return p.Text("picked up")
	case "replace":
		return p.Text("taken over")
	}
	return w
}

// moment prints a time to the millisecond, and one that never came not at all.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05.000")
}
