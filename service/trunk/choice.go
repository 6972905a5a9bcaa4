// Which trunk a call is tried on first, and which next: by priority, and among equals by chance in proportion to their weights, as RFC 2782 does with servers.

package trunk

import (
	"cmp"
	"slices"
)

// candidate is a trunk that could take a call.
type candidate struct {
	line             *line
	priority, weight int
}

// arrange puts candidates into the order in which they are tried. draw returns a number below n.
func arrange(all []candidate, draw func(n int) int) {
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.priority, b.priority) })
	for start := 0; start < len(all); {
		end := start + 1
		for end < len(all) && all[end].priority == all[start].priority {
			end++
		}
		shuffle(all[start:end], draw)
		start = end
	}
}

// shuffle draws one after the other.
func shuffle(all []candidate, draw func(n int) int) {
	for ; len(all) > 1; all = all[1:] {
		sum := 0
		for _, c := range all {
			sum += max(c.weight, 1)
		}
		left := draw(sum)
		for i, c := range all {
			if left -= max(c.weight, 1); left < 0 {
				copy(all[1:], all[:i]) // the others keep their order
				all[0] = c
				break
			}
		}
	}
}
