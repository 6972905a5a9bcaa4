// Results beside each other: each kind of run on both sides, medians where it was repeated.

package load

import (
	"cmp"
	"slices"
)

// Comparison is one kind of run in two series of results.
type Comparison struct {
	Scenario  Scenario
	Transport string
	Rate      float64
	Hold      float64 // seconds; -1: to the end
	Runs      [2]int
	Rows      []Row
}

// Row is one figure on both sides.
type Row struct {
	Figure Figure
	Values [2]float64 // medians
}

// Ratio is the first side's value over the second's; ok is false if that is nothing.
func (r Row) Ratio() (ratio float64, ok bool) {
	if r.Values[1] == 0 {
		return 0, false
	}
	return r.Values[0] / r.Values[1], true
}

// Figure is what a row compares.
type Figure string

// The figures that are compared. Times are in microseconds, memory in kB.
const (
	FigureCPU           Figure = "processor time"
	FigureAchieved      Figure = "rate"
	FigureP50           Figure = "p50"
	FigureP99           Figure = "p99"
	FigureP999          Figure = "p99.9"
	FigureFailed        Figure = "failed"
	FigureRetransmitted Figure = "retransmitted"
	FigureMemory        Figure = "memory"
)

// figures are read from a result in this order; ok is false if it was not measured.
func figures() []struct {
	name Figure
	of   func(*Result) (float64, bool)
} {
	type reader = func(*Result) (float64, bool)
	always := func(f func(*Result) float64) reader {
		return func(r *Result) (float64, bool) { return f(r), true }
	}
	server := func(f func(*Usage) float64) reader {
		return func(r *Result) (float64, bool) {
			if r.Server == nil {
				return 0, false
			}
			return f(r.Server), true
		}
	}
	return []struct {
		name Figure
		of   func(*Result) (float64, bool)
	}{
		{FigureCPU, server(func(u *Usage) float64 { return u.PerOp })},
		{FigureAchieved, always(func(r *Result) float64 { return r.Achieved })},
		{FigureP50, always(func(r *Result) float64 { return r.Latency.P50 })},
		{FigureP99, always(func(r *Result) float64 { return r.Latency.P99 })},
		{FigureP999, always(func(r *Result) float64 { return r.Latency.P999 })},
		{FigureFailed, always(func(r *Result) float64 { return float64(r.Counts.Failed) })},
		{FigureRetransmitted, always(func(r *Result) float64 { return float64(r.Counts.Retransmitted) })},
		{FigureMemory, server(func(u *Usage) float64 { return float64(u.Loaded) })},
	}
}

// same reports whether two results are of the same kind of run.
func (c *Comparison) same(r *Result) bool {
	return c.Scenario == r.Scenario && c.Transport == r.Transport && c.Rate == r.Rate && c.Hold == r.Hold
}

// Compare puts two series of results beside each other: what both have, in the order of the first.
func Compare(a, b []Result) []Comparison {
	var all []Comparison
	for i := range a {
		c := Comparison{Scenario: a[i].Scenario, Transport: a[i].Transport, Rate: a[i].Rate, Hold: a[i].Hold}
		if slices.ContainsFunc(all, func(d Comparison) bool { return d.same(&a[i]) }) {
			continue
		}
		if c.fill(a, b); c.Runs[1] > 0 {
			all = append(all, c)
		}
	}
	return all
}

// fill reads the figures that both sides have.
func (c *Comparison) fill(a, b []Result) {
	for _, f := range figures() {
		row := Row{Figure: f.name}
		found := 0
		for side, results := range [2][]Result{a, b} {
			var values []float64
			c.Runs[side] = 0
			for i := range results {
				if !c.same(&results[i]) {
					continue
				}
				c.Runs[side]++
				if v, ok := f.of(&results[i]); ok {
					values = append(values, v)
				}
			}
			if len(values) > 0 {
				row.Values[side] = median(values)
				found++
			}
		}
		if found == 2 {
			c.Rows = append(c.Rows, row)
		}
	}
}

// Value returns a row by its figure.
func (c *Comparison) Value(f Figure) (Row, bool) {
	i := slices.IndexFunc(c.Rows, func(r Row) bool { return r.Figure == f })
	if i < 0 {
		return Row{}, false
	}
	return c.Rows[i], true
}

// median sorts values.
func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
