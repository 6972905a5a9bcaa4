// The kinds of values: how each is read from text and written back. A flag, a variable and a scalar of the file all come through here.

package config

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sipwerk/sipwerk/sip/digest"
)

// Value reads and writes one setting. Its methods are those of flag.Value.
type Value interface {
	// Set replaces the value; a list takes its items separated by commas. An error says what is wrong and what would be right.
	Set(s string) error
	// String writes the value as Set takes it; "" if it is not set.
	String() string
}

// text is any string.
type text string

func (t *text) Set(s string) error { *t = text(strings.TrimSpace(s)); return nil }
func (t *text) String() string     { return string(*t) }

// list is strings separated by commas.
type list []string

func (l *list) Set(s string) error {
	*l = nil
	for item := range strings.SplitSeq(s, ",") {
		if item = strings.TrimSpace(item); item != "" {
			*l = append(*l, item)
		}
	}
	return nil
}

func (l *list) String() string { return strings.Join(*l, ",") }

// prefixes are address prefixes separated by commas; a bare address is a prefix of one.
type prefixes []netip.Prefix

func (p *prefixes) Set(s string) error {
	var items list
	_ = items.Set(s)
	var ps prefixes
	for _, item := range items {
		prefix, err := netip.ParsePrefix(item)
		if err != nil {
			addr, aerr := netip.ParseAddr(item)
			if aerr != nil {
				return fmt.Errorf("%q is no address prefix; write one such as 192.0.2.0/24", item)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		ps = append(ps, prefix.Masked())
	}
	*p = ps
	return nil
}

func (p *prefixes) String() string {
	var b []string
	for _, prefix := range *p {
		b = append(b, prefix.String())
	}
	return strings.Join(b, ",")
}

// algorithms are digest algorithms separated by commas, each once.
type algorithms []digest.Algorithm

func (as *algorithms) Set(s string) error {
	const cure = "write one or more of MD5, SHA-256, SHA-512-256"
	var items list
	_ = items.Set(s)
	var all algorithms
	for _, item := range items {
		a, ok := digest.ParseAlgorithm(item)
		if !ok {
			return fmt.Errorf("%q is no algorithm; %s", item, cure)
		}
		if slices.Contains(all, a) {
			return fmt.Errorf("%s is named twice; %s, each once", a, cure)
		}
		all = append(all, a)
	}
	if len(all) == 0 {
		return errors.New("no algorithm is named; " + cure)
	}
	*as = all
	return nil
}

func (as *algorithms) String() string {
	var b []string
	for _, a := range *as {
		b = append(b, a.String())
	}
	return strings.Join(b, ",")
}

// address is an IP address.
type address netip.Addr

func (a *address) Set(s string) error {
	if s = strings.TrimSpace(s); s == "" {
		*a = address{}
		return nil
	}
	addr, err := netip.ParseAddr(s)
	if err != nil || addr.Zone() != "" || addr.IsUnspecified() {
		return fmt.Errorf("%q is no IP address; write one such as 203.0.113.7", s)
	}
	*a = address(addr.Unmap())
	return nil
}

func (a *address) String() string {
	if addr := netip.Addr(*a); addr.IsValid() {
		return addr.String()
	}
	return ""
}

// duration is a time span with its unit.
type duration time.Duration

func (d *duration) Set(s string) error {
	v, err := time.ParseDuration(strings.TrimSpace(s))
	if err != nil || v < 0 || v > 24*time.Hour {
		return fmt.Errorf("%q is no time span up to a day; write one such as 30s or 5m", s)
	}
	*d = duration(v)
	return nil
}

func (d *duration) String() string { return written(time.Duration(*d)) }

// span is a time span between two others, or 0 for none if that is possible.
type span struct {
	to       *time.Duration
	min, max time.Duration
	none     bool
}

func (p span) Set(s string) error {
	v, err := time.ParseDuration(strings.TrimSpace(s))
	if err == nil && (v >= p.min && v <= p.max || v == 0 && p.none) {
		*p.to = v
		return nil
	}
	cure := "write one"
	if p.none {
		cure = "write one, or 0 for none"
	}
	return fmt.Errorf("%q is no time span from %s to %s; %s", s, written(p.min), written(p.max), cure)
}

func (p span) String() string { return written(*p.to) }

// written is a time span as people write it: 30m, not 30m0s.
func written(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// choice is one word of a few.
type choice struct {
	to    *string
	words string // separated by ", "
}

func (c choice) Set(s string) error {
	s = strings.ToLower(strings.TrimSpace(s))
	for word := range strings.SplitSeq(c.words, ", ") {
		if s == word {
			*c.to = s
			return nil
		}
	}
	return fmt.Errorf("%q is not known; write one of %s", s, c.words)
}

func (c choice) String() string { return *c.to }

// toggle is yes or no.
type toggle bool

func (t *toggle) Set(s string) error {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "yes", "true", "on":
		*t = true
	case "no", "false", "off", "":
		*t = false
	default:
		return fmt.Errorf("%q is neither yes nor no; write one of them", s)
	}
	return nil
}

func (t *toggle) String() string {
	if *t {
		return "yes"
	}
	return "no"
}

// count is a number between two others.
type count struct {
	to       *int
	min, max int
}

func (c count) Set(s string) error {
	n, err := strconv.Atoi(strings.ReplaceAll(strings.TrimSpace(s), "_", ""))
	if err != nil || n < c.min || n > c.max {
		return fmt.Errorf("%q is no number from %d to %d; write one", s, c.min, c.max)
	}
	*c.to = n
	return nil
}

func (c count) String() string { return strconv.Itoa(*c.to) }

// PortRange is a range of UDP ports, both ends included.
type PortRange struct{ First, Last uint16 }

// Set reads "20000-29999".
func (r *PortRange) Set(s string) error {
	v, err := parsePortRange(strings.TrimSpace(s))
	if err != nil {
		return fmt.Errorf("%q %w; write first and last port such as 20000-29999", s, err)
	}
	*r = v
	return nil
}

// String writes the range as Set takes it.
func (r *PortRange) String() string { return fmt.Sprintf("%d-%d", r.First, r.Last) }

func parsePortRange(s string) (PortRange, error) {
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		return PortRange{}, errors.New("is no port range")
	}
	first, err := strconv.ParseUint(strings.TrimSpace(from), 10, 16)
	if err != nil || first == 0 {
		return PortRange{}, errors.New("starts with no port")
	}
	last, err := strconv.ParseUint(strings.TrimSpace(to), 10, 16)
	if err != nil || last == 0 {
		return PortRange{}, errors.New("ends with no port")
	}
	if last < first+3 {
		return PortRange{}, errors.New("holds less than the four ports of one call")
	}
	return PortRange{First: uint16(first), Last: uint16(last)}, nil
}
