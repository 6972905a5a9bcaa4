// `sipwerk cdr export`: call records for spreadsheets and billing, as CSV (RFC 4180) or JSON.

package main

import (
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server/store"
)

func (p *program) newCDRExport() *cobra.Command {
	var asCSV bool
	c := &cobra.Command{
		Use:   "export",
		Short: p.Text("Write call records as CSV or JSON, the oldest first"),
		Long:  p.Text("Writes records to standard output: as CSV one line a call, for spreadsheets and billing, or as JSON with all that is known."),
		Example: terminal.Examples("sipwerk cdr export --csv --from 2026-11-01 --to 2026-12-01 > november.csv", "sipwerk cdr export --json --account 200",
			"sipwerk cdr export --json | jq -r '.[].legs[].codec'"),
		Args: p.Exactly(),
	}
	f := p.cdrFlags(c)
	c.Flags().BoolVar(&asCSV, "csv", false, p.Text("write CSV; this is what is written if nothing is said"))
	out := p.Report(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		if asCSV && out.JSON {
			return errors.New(p.Text("--csv and --json: give one of them"))
		}
		a, filter, err := f.filter(p, c)
		if err != nil {
			return err
		}
		defer a.Close()
		records := a.CDRs(c.Context(), filter)
		if out.JSON {
			return terminal.WriteArray(p.Out, records)
		}
		return writeCDRsCSV(p.Out, records)
	}
	return c
}

// cdrColumns are the columns of the CSV. New ones come at the end: scripts count.
var cdrColumns = [...]struct {
	name string
	of   func(r *store.CDR) string
}{
	{"id", func(r *store.CDR) string { return r.ID }},
	{"domain", func(r *store.CDR) string { return r.Domain }},
	{"start", func(r *store.CDR) string { return stamp(r.Start) }},
	{"ring", func(r *store.CDR) string { return stamp(r.Ring) }},
	{"answer", func(r *store.CDR) string { return stamp(r.Answer) }},
	{"end", func(r *store.CDR) string { return stamp(r.End) }},
	{"talked_seconds", func(r *store.CDR) string { return strconv.FormatFloat(r.Talked().Seconds(), 'f', 3, 64) }},
	{"from", func(r *store.CDR) string { return r.From }},
	{"account", func(r *store.CDR) string { return r.Account }},
	{"dialled", func(r *store.CDR) string { return r.Dialled }},
	{"final", func(r *store.CDR) string { return r.Final }},
	{"trunk", func(r *store.CDR) string { return r.Trunk }},
	{"status", func(r *store.CDR) string { return strconv.Itoa(r.Status) }},
	{"q850", func(r *store.CDR) string { return strconv.Itoa(r.Cause) }},
	{"ended_by", func(r *store.CDR) string { return r.By }},
	{"reason", func(r *store.CDR) string { return r.Reason }},
	{"legs", func(r *store.CDR) string { return strconv.Itoa(len(r.Legs)) }},
	{"codec", func(r *store.CDR) string { return each(r, func(l *store.CDRLeg) string { return l.Codec }) }},
	{"transcoded", func(r *store.CDR) string { return strconv.FormatBool(r.Transcoded) }},
	{"packets", func(r *store.CDR) string {
		return strconv.FormatUint(sum(r, func(s store.CDRStream) uint64 { return s.Packets }), 10)
	}},
	{"lost", func(r *store.CDR) string {
		return strconv.FormatUint(sum(r, func(s store.CDRStream) uint64 { return s.Lost }), 10)
	}},
	{"mos", mos},
	{"recording", func(r *store.CDR) string { return strings.Join(r.Recordings, " ") }},
	{"moves", func(r *store.CDR) string { return strconv.Itoa(len(r.Moves)) }},
	{"session_id", func(r *store.CDR) string { return r.SessionID }},
	{"call_id", func(r *store.CDR) string { return r.CallID }},
	{"digits", func(r *store.CDR) string { return each(r, func(l *store.CDRLeg) string { return l.Digits }) }},
	{"payer", func(r *store.CDR) string { return each(r, func(l *store.CDRLeg) string { return l.Payer }) }},
}

// writeCDRsCSV writes a line for the names of the columns and one for each record.
func writeCDRsCSV(w io.Writer, records iter.Seq2[store.CDR, error]) error {
	out := csv.NewWriter(w)
	line := make([]string, len(cdrColumns))
	for i, c := range cdrColumns {
		line[i] = c.name
	}
	if err := out.Write(line); err != nil {
		return err
	}
	for r, err := range records {
		if err != nil {
			return err
		}
		for i, c := range cdrColumns {
			line[i] = plainCell(c.of(&r))
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// plainCell keeps a spreadsheet from taking what a caller has sent for a formula. A telephone number may begin with its plus.
func plainCell(s string) string {
	if s == "" || !strings.Contains("=+-@\t\r", s[:1]) || s[0] == '+' && strings.Trim(s[1:], "0123456789") == "" {
		return s
	}
	return "'" + s
}

// stamp is a time as RFC 3339 writes it, in UTC to the millisecond; empty if it never came.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// each is what is said of the legs that were talked on, each once: the codec, how digits went.
func each(r *store.CDR, of func(*store.CDRLeg) string) string {
	var all []string
	for i := range r.Legs {
		if said := of(&r.Legs[i]); said != "" && (len(all) == 0 || all[len(all)-1] != said) {
			all = append(all, said)
		}
	}
	return strings.Join(all, " ")
}

// sum adds up a count of all streams.
func sum(r *store.CDR, of func(store.CDRStream) uint64) (n uint64) {
	for _, l := range r.Legs {
		for _, s := range l.Streams {
			n += of(s)
		}
	}
	return n
}
