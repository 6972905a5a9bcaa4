package video

// Which quality each tile of a receiver shows.

// A Want is what one tile could show: the rates of the streams of its source in bit/s, the best first, 0 for one that is not sent; and which of them it shows, -1 for none.
type Want struct {
	Rates []int
	Shown int
}

// Nothing is what a tile shows for which there is no room.
const Nothing = -1

// reserve is how much room there must be for a better stream beyond its rate, so that nobody goes up and down all the time: a fifth of it.
const reserve = 5

// Share divides a rate of bit/s among tiles, the most important first, and returns the stream of each. First each gets its least, then each in turn the best that there is room for. The
// first tile shows something whatever the rate.
func Share(rate int, wants []Want) []int {
	out := make([]int, len(wants))
	for i := range wants {
		out[i] = wants[i].least()
		if out[i] == Nothing {
			continue
		}
		if cost := wants[i].cost(out[i]); i == 0 || cost <= rate {
			rate -= cost
		} else {
			out[i] = Nothing
		}
	}
	for i := range wants {
		if out[i] == Nothing {
			continue
		}
		for k, r := range wants[i].Rates[:out[i]] {
			if more := wants[i].cost(k) - wants[i].cost(out[i]); r > 0 && more <= rate {
				rate -= more
				out[i] = k
				break
			}
		}
	}
	return out
}

// least is the stream with the lowest quality that is sent.
func (w *Want) least() int {
	for i := len(w.Rates) - 1; i >= 0; i-- {
		if w.Rates[i] > 0 {
			return i
		}
	}
	return Nothing
}

// cost is what a stream takes: one that is not shown yet, or is better than what is, a reserve besides.
func (w *Want) cost(k int) int {
	if w.Shown == Nothing || k < w.Shown {
		return w.Rates[k] + w.Rates[k]/reserve
	}
	return w.Rates[k]
}
