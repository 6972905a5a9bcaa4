// Numbers, and one registration for many of them: the global number of a URI, and the parameters of a bulk contact. RFC 3966 §5.1.4; RFC 6140 §5, §7.1.

package sip

// maxNumber is how many digits a number of E.164 may have.
const maxNumber = 15

// GlobalNumber returns the telephone number that the user part of a sip, sips or tel URI is, as "+" and digits, without visual separators; ok is false if it is none that is
// valid everywhere.
func (u URI) GlobalNumber() (number string, ok bool) {
	if !u.IsSIP() && u.Scheme != "tel" || len(u.User) < 2 || u.User[0] != '+' && u.User[0] != '%' {
		return "", false
	}
	if number = telNumber(u.UserName()); IsGlobalNumber(number) {
		return number, true
	}
	return "", false
}

// IsGlobalNumber reports whether s is "+" and the digits of a number of E.164.
func IsGlobalNumber(s string) bool {
	if len(s) < 2 || len(s) > maxNumber+1 || s[0] != '+' || s[1] == '0' {
		return false
	}
	for i := 1; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// Bulk reports whether the URI is a bulk contact, which stands for all numbers of its registrant: the bnc parameter. RFC 6140 §5.1.
func (u URI) Bulk() bool { _, ok := u.Param("bnc"); return ok }

// Expand returns the contact of one number that a bulk contact stands for. device, if not empty, is the sg parameter of the GRUU that was called: which telephone behind the
// registrant is meant. RFC 6140 §5.2, §7.1.1.
func (u URI) Expand(number, device string) URI {
	u.User = number
	if u.Params = u.Params.Without("bnc"); device != "" {
		u.Params = u.Params.With("sg", device)
	}
	return u
}
