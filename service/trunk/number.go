// Numbers as a provider writes them, and as we do: E.164 with "+". RFC 3966 §5.1.4.

package trunk

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sipwerk/sipwerk/sip"
)

// Format is how a provider writes numbers.
type Format uint8

// The formats, with a number in Berlin for a provider in Germany.
const (
	FormatE164     Format = iota // +4930123456
	FormatExit                   // 004930123456
	FormatNational               // 030123456, and 0033… for other countries
	FormatPlain                  // 4930123456
)

// Numbering is how a provider writes numbers, and which are ours.
type Numbering struct {
	Format  Format
	Country string // calling code without "+": "49"; "": numbers without it are left as they are
	Area    string // area code without its zero: "30"
	Strip   int    // digits taken off the front of what goes out
	Prefix  string // then put there
	Out, In []Rule // tried last, and first; the first that matches counts
	Own     []Range
}

// Rule rewrites a number that matches.
type Rule struct {
	Match   *regexp.Regexp
	Replace string // with $1 for what the first bracket holds
}

// Range are numbers of E.164 of one length; Last is First for one alone.
type Range struct{ First, Last string }

// holds reports whether a number is in the range. Numbers of one length are ordered as their texts are.
func (r Range) holds(number string) bool {
	return len(number) == len(r.First) && number >= r.First && number <= r.Last
}

// Owns reports whether a number of E.164 is ours.
func (n *Numbering) Owns(number string) bool {
	return slices.ContainsFunc(n.Own, func(r Range) bool { return r.holds(number) })
}

// Outgoing writes a number as the provider wants it. What is no number of E.164, such as 110, goes as it is.
func (n *Numbering) Outgoing(number string) string {
	out := number
	if sip.IsGlobalNumber(number) {
		out = n.format(number)
		if n.Strip > 0 {
			sign := ""
			if out[0] == '+' {
				sign, out = "+", out[1:]
			}
			out = sign + out[min(n.Strip, len(out)):]
		}
		out = n.Prefix + out
	}
	return rewrite(n.Out, out)
}

func (n *Numbering) format(number string) string {
	digits := number[1:]
	national, home := strings.CutPrefix(digits, n.Country)
	switch {
	case n.Format == FormatE164:
		return number
	case n.Format == FormatPlain:
		return digits
	case n.Format == FormatNational && home && n.Country != "":
		return trunkPrefix(n.Country) + national
	}
	return exitPrefix(n.Country) + digits
}

// Incoming reads a number as the provider writes it; ok is false for what is none of E.164, which is returned as it came.
func (n *Numbering) Incoming(user string) (number string, ok bool) {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune("-.() ", r) {
			return -1
		}
		return r
	}, user)
	plain = rewrite(n.In, plain)
	if plain == "" || strings.Trim(plain[1:], "0123456789") != "" || plain[0] != '+' && (plain[0] < '0' || plain[0] > '9') {
		return user, false
	}
	for _, try := range n.readings(plain) {
		if sip.IsGlobalNumber(try) {
			return try, true
		}
	}
	return user, false
}

// readings are what digits may mean, the likeliest first.
func (n *Numbering) readings(s string) []string {
	if s[0] == '+' {
		return []string{s}
	}
	all := "+" + s
	if n.Owns(all) || n.Country == "" && n.Format == FormatPlain {
		return []string{all}
	}
	if rest, ok := strings.CutPrefix(s, exitPrefix(n.Country)); ok {
		return []string{"+" + rest}
	}
	if n.Country == "" {
		return nil
	}
	zero := trunkPrefix(n.Country)
	switch rest, ok := strings.CutPrefix(s, zero); {
	case n.Country == "1" && len(s) == 10:
		return []string{"+1" + s}
	case n.Country == "1" && ok:
		return []string{all}
	case ok && zero != "":
		return []string{"+" + n.Country + rest}
	case n.Format == FormatPlain, strings.HasPrefix(s, n.Country) && len(s) > 9:
		return []string{all}
	case n.Area != "":
		return []string{"+" + n.Country + n.Area + s}
	case zero == "":
		return []string{"+" + n.Country + s}
	}
	return nil
}

// trunkPrefix is what stands before a number inside a country: a zero, but for those that have none (Italy keeps its zero as part of the number) and North America.
func trunkPrefix(country string) string {
	switch country {
	case "1":
		return "1"
	case "39", "34", "351", "45", "47", "420", "48", "30", "352", "377", "378", "371", "372", "356", "357", "354":
		return ""
	case "7":
		return "8"
	case "36":
		return "06"
	}
	return "0"
}

// exitPrefix is what stands before a number of another country.
func exitPrefix(country string) string {
	switch country {
	case "1":
		return "011"
	case "7":
		return "810"
	}
	return "00"
}

// rewrite applies the first rule that matches.
func rewrite(rules []Rule, s string) string {
	for _, r := range rules {
		if r.Match.MatchString(s) {
			return r.Match.ReplaceAllString(s, r.Replace)
		}
	}
	return s
}

// ParseRule reads "PATTERN=>REPLACEMENT": a regular expression for the whole number, and what is put in its place.
func ParseRule(s string) (Rule, error) {
	pattern, replace, _ := strings.Cut(s, "=>")
	match, err := regexp.Compile("^(?:" + strings.TrimSpace(pattern) + ")$")
	return Rule{Match: match, Replace: strings.TrimSpace(replace)}, err
}
