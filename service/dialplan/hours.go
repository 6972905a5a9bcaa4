// Hours: weekly ranges by the clock on the wall of a time zone, and holidays. A range is compared with the wall clock of the moment asked for, so that a change to or from
// summer time makes a night longer or shorter, but never opens or closes at another time of day.

package dialplan

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// hours are opening hours that have been read.
type hours struct {
	name     string
	zone     *time.Location
	ranges   []weekly
	holidays []holiday
	state    HoursState
}

// weekly is a range of every week: days as bits, from and to in minutes of the day. One that ends before it begins ends on the next day.
type weekly struct {
	days     uint8
	from, to int
}

// holiday is a day, or several, on which it is closed.
type holiday struct {
	name     string
	from, to civil
	yearly   bool // the year is not looked at
}

// civil is a day of the calendar.
type civil struct{ year, month, day int }

func (c civil) before(d civil) bool {
	if c.year != d.year {
		return c.year < d.year
	}
	if c.month != d.month {
		return c.month < d.month
	}
	return c.day < d.day
}

func civilOf(t time.Time) civil {
	y, m, d := t.Date()
	return civil{y, int(m), d}
}

// readHours reads opening hours.
func readHours(h *Hours, standard *time.Location) (*hours, error) {
	out := &hours{name: h.Name, zone: standard, state: h.State}
	if h.TimeZone != "" {
		zone, err := time.LoadLocation(h.TimeZone)
		if err != nil {
			return nil, fmt.Errorf("hours %s: time-zone %q is not known; write one such as Europe/Berlin", h.Name, h.TimeZone)
		}
		out.zone = zone
	}
	var err error
	if out.ranges, err = readRanges(h.Open); err != nil {
		return nil, fmt.Errorf("hours %s: open: %w", h.Name, err)
	}
	for _, text := range h.Holidays {
		day, err := readHoliday(text)
		if err != nil {
			return nil, fmt.Errorf("hours %s: holidays: %w", h.Name, err)
		}
		out.holidays = append(out.holidays, day)
	}
	return out, nil
}

// open reports whether it is open, and says why in a word: the time of day, the name of the holiday, or that somebody has said so.
func (h *hours) open(t time.Time) (open bool, why string) {
	if h.state == HoursOpen || h.state == HoursClosed {
		return h.state == HoursOpen, "set by hand"
	}
	return h.byTimes(t)
}

// byTimes is open without what somebody has said.
func (h *hours) byTimes(t time.Time) (open bool, why string) {
	t = t.In(h.zone)
	for _, day := range h.holidays {
		if day.holds(civilOf(t)) {
			return false, day.name
		}
	}
	return holds(h.ranges, t), clock(t)
}

// clock writes the time of day for people.
func clock(t time.Time) string {
	return [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}[t.Weekday()] + " " + t.Format("15:04")
}

func holds(ranges []weekly, wall time.Time) bool {
	minute := wall.Hour()*60 + wall.Minute()
	today, yesterday := uint8(1)<<wall.Weekday(), uint8(1)<<((wall.Weekday()+6)%7)
	for _, r := range ranges {
		switch {
		case r.from < r.to:
			if r.days&today != 0 && minute >= r.from && minute < r.to {
				return true
			}
		case r.days&today != 0 && minute >= r.from, r.days&yesterday != 0 && minute < r.to:
			return true
		}
	}
	return false
}

func (h *holiday) holds(d civil) bool {
	if h.yearly {
		d.year = h.from.year
		if h.to.before(h.from) { // from Christmas to New Year
			return !d.before(h.from) || !h.to.before(d)
		}
	}
	return !d.before(h.from) && !h.to.before(d)
}

