// A plan: settings that have been read once and for all.

package dialplan

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	pn "github.com/nyaruka/phonenumbers"
)

// Plan decides where calls go. It never changes; safe for use by many goroutines.
type Plan struct {
	set     Settings
	zone    *time.Location
	numbers *numbering
	own     []string // countries that may be called without being allowed: the plan's and those of the trunks
	allowed []string
	night   []weekly
	rules   []rule
	hours   map[string]*hours
	trunks  map[string]*Trunk
	tests   []trial
}

// Compile reads settings into a plan. Its error is one sentence that names the field and the cure; several are joined, a line each. The settings belong to the plan afterwards.
func Compile(set Settings) (*Plan, error) {
	p := &Plan{set: set, zone: time.UTC, hours: make(map[string]*hours), trunks: make(map[string]*Trunk)}
	var err error
	if set.TimeZone != "" {
		if p.zone, err = time.LoadLocation(set.TimeZone); err != nil {
			return nil, fmt.Errorf("plan: time-zone %q is not known; write one such as Europe/Berlin", set.TimeZone)
		}
	}
	if p.numbers, err = newNumbering(&set); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	return p, errors.Join(p.readHours(), p.readTrunks(), p.readLimits(), p.readShort(), p.readRules(), p.readTests())
}

func (p *Plan) readHours() error {
	var faults []error
	for i := range p.set.Hours {
		h, err := readHours(&p.set.Hours[i], p.zone)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		p.hours[h.name] = h
	}
	return errors.Join(faults...)
}

func (p *Plan) readTrunks() error {
	var faults []error
	for i := range p.set.Trunks {
		t := &p.set.Trunks[i]
		p.trunks[t.Name] = t
		for _, in := range t.Inbound {
			if _, err := readTarget(in.Target); err != nil {
				faults = append(faults, fmt.Errorf("trunk %s: inbound %s: target %w", t.Name, in.Number, err))
			}
		}
		if t.Default != "" {
			if _, err := readTarget(t.Default); err != nil {
				faults = append(faults, fmt.Errorf("trunk %s: default-target %w", t.Name, err))
			}
		}
	}
	return errors.Join(faults...)
}

// readLimits finds the countries that may be called and reads the night.
func (p *Plan) readLimits() (err error) {
	l := &p.set.Limits
	if p.numbers.region != "" {
		p.own = append(p.own, p.numbers.region)
	}
	for _, t := range p.set.Trunks {
		if c := country(t.Country); c != "" && !slices.Contains(p.own, c) {
			p.own = append(p.own, c)
		}
	}
	for _, c := range l.Countries {
		if !knownCountry(c) {
			return fmt.Errorf("plan: countries: %q is not known; write two letters such as FR, or all", c)
		}
		p.allowed = append(p.allowed, strings.ToUpper(c))
	}
	switch l.NightLock {
	case "", LockNone, LockAbroad, LockAll:
	default:
		return fmt.Errorf("plan: night-lock %q is not known; write off, abroad or all", l.NightLock)
	}
	night := l.Night
	if night == nil {
		night = []string{DefaultNight}
	}
	if p.night, err = readRanges(night); err != nil {
		return fmt.Errorf("plan: night: %w", err)
	}
	return nil
}

// knownCountry reports whether c may stand in a list of countries.
func knownCountry(c string) bool {
	c = strings.ToUpper(c)
	return c == "ALL" || c == "001" || pn.GetSupportedRegions()[c]
}

// country reads a country that is written as two letters or as a calling code.
func country(s string) string {
	s = strings.ToUpper(strings.TrimPrefix(s, "+"))
	if code := 0; digits(s) && s != "" {
		if _, err := fmt.Sscanf(s, "%d", &code); err == nil {
			if region := pn.GetRegionCodeForCountryCode(code); region != pn.UNKNOWN_REGION {
				return region
			}
		}
		return ""
	}
	return s
}

func (p *Plan) readShort() error {
	for number, to := range p.set.Short {
		if _, ok := bare(number); !ok {
			return fmt.Errorf("plan: short-numbers: %q cannot be dialled; use digits, * and #", number)
		}
		if _, err := readTarget(to); err != nil {
			return fmt.Errorf("plan: short-numbers %s: target %w", number, err)
		}
	}
	return nil
}

// Number understands a number as the plan does.
func (p *Plan) Number(dialled string) Number { return p.numbers.read(dialled) }

// Zone is the time zone of the plan.
func (p *Plan) Zone() *time.Location { return p.zone }

// Emergency reports whether a number that somebody in the house dials is one for emergencies.
func (p *Plan) Emergency(dialled string) bool {
	_, ok := p.numbers.isEmergency(dialled)
	return ok
}
