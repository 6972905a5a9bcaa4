package prompt

// How English counts and tells the time.

import (
	"fmt"
	"time"
)

type english struct{}

func (english) number(n int) (pieces []string) {
	if n >= 1000 {
		pieces = append(below1000(n/1000), "thousand")
	}
	if n%1000 > 0 || n == 0 {
		pieces = append(pieces, below1000(n%1000)...)
	}
	return pieces
}

func (e english) count(n int, one, many string) []string {
	if n == 1 {
		return []string{numberPiece(1), one}
	}
	return append(e.number(n), many)
}

func (e english) date(month time.Month, day, year int) []string {
	pieces := []string{fmt.Sprintf("day[%d]", day), fmt.Sprintf("month[%d]", int(month))}
	if year != 0 {
		pieces = append(pieces, e.number(year)...)
	}
	return pieces
}

// clock is of twelve hours: "three oh five p.m.", "noon" is twelve p.m.
func (english) clock(hour, minute int) []string {
	half := "am"
	if hour >= 12 {
		half = "pm"
	}
	pieces := []string{numberPiece((hour+11)%12 + 1)}
	switch {
	case minute >= 10:
		pieces = append(pieces, numberPiece(minute))
	case minute > 0:
		pieces = append(pieces, fmt.Sprintf("oh[%d]", minute))
	}
	return append(pieces, half)
}