// readRanges reads "mon-fri 08:00-12:00, 13:00-17:30" and its like. A text without days has those of the one before.
func readRanges(texts []string) (all []weekly, err error) {
	r := weekly{}
	for _, text := range texts {
		days, times, ok := strings.Cut(strings.ToLower(strings.TrimSpace(text)), " ")
		if !ok && r.days != 0 {
			times = days
		} else if r.days, ok = readDays(days, ok); !ok {
			return nil, fmt.Errorf("%q is no range; write one such as mon-fri 08:00-17:30", text)
		}
		for span := range strings.SplitSeq(times, ",") {
			from, to, ok := strings.Cut(strings.TrimSpace(span), "-")
			r.from, ok = readHour(from, ok)
			r.to, ok = readHour(to, ok)
			if !ok || r.from == 24*60 {
				return nil, fmt.Errorf("%q is no range; write one such as mon-fri 08:00-17:30", text)
			}
			all = append(all, r)
		}
	}
	return all, nil
}

// weekdays are the names of the days, as far as they are written, with their number.
var weekdays = map[string]time.Weekday{
	"su": 0, "sun": 0, "sunday": 0, "so": 0, "sonntag": 0, "mo": 1, "mon": 1, "monday": 1, "montag": 1, "tu": 2, "tue": 2, "tuesday": 2, "di": 2, "dienstag": 2,
	"we": 3, "wed": 3, "wednesday": 3, "mi": 3, "mittwoch": 3, "th": 4, "thu": 4, "thursday": 4, "do": 4, "donnerstag": 4, "fr": 5, "fri": 5, "friday": 5, "freitag": 5,
	"sa": 6, "sat": 6, "saturday": 6, "samstag": 6,
}

// readDays reads "mon-fri", "sat,sun", "daily".
func readDays(s string, ok bool) (days uint8, _ bool) {
	if s == "daily" || s == "täglich" {
		return 127, ok
	}
	for part := range strings.SplitSeq(s, ",") {
		first, last, span := strings.Cut(part, "-")
		from, known := weekdays[first]
		to := from
		if span {
			var also bool
			to, also = weekdays[last]
			known = known && also
		}
		if !known || !ok {
			return 0, false
		}
		for d := from; ; d = (d + 1) % 7 {
			if days |= 1 << d; d == to {
				break
			}
		}
	}
	return days, true
}

// readHour reads "8:00" as readClock does, and "8" as the same.
func readHour(s string, ok bool) (int, bool) {
	if s = strings.TrimSpace(s); !strings.Contains(s, ":") {
		s += ":00"
	}
	return readClock(s, ok)
}

// readClock reads "8:00" as minutes of the day; "24:00" is its end.
func readClock(s string, ok bool) (int, bool) {
	hour, minute, colon := strings.Cut(strings.TrimSpace(s), ":")
	h, err1 := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	if !ok || !colon || err1 != nil || err2 != nil || h < 0 || m < 0 || m > 59 || h*60+m > 24*60 || len(minute) != 2 {
		return 0, false
	}
	return h*60 + m, true
}

// readHoliday reads "12-25", "2026-12-24", "2026-12-24..2027-01-02", with a name behind a space.
func readHoliday(text string) (holiday, error) {
	dates, name, _ := strings.Cut(strings.TrimSpace(text), " ")
	first, last, span := strings.Cut(dates, "..")
	from, yearly, ok := readDate(first)
	h := holiday{name: strings.TrimSpace(name), from: from, to: from, yearly: yearly}
	if span && ok {
		var every bool
		h.to, every, ok = readDate(last)
		ok = ok && every == yearly && (yearly || !h.to.before(h.from))
	}
	if !ok {
		return h, fmt.Errorf("%q is no day; write one such as 2026-12-24, 12-25 for every year, or 2026-12-24..2027-01-02", text)
	}
	if h.name == "" {
		h.name = dates
	}
	return h, nil
}

func readDate(s string) (c civil, yearly, ok bool) {
	layout := "2006-01-02"
	if yearly = len(s) == 5; yearly {
		layout, s = "2006-01-02", "2000-"+s // a leap year
	}
	t, err := time.Parse(layout, s)
	return civilOf(t), yearly, err == nil
}
