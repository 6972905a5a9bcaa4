// What a command has found, as people read it or as programs do.

package terminal

import (
	"bufio"
	"encoding/json"
	"io"
	"iter"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// A Report is how a command shows what it has found: in columns, or as JSON where --json asks for that.
type Report struct {
	JSON bool

	terminal *Terminal
}

// Report gives a command the flag --json.
func (t *Terminal) Report(c *cobra.Command) *Report {
	r := &Report{terminal: t}
	c.Flags().BoolVar(&r.JSON, "json", false, t.Text("write JSON"))
	return r
}

// Write writes found as JSON, or what rows writes, with tabs between columns.
func (r *Report) Write(found any, rows func(w io.Writer)) error {
	if r.JSON {
		return r.Encode(found)
	}
	w := r.terminal.Table()
	rows(w)
	return w.Flush()
}

// Encode writes JSON, whatever was asked for.
func (r *Report) Encode(found any) error { return json.NewEncoder(r.terminal.Out).Encode(found) }

// Table writes columns with tabs between them; nothing is seen before Flush.
func (t *Terminal) Table() *tabwriter.Writer { return tabwriter.NewWriter(t.Out, 0, 0, 2, ' ', 0) }

// WriteArray writes an array of JSON, one element after the other: there may be millions. After an error of all it ends where it is.
func WriteArray[T any](w io.Writer, all iter.Seq2[T, error]) error {
	out := bufio.NewWriter(w)
	defer out.Flush()
	before := "["
	for one, err := range all {
		if err != nil {
			return err
		}
		b, err := json.Marshal(one)
		if err != nil {
			return err
		}
		out.WriteString(before)
		out.Write(b)
		before = ",\n"
	}
	if before == "[" {
		out.WriteString(before)
	}
	out.WriteString("]\n")
	return out.Flush() // the first error of all that was written
}
