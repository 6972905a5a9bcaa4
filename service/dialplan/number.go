// Numbers: what was dialled becomes E.164, with its country and its class. RFC 3966 §5.1, ITU-T E.164; the numbering plans are those of libphonenumber.

package dialplan

import (
	"fmt"
	"regexp"
	"strings"

	pn "github.com/nyaruka/phonenumbers"
)

// Number is what was dialled, understood.
type Number struct {
	Dialled string // digits, "+", "*" and "#", without separators and without what leads outside
	E164    string // "+" and digits; "" if it is no number of the telephone network, or a short one
	Country string // ISO 3166; "001" for numbers of no country (satellites, international freephone); "" unknown
	Class   Class
}

// Class is what kind of service a number leads to.
type Class string

// The classes. Premium, Personal and Satellite cost more than a call and are closed unless a limit opens them.
const (
	ClassNone      Class = ""          // no number of the telephone network
	ClassOrdinary  Class = "ordinary"  // fixed lines, and whatever is not known better
	ClassMobile    Class = "mobile"    //
	ClassFree      Class = "free"      // the called party pays
	ClassShared    Class = "shared"    // the costs are shared
	ClassPremium   Class = "premium"   //
	ClassPersonal  Class = "personal"  // leads to anywhere
	ClassSatellite Class = "satellite" //
	ClassShort     Class = "short"     // of the country's own network: 116117; it has no E.164 form
)

// costly reports whether a call costs more than others.
func (c Class) costly() bool { return c == ClassPremium || c == ClassPersonal || c == ClassSatellite }

// Outside reports whether it is a number of the telephone network.
func (n Number) Outside() bool { return n.Class != ClassNone }

// Text is the number as it is called outside.
func (n Number) Text() string {
	if n.E164 != "" {
		return n.E164
	}
	return n.Dialled
}

// numbering understands the numbers of one place.
type numbering struct {
	region  string // ISO 3166; "" for none
	area    string
	ndd     string // what stands before national numbers when they are dialled: "0"
	outside string

	emergency map[string]bool
	lengths   int              // bit n: emergency numbers of the country may have n digits, and are not in the table
	premium   []*regexp.Regexp // short numbers that cost more
}

// maxDialled is how long what is dialled may be.
const maxDialled = 40

func newNumbering(s *Settings) (*numbering, error) {
	n := &numbering{region: strings.ToUpper(s.Country), area: s.AreaCode, outside: s.Outside}
	if n.region != "" {
		if !pn.GetSupportedRegions()[n.region] {
			return nil, fmt.Errorf("country %q is not known; write its two letters, such as DE", s.Country)
		}
		n.ndd = pn.GetNddPrefixForRegion(n.region, true)
	}
	for _, f := range []struct{ name, value string }{{"area-code", s.AreaCode}, {"outside-prefix", s.Outside}} {
		if !digits(f.value) {
			return nil, fmt.Errorf("%s %q is none; write digits only", f.name, f.value)
		}
	}
	if n.region != "" && n.ndd != "" && n.ndd != "1" {
		n.area = strings.TrimPrefix(n.area, n.ndd)
	}
	n.readEmergency(s.Emergency)
	return n, n.readPremium()
}

// readPremium finds the short numbers of the country that cost more, such as those of directory enquiries.
func (n *numbering) readPremium() error {
	short, err := pn.ShortNumberMetadataCollection()
	if err != nil {
		return fmt.Errorf("the numbering plans cannot be read: %w", err)
	}
	for _, m := range short.GetMetadata() {
		if m.GetId() != n.region || m.GetPremiumRate().GetNationalNumberPattern() == "" {
			continue
		}
		re, err := regexp.Compile("^(?:" + m.GetPremiumRate().GetNationalNumberPattern() + ")$")
		if err != nil {
			return fmt.Errorf("the numbering plan of %s cannot be read: %w", n.region, err)
		}
		n.premium = append(n.premium, re)
	}
	return nil
}

// bare takes the separators out of what was dialled; ok is false if it is more than digits, "*", "#" and a "+" before them. RFC 3966 §3.
func bare(dialled string) (s string, ok bool) {
	if len(dialled) > maxDialled {
		return "", false
	}
	b := make([]byte, 0, maxDialled)
	for i := range len(dialled) {
		switch c := dialled[i]; {
		case c >= '0' && c <= '9', c == '*', c == '#', c == '+' && len(b) == 0:
			b = append(b, c)
		case c == ' ', c == '-', c == '.', c == '(', c == ')', c == '/':
		default:
			return "", false
		}
	}
	return string(b), len(b) > 0
}

// digits reports whether s has nothing but digits, or nothing at all.
func digits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// read understands what was dialled.
func (n *numbering) read(dialled string) Number {
	s, ok := bare(dialled)
	if !ok || strings.ContainsAny(s, "*#") {
		return Number{Dialled: dialled}
	}
	asIs := n.national(s)
	if rest, cut := strings.CutPrefix(s, n.outside); cut && n.outside != "" && !valid(asIs) {
		// Who dials the prefix means the outside. Where it is the digit that stands before national numbers too, a number that is one without it counts as dialled without it:
		// nobody is called abroad who is at home, or the other way round.
		if beyond := n.national(rest); valid(beyond) || !asIs.Outside() {
			return beyond
		}
	}
	return asIs
}

