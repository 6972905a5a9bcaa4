// Package ladder draws who said what to whom and when: one column a host, one arrow a message. Tests keep ladders as golden files, and the
// product shows them to whoever must find out why a call failed.
//
// It draws text, with box-drawing arrows or in plain ASCII. It captures nothing: the caller brings the messages. The words of RFC 3665.
package ladder

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Message is one arrow, or a note if To is empty.
type Message struct {
	Time time.Duration // since the start of the ladder
	From string        // the column where it begins
	To   string        // the column where it ends
	Text string        // what stands on the arrow; [Text] makes it from the bytes of a message
	Lost bool          // it never arrived
}

// Ladder is a drawing. The zero value is empty and ready.
type Ladder struct {
	Hosts    []string // the columns from left to right; hosts that only the messages name follow in their order
	Messages []Message
	ASCII    bool // for terminals without box-drawing characters
}

// pen holds the characters of a style.
type pen struct{ line, dash, left, right, lost string }

func (l *Ladder) pen() pen {
	if l.ASCII {
		return pen{line: "|", dash: "-", left: "<", right: ">", lost: "x"}
	}
	return pen{line: "│", dash: "─", left: "◄", right: "►", lost: "✗"}
}

// The layout: the time stands before the first column, and an arrow has this much around its text.
const (
	timeWidth = 12
	arrowRoom = 6
	minGap    = 18
)

// String draws the ladder, with a line feed behind each line.
func (l *Ladder) String() string {
	hosts := l.hosts()
	if len(hosts) == 0 {
		return ""
	}
	d := drawing{pen: l.pen(), hosts: hosts, gap: l.gap(hosts)}
	d.heads()
	for _, m := range l.Messages {
		if m.To == "" {
			d.note(m)
			continue
		}
		d.arrow(m)
	}
	return d.out.String()
}

// hosts returns the columns.
func (l *Ladder) hosts() []string {
	hosts := slices.Clone(l.Hosts)
	for _, m := range l.Messages {
		for _, h := range [...]string{m.From, m.To} {
			if h != "" && !slices.Contains(hosts, h) {
				hosts = append(hosts, h)
			}
		}
	}
	return hosts
}

// gap returns the distance between two columns: the widest text fits on an arrow between neighbours.
func (l *Ladder) gap(hosts []string) int {
	gap := minGap
	for _, m := range l.Messages {
		span := max(1, distance(slices.Index(hosts, m.From), slices.Index(hosts, m.To)))
		if m.To != "" {
			gap = max(gap, (utf8.RuneCountInString(m.Text)+arrowRoom+span-1)/span)
		}
	}
	for _, h := range hosts {
		gap = max(gap, utf8.RuneCountInString(h)+2)
	}
	return gap
}

func distance(a, b int) int {
	if a > b {
		return a - b
	}
	return b - a
}

// drawing is a ladder while it is drawn.
type drawing struct {
	pen   pen
	hosts []string
	gap   int
	out   strings.Builder
}

// heads writes the names over the columns.
func (d *drawing) heads() {
	line := make([]string, timeWidth+(len(d.hosts)-1)*d.gap+1)
	for i := range line {
		line[i] = " "
	}
	row := strings.Join(line, "")
	for i, h := range d.hosts {
		at := max(0, timeWidth+i*d.gap-utf8.RuneCountInString(h)/2)
		row = overlay(row, at, h)
	}
	d.out.WriteString(strings.TrimRight(row, " ") + "\n")
}

// overlay writes s over row from column at on.
func overlay(row string, at int, s string) string {
	runes := []rune(row)
	for i, r := range []rune(s) {
		if at+i >= len(runes) {
			runes = append(runes, r)
			continue
		}
		runes[at+i] = r
	}
	return string(runes)
}

// lines returns a row with the time and all columns.
func (d *drawing) lines(at time.Duration) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%*s  ", timeWidth-2, fmt.Sprintf("%.3f s", at.Seconds()))
	for i := range d.hosts {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", d.gap-1))
		}
		b.WriteString(d.pen.line)
	}
	return b.String()
}

// arrow writes one message.
func (d *drawing) arrow(m Message) {
	from, to := slices.Index(d.hosts, m.From), slices.Index(d.hosts, m.To)
	row := d.lines(m.Time)
	if from == to {
		d.out.WriteString(overlay(row, timeWidth+from*d.gap+1, " "+m.Text+" (to itself)") + "\n")
		return
	}
	width := distance(from, to)*d.gap - 1
	text := " " + m.Text + " "
	fill := max(0, width-1-utf8.RuneCountInString(text))
	left, right := strings.Repeat(d.pen.dash, fill/2), strings.Repeat(d.pen.dash, fill-fill/2)
	tip := d.pen.right
	if from > to {
		tip = d.pen.left
	}
	if m.Lost {
		tip = d.pen.lost
	}
	body := left + text + right + tip
	if from > to {
		body = tip + left + text + right
	}
	d.out.WriteString(overlay(row, timeWidth+min(from, to)*d.gap+1, body) + "\n")
}

// note writes a remark beside the column where it belongs.
func (d *drawing) note(m Message) {
	at := max(0, slices.Index(d.hosts, m.From))
	d.out.WriteString(overlay(d.lines(m.Time), timeWidth+at*d.gap+1, " "+m.Text) + "\n")
}
