// Emergency numbers: what no limit, no lock and no failing rule ever stops. RFC 5031 §4.1, §4.2; RFC 6881 §5 (ED-62: they are recognised before anything else).

package dialplan

import (
	"fmt"
	"strings"

	pn "github.com/nyaruka/phonenumbers"
)

// readEmergency makes the table of the numbers: those of the country, those that are set, and 112, which every mobile network knows; without a country 911 and 999 too.
func (n *numbering) readEmergency(more []string) {
	n.emergency = map[string]bool{"112": true}
	if n.region == "" {
		n.emergency["911"], n.emergency["999"] = true, true
	}
	for _, number := range more {
		if s, ok := bare(number); ok {
			n.emergency[s] = true
		}
	}
	if n.region == "" {
		return
	}
	for i := range 1000 { // every number of two and of three digits
		for _, s := range []string{fmt.Sprintf("%02d", i), fmt.Sprintf("%03d", i)} {
			if len(s) < 4 && pn.IsEmergencyNumber(s, n.region) {
				n.emergency[s] = true
			}
		}
	}
	for l := 4; l <= 6; l++ {
		n.lengths |= 1 << l
	}
}

// isEmergency reports whether somebody in the house who dials s wants help, with what leads outside before it or not.
func (n *numbering) isEmergency(s string) (number string, ok bool) {
	s, ok = bare(s)
	if !ok || len(s) > maxDialled {
		return "", false
	}
	if n.helps(s) {
		return s, true
	}
	if rest, cut := strings.CutPrefix(s, n.outside); cut && n.outside != "" && n.helps(rest) {
		return rest, true
	}
	return "", false
}

func (n *numbering) helps(s string) bool {
	if n.emergency[s] {
		return true
	}
	return len(s) < 8 && n.lengths&(1<<len(s)) != 0 && s[0] != '+' && s[0] != '*' && s[0] != '#' && pn.IsEmergencyNumber(s, n.region)
}

// of returns the number of the country for an emergency service that was asked for by its name: the number for everything, where it has no own one.
func (n *numbering) of(s Service) (number string) {
	candidates := []string{"112", "911", "999", "000", "111"}
	switch s {
	case "sos.police":
		candidates = append([]string{"110", "117", "133", "17"}, candidates...)
	case "sos.ambulance":
		candidates = append([]string{"144", "15"}, candidates...)
	case "sos.fire":
		candidates = append([]string{"118", "122", "18"}, candidates...)
	}
	for _, c := range candidates {
		if n.emergency[c] {
			return c
		}
	}
	return "112"
}