// valid reports whether a number belongs to a known range.
func valid(n Number) bool {
	if n.E164 == "" {
		return n.Outside()
	}
	num, err := pn.Parse(n.E164, pn.UNKNOWN_REGION)
	return err == nil && pn.IsValidNumber(num)
}

// national reads a number as it is dialled on a telephone line of the country.
func (n *numbering) national(s string) Number {
	switch {
	case s == "":
		return Number{}
	case s[0] == '+':
		return n.parsed(s, s)
	case n.region == "":
		if rest, ok := strings.CutPrefix(s, "00"); ok {
			return n.parsed(s, "+"+rest)
		}
		return Number{Dialled: s}
	case n.short(s):
		return Number{Dialled: s, Country: n.region, Class: n.shortClass(s)}
	}
	if full, ok := n.local(s); ok {
		return n.parsed(s, full)
	}
	whole := n.parsed(s, s)
	if prefixed := n.ndd != "" && strings.HasPrefix(s, n.ndd) || n.abroad(s); !prefixed && (len(s) < minLocal || !valid(whole)) {
		return Number{Dialled: s}
	}
	return whole
}

// minLocal is how many digits a number without area code has at least: fewer are an extension that does not exist.
const minLocal = 5

// local completes a number that was dialled without its area code. Where there is a trunk prefix, it tells (0 in most countries); elsewhere it is a number that is none without the area code.
func (n *numbering) local(s string) (string, bool) {
	if n.area == "" || len(s) < minLocal {
		return "", false
	}
	if n.ndd != "" && n.ndd != "1" {
		return n.ndd + n.area + s, !strings.HasPrefix(s, n.ndd) && !n.abroad(s)
	}
	if num, err := pn.Parse(s, n.region); err == nil && pn.IsValidNumber(num) {
		return "", false
	}
	num, err := pn.Parse(n.area+s, n.region)
	return n.area + s, err == nil && pn.IsValidNumber(num)
}

// abroad reports whether a number begins as those of other countries do.
func (n *numbering) abroad(s string) bool {
	num, err := pn.ParseAndKeepRawInput(s, n.region)
	return err == nil && num.GetCountryCodeSource() == pn.PhoneNumber_FROM_NUMBER_WITH_IDD
}

// parsed reads a number in full.
func (n *numbering) parsed(dialled, full string) Number {
	region := n.region
	if region == "" {
		region = pn.UNKNOWN_REGION
	}
	num, err := pn.Parse(full, region)
	if err != nil || !pn.IsPossibleNumber(num) {
		return Number{Dialled: dialled}
	}
	e164 := pn.Format(num, pn.E164)
	if len(e164) > 16 {
		return Number{Dialled: dialled}
	}
	// Networks connect when a number is whole: digits beyond that make no cheaper number of an expensive one.
	pn.TruncateTooLongNumber(num)
	return Number{Dialled: dialled, E164: e164, Country: countryOf(num), Class: classOf(num)}
}

// countryOf is the country of a number. One that no plan knows yet belongs to the main country of its calling code.
func countryOf(num *pn.PhoneNumber) string {
	if region := pn.GetRegionCodeForNumber(num); region != "" && region != pn.UNKNOWN_REGION {
		return region
	}
	return pn.GetRegionCodeForCountryCode(int(num.GetCountryCode()))
}

func classOf(num *pn.PhoneNumber) Class {
	switch num.GetCountryCode() {
	case 870, 881, 882, 883: // Inmarsat, satellites, international networks
		return ClassSatellite
	case 979:
		return ClassPremium
	case 878:
		return ClassPersonal
	}
	switch pn.GetNumberType(num) {
	case pn.PREMIUM_RATE:
		return ClassPremium
	case pn.PERSONAL_NUMBER:
		return ClassPersonal
	case pn.SHARED_COST:
		return ClassShared
	case pn.TOLL_FREE:
		return ClassFree
	case pn.MOBILE, pn.PAGER:
		return ClassMobile
	}
	return ClassOrdinary
}

// short reports whether s is a short number of the country's network. Such numbers have 3 to 6 digits.
func (n *numbering) short(s string) bool {
	if len(s) < 3 || len(s) > 6 {
		return false
	}
	code := int32(pn.GetCountryCodeForRegion(n.region))
	var national uint64
	for i := range len(s) {
		national = national*10 + uint64(s[i]-'0')
	}
	num := &pn.PhoneNumber{CountryCode: &code, NationalNumber: &national}
	return s[0] != '0' && pn.IsValidShortNumberForRegion(num, n.region)
}

// directory is how numbers of directory enquiries begin in Europe; the plans do not say everywhere that they cost more.
const directory = "118"

func (n *numbering) shortClass(s string) Class {
	if strings.HasPrefix(s, directory) && len(s) > 4 {
		return ClassPremium
	}
	for _, re := range n.premium {
		if re.MatchString(s) {
			return ClassPremium
		}
	}
	return ClassShort
}
