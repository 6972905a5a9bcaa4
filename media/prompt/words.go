package prompt

// What can be said. Which pieces that takes is the matter of the language.

import (
	"fmt"
	"strings"
	"time"
)

// Words are something to be said, in whatever language.
type Words func(g grammar) []string

// grammar is how a language says what has no text of its own. Its methods return names of pieces.
type grammar interface {
	// number is a cardinal, at least 0 and below a million.
	number(n int) []string
	// count is a number before a noun that is feminine in German; one is the noun for 1, many for all others.
	count(n int, one, many string) []string
	// date is the day of a month, and the year if it is not 0.
	date(month time.Month, day, year int) []string
	// clock is the time of a day.
	clock(hour, minute int) []string
}

// Text says the pieces of those names: the texts of en.txt and de.txt, or files of one's own.
func Text(names ...string) Words { return func(grammar) []string { return names } }

// maxNumber is the largest number that is said as one.
const maxNumber = 999_999

// Number says a number: "twenty-one". One that is out of range is said digit by digit.
func Number(n int) Words {
	if n < 0 || n > maxNumber {
		return Digits(fmt.Sprint(n))
	}
	return func(g grammar) []string { return g.number(n) }
}

// Count says how many there are: noun[1] is the noun of one, noun[2] that of several.
func Count(n int, noun string) Words {
	return func(g grammar) []string { return g.count(n, noun+"[1]", noun+"[2]") }
}

// Digits says a number as it is dialled: digit by digit, with plus, star and hash. Everything else in it is left out.
func Digits(number string) Words {
	return func(grammar) (pieces []string) {
		for _, c := range number {
			if at := strings.IndexRune("+*#", c); at >= 0 {
				pieces = append(pieces, [...]string{"plus", "star", "hash"}[at])
			} else if c >= '0' && c <= '9' {
				pieces = append(pieces, numberPiece(int(c-'0')))
			}
		}
		return pieces
	}
}

// When says when something was, seen from now, in the time zone of now: "yesterday at three forty-two p.m.".
func When(t, now time.Time) Words {
	t = t.In(now.Location())
	return func(g grammar) []string { return append(day(g, t, now), g.clock(t.Hour(), t.Minute())...) }
}

// day says the day of t as briefly as it is clear from now, up to "at".
func day(g grammar, t, now time.Time) []string {
	switch age := midnight(now).Sub(midnight(t)).Round(24*time.Hour) / (24 * time.Hour); {
	case age == 0:
		return []string{"today"}
	case age == 1:
		return []string{"yesterday"}
	case age > 1 && age < 7:
		return []string{fmt.Sprintf("weekday[%d]", int(t.Weekday()))}
	}
	year := 0
	if t.Year() != now.Year() {
		year = t.Year()
	}
	return append(g.date(t.Month(), t.Day(), year), "at")
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// numberPiece is the piece of a number below 100.
func numberPiece(n int) string { return fmt.Sprintf("n[%d]", n) }

// below1000 are the pieces of a number below a thousand.
func below1000(n int) (pieces []string) {
	if n >= 100 {
		pieces = append(pieces, fmt.Sprintf("h[%d]", n/100))
	}
	if n%100 > 0 || n == 0 {
		pieces = append(pieces, numberPiece(n%100))
	}
	return pieces
}
