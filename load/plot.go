// A drawing of a run: latency over time above, rate and failures below. SVG without script, readable on a light and on a dark ground.

package load

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// The measures of the drawing.
const (
	plotWidth, plotHeight = 860, 520
	plotLeft, plotRight   = 80, 24
	latencyTop            = 70
	latencyHeight         = 230
	rateTop               = 370
	rateHeight            = 100
	mostSteps             = 5 // between the lines of a linear scale
)

// The colours keep a contrast of at least three to one on white and on black.
const (
	colourP50    = "#0f9d74"
	colourP90    = "#3b82d6"
	colourP99    = "#d97706"
	colourMax    = "#8b8b8b"
	colourRate   = "#3b82d6"
	colourFailed = "#e5484d"
)

// style takes a grey that is as far from white as from black.
const style = `<style>
text{font:12px system-ui,sans-serif;fill:#767676}
.title{font-size:15px;font-weight:600}
.grid{stroke:#8886;stroke-width:1}
.window{fill:#8882}
path{fill:none;stroke-width:1.8;stroke-linejoin:round}
</style>
`

// Plot draws the series of a result as SVG.
func Plot(r *Result) []byte {
	d := &drawing{result: r}
	fmt.Fprintf(&d.b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img">`+"\n", plotWidth, plotHeight)
	d.b.WriteString(style)
	d.text(plotLeft, 28, "start", "title", fmt.Sprintf("%s over %s, %g/s", r.Scenario, r.Transport, r.Rate))
	d.text(plotLeft, 48, "start", "", strings.TrimSpace(fmt.Sprintf("p50 %s, p99 %s, p99.9 %s, max %s; failed %d of %d  %s",
		duration(r.Latency.P50), duration(r.Latency.P99), duration(r.Latency.P999), duration(r.Latency.Max), r.Counts.Failed, r.Counts.Started, r.Label)))
	d.latency()
	d.rate()
	d.time()
	d.b.WriteString("</svg>\n")
	return d.b.Bytes()
}

// drawing is a plot under way.
type drawing struct {
	b      bytes.Buffer
	result *Result
}

func (d *drawing) text(x, y float64, anchor, class, s string) {
	fmt.Fprintf(&d.b, `<text x="%.1f" y="%.1f" text-anchor="%s" class="%s">`, x, y, anchor, class)
	_ = xml.EscapeText(&d.b, []byte(s)) // a buffer takes everything
	d.b.WriteString("</text>\n")
}

func (d *drawing) grid(y float64, label string) {
	fmt.Fprintf(&d.b, `<line class="grid" x1="%d" x2="%d" y1="%.1f" y2="%.1f"/>`+"\n", plotLeft, plotWidth-plotRight, y, y)
	d.text(plotLeft-8, y+4, "end", "", label)
}

// length is how many seconds are drawn.
func (d *drawing) length() float64 {
	if n := len(d.result.Series); n > 0 {
		return max(d.result.Series[n-1].At, 0.1)
	}
	return max(d.result.Window, 0.1)
}

// x is where a second lies.
func (d *drawing) x(at float64) float64 {
	return plotLeft + (plotWidth-plotLeft-plotRight)*min(max(at/d.length(), 0), 1)
}

// curve draws a figure of the points that have one; y places it.
func (d *drawing) curve(colour string, of func(*Point) (float64, bool), y func(float64) float64) {
	var path strings.Builder
	pen := "M"
	for i := range d.result.Series {
		p := &d.result.Series[i]
		v, ok := of(p)
		if !ok {
			pen = "M"
			continue
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", pen, d.x(p.At), y(v))
		pen = "L"
	}
	if path.Len() > 0 {
		fmt.Fprintf(&d.b, `<path stroke="%s" d="%s"/>`+"\n", colour, path.String())
	}
}

// key names the curves beside their colours.
func (d *drawing) key(y float64, names, colours []string) {
	x := float64(plotWidth - plotRight)
	for i := len(names) - 1; i >= 0; i-- {
		d.text(x, y, "end", "", names[i])
		x -= float64(7*len(names[i]) + 8)
		fmt.Fprintf(&d.b, `<rect x="%.1f" y="%.1f" width="10" height="10" rx="2" fill="%s"/>`+"\n", x-8, y-9, colours[i])
		x -= 24
	}
}

// latency draws the upper part on a logarithmic scale.
func (d *drawing) latency() {
	low, high := math.Inf(1), 0.0
	for _, p := range d.result.Series {
		if p.Latency.Max > 0 {
			low, high = min(low, p.Latency.P50), max(high, p.Latency.Max)
		}
	}
	if high == 0 {
		low, high = 100, 1000
	}
	bottom, top := math.Floor(math.Log10(max(low, 1))), math.Ceil(math.Log10(max(high, 10)))
	top = max(top, bottom+1)
	y := func(us float64) float64 {
		return latencyTop + latencyHeight*(top-math.Log10(max(us, 1)))/(top-bottom)
	}
	for e := bottom; e <= top; e++ {
		d.grid(y(math.Pow(10, e)), duration(math.Pow(10, e)))
	}
	figure := func(of func(*Percentiles) float64) func(*Point) (float64, bool) {
		return func(p *Point) (float64, bool) { return of(&p.Latency), p.Latency.Max > 0 }
	}
	d.curve(colourMax, figure(func(l *Percentiles) float64 { return l.Max }), y)
	d.curve(colourP99, figure(func(l *Percentiles) float64 { return l.P99 }), y)
	d.curve(colourP90, figure(func(l *Percentiles) float64 { return l.P90 }), y)
	d.curve(colourP50, figure(func(l *Percentiles) float64 { return l.P50 }), y)
	d.key(48, []string{"p50", "p90", "p99", "max"}, []string{colourP50, colourP90, colourP99, colourMax})
}

// rate draws the lower part.
func (d *drawing) rate() {
	most := d.result.Rate
	for _, p := range d.result.Series {
		most = max(most, p.Rate, p.Failed)
	}
	step := niceStep(most)
	top := math.Ceil(most/step) * step
	y := func(v float64) float64 { return rateTop + rateHeight*(1-v/top) }
	for v := 0.0; v <= top+step/2; v += step {
		d.grid(y(v), fmt.Sprintf("%g/s", v))
	}
	d.curve(colourRate, func(p *Point) (float64, bool) { return p.Rate, true }, y)
	d.curve(colourFailed, func(p *Point) (float64, bool) { return p.Failed, true }, y)
	d.key(rateTop-14, []string{"answered", "failed"}, []string{colourRate, colourFailed})
}

// time draws the seconds and the measured window.
func (d *drawing) time() {
	step := niceStep(d.length())
	for at := 0.0; at <= d.length(); at += step {
		d.text(d.x(at), rateTop+rateHeight+20, "middle", "", fmt.Sprintf("%g s", at))
	}
	from := d.result.Warmup
	fmt.Fprintf(&d.b, `<rect class="window" x="%.1f" y="%d" width="%.1f" height="%d"/>`+"\n", d.x(from), latencyTop, d.x(from+d.result.Window)-d.x(from), latencyHeight)
	d.text(d.x(from)+6, latencyTop+latencyHeight+18, "start", "", "measured")
}

// niceStep divides a scale into a few steps of 1, 2 or 5 times a power of ten.
func niceStep(most float64) float64 {
	rough := max(most, 1e-9) / mostSteps
	unit := math.Pow(10, math.Floor(math.Log10(rough)))
	for _, n := range []float64{1, 2, 5} {
		if n*unit >= rough {
			return n * unit
		}
	}
	return 10 * unit
}

// duration prints microseconds in the unit that fits.
func duration(us float64) string {
	switch {
	case us < 1000:
		return fmt.Sprintf("%.3g µs", us)
	case us < 1e6:
		return fmt.Sprintf("%.3g ms", us/1000)
	}
	return fmt.Sprintf("%.3g s", us/1e6)
}
