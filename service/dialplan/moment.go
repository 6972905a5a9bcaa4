// Moments as people write them: in tests and on the command line.

package dialplan

import (
	"fmt"
	"strings"
	"time"
)

// ParseMoment reads a moment: "now" or "", "22:00", "sunday 22:00", "2026-12-24 22:00" or RFC 3339. What is missing comes from now: the next such day of the week, today itself included.
func ParseMoment(s string, now time.Time) (time.Time, error) {
	s = strings.TrimSpace(strings.ToLower(s))
	if s == "" || s == "now" {
		return now, nil
	}
	if t, err := time.Parse(time.RFC3339, strings.ToUpper(s)); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation("2006-01-02 15:04", s, now.Location()); err == nil {
		return t, nil
	}
	day, text, two := strings.Cut(s, " ")
	if !two {
		day, text = "", s
	}
	minute, ok := readClock(text, true)
	ahead := 0
	if two && ok {
		var wanted time.Weekday
		wanted, ok = weekdays[day]
		ahead = (int(wanted) - int(now.Weekday()) + 7) % 7
	}
	if !ok {
		return time.Time{}, fmt.Errorf("%q is no time; write one such as sunday 22:00, 2026-12-24 22:00 or 22:00", s)
	}
	y, m, d := now.Date()
	return time.Date(y, m, d+ahead, minute/60, minute%60, 0, 0, now.Location()), nil
}
