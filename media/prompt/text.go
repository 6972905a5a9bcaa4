package prompt

// The texts: en.txt and de.txt.

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
)

// Line is a text and its name.
type Line struct{ Name, Text string }

//go:embed en.txt de.txt
var textFiles embed.FS

// Texts returns what is spoken in a language, in the order of its file.
func Texts(language string) ([]Line, error) {
	b, err := textFiles.ReadFile(language + ".txt")
	if err != nil {
		return nil, fmt.Errorf("prompt: no texts in %q", language)
	}
	var lines []Line
	for s := range strings.Lines(string(b)) {
		if s = strings.TrimSpace(s); s == "" || s[0] == '#' {
			continue
		}
		name, text, ok := strings.Cut(s, " = ")
		if !ok {
			return nil, fmt.Errorf("prompt: %s.txt: %q is not name = text", language, s)
		}
		lines = append(lines, expand(name, text)...)
	}
	return lines, nil
}

// expand makes a line a number of a range: n[0-9] = {}.
func expand(name, text string) []Line {
	stem, bounds, _ := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	from, to, ok := strings.Cut(bounds, "-")
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	if !ok || err1 != nil || err2 != nil {
		return []Line{{name, text}}
	}
	var lines []Line
	for n := first; n <= last; n++ {
		number := strconv.Itoa(n)
		lines = append(lines, Line{stem + "[" + number + "]", strings.ReplaceAll(text, "{}", number)})
	}
	return lines
}
