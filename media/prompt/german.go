package prompt

// How German counts and tells the time.

import (
	"fmt"
	"time"
)

type german struct{}

// number: units go before tens, so all below 100 are pieces of their own, and a thousand takes "ein" where one is "eins".
func (german) number(n int) (pieces []string) {
	if k := n / 1000; k > 0 {
		if k >= 100 {
			pieces = append(pieces, fmt.Sprintf("h[%d]", k/100))
		}
		switch k % 100 {
		case 0:
			pieces = append(pieces, "thousand")
		case 1:
			pieces = append(pieces, "one-thousand")
		default:
			pieces = append(pieces, numberPiece(k%100), "thousand")
		}
	}
	if n%1000 > 0 || n == 0 {
		pieces = append(pieces, below1000(n%1000)...)
	}
	return pieces
}

func (g german) count(n int, one, many string) []string {
	if n == 1 {
		return []string{"one", one}
	}
	return append(g.number(n), many)
}

func (g german) date(month time.Month, day, year int) []string {
	pieces := []string{fmt.Sprintf("day[%d]", day), fmt.Sprintf("month[%d]", int(month))}
	if year != 0 {
		pieces = append(pieces, g.number(year)...)
	}
	return pieces
}

// clock is of twenty-four hours: "fünfzehn Uhr zweiundvierzig".
func (german) clock(hour, minute int) []string {
	pieces := []string{numberPiece(hour), "clock"}
	if hour == 1 {
		pieces = []string{"one-clock"}
	}
	if minute > 0 {
		pieces = append(pieces, numberPiece(minute))
	}
	return pieces
}
