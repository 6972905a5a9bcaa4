// Which features a domain has: the numbers of the PBX, and the codes for forwards.

package dial

import "strings"

// Features knows what can be dialled besides people and numbers: numbers and names in lower case. The codes for forwards need not be in it.
type Features map[string]bool

// has reports whether what was dialled is a feature. What stands behind the number of one (*45600) belongs to it.
func (f Features) has(dialled string) bool {
	s := strings.ToLower(dialled)
	if f[s] {
		return true
	}
	if _, ok := ReadOrder(s); ok {
		return true
	}
	if _, ok := ReadNight(s); ok {
		return true
	}
	for n := len(s) - 1; n > 1 && s[0] == '*'; n-- {
		if f[s[:n]] {
			return true
		}
	}
	return false
}
