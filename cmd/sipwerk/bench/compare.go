// `sipwerk bench compare`: two files of results beside each other.

package bench

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/load"
)

func (p *program) newBenchCompare() *cobra.Command {
	var markdown bool
	c := &cobra.Command{
		Use:   "compare A.json B.json",
		Short: p.Text("Put results beside each other"),
		Long: p.Text("Compares the results that `bench --json` wrote: A divided by B. A file may hold several results one behind the other; of those of the same scenario, transport and rate " +
			"the median counts."),
		Example: terminal.Examples("sipwerk bench compare before.json after.json", "sipwerk bench compare ours.json theirs.json --markdown"),
		Args:    p.Exactly("A.json", "B.json"),
	}
	c.Flags().BoolVar(&markdown, "markdown", false, p.Text("print a table in Markdown"))
	c.RunE = func(_ *cobra.Command, args []string) error {
		a, err := p.readResults(args[0])
		if err != nil {
			return err
		}
		b, err := p.readResults(args[1])
		if err != nil {
			return err
		}
		all := load.Compare(a, b)
		if len(all) == 0 {
			return p.Errorf("%s and %s have no scenario, transport and rate in common; measure both alike", args[0], args[1])
		}
		if markdown {
			p.compareMarkdown(all)
			return nil
		}
		p.compareTable(all)
		return nil
	}
	return c
}

func (p *program) readResults(name string) ([]load.Result, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := load.ReadResults(f)
	if err != nil {
		return nil, p.Errorf("%s is no result of `sipwerk bench --json`: %s", name, err.Error())
	}
	return all, nil
}

// compareTable prints one block for each kind of run.
func (p *program) compareTable(all []load.Comparison) {
	for i := range all {
		c := &all[i]
		if i > 0 {
			io.WriteString(p.Out, "\n")
		}
		p.Printf("%s over %s, %s/s (runs: %d, %d)\n", string(c.Scenario), c.Transport, count(c.Rate), c.Runs[0], c.Runs[1])
		w := tabwriter.NewWriter(p.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(w, "\tA\tB\tA/B\t")
		for _, r := range c.Rows {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t\n", p.figure(r.Figure), figureValue(r.Figure, r.Values[0]), figureValue(r.Figure, r.Values[1]), ratio(r))
		}
		w.Flush()
	}
}

// compareMarkdown prints one line for each kind of run.
func (p *program) compareMarkdown(all []load.Comparison) {
	p.Printf("| operation | rate | A, µs | B, µs | A/B | p50, µs: A, B | p99, µs: A, B |\n")
	io.WriteString(p.Out, "|---|---|---|---|---|---|---|\n")
	for i := range all {
		c := &all[i]
		cpu, _ := c.Value(load.FigureCPU)
		p50, _ := c.Value(load.FigureP50)
		p99, _ := c.Value(load.FigureP99)
		fmt.Fprintf(p.Out, "| %s, %s | %s | %.1f | %.1f | %s | %.0f, %.0f | %.0f, %.0f |\n", c.Scenario, c.Transport, count(c.Rate), cpu.Values[0], cpu.Values[1], ratio(cpu),
			p50.Values[0], p50.Values[1], p99.Values[0], p99.Values[1])
	}
}

func ratio(r load.Row) string {
	if x, ok := r.Ratio(); ok {
		return fmt.Sprintf("%.2f", x)
	}
	return "–"
}

// figure names a figure.
func (p *program) figure(f load.Figure) string {
	switch f {
	case load.FigureCPU:
		return p.Text("processor time, µs an operation")
	case load.FigureAchieved:
		return p.Text("came through, a second")
	case load.FigureFailed:
		return p.Text("failed")
	case load.FigureRetransmitted:
		return p.Text("retransmitted")
	case load.FigureMemory:
		return p.Text("memory under load (PSS)")
	}
	return p.Text("latency, %s", string(f))
}

func figureValue(f load.Figure, v float64) string {
	switch f {
	case load.FigureP50, load.FigureP99, load.FigureP999:
		return latency(v)
	case load.FigureCPU:
		return fmt.Sprintf("%.1f", v)
	case load.FigureMemory:
		return megabytes(int64(v))
	}
	return count(v)
}
