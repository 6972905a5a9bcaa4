package dialplan

import "testing"

// TestNumbers: what is dialled in a place, as E.164. RFC 3966 §5.1.4, §5.1.5.
func TestNumbers(t *testing.T) {
	places := map[string]Settings{
		"Berlin":   {Country: "DE", AreaCode: "030", Outside: "0"},
		"Hamburg":  {Country: "de"},
		"New York": {Country: "US", AreaCode: "212", Outside: "9"},
		"Rome":     {Country: "IT", AreaCode: "06"},
		"Madrid":   {Country: "ES"},
		"London":   {Country: "GB", AreaCode: "20"},
		"nowhere":  {},
	}
	plans := map[string]*Plan{}
	for name, set := range places {
		plans[name] = compiled(t, set)
	}
	for _, c := range []struct {
		place, dialled, e164, country string
		class                         Class
	}{
		{"Berlin", "+33123456789", "+33123456789", "FR", ClassOrdinary},
		{"Berlin", "+33 (1) 23-45.67/89", "+33123456789", "FR", ClassOrdinary},
		{"Berlin", "0033123456789", "+33123456789", "FR", ClassOrdinary},
		{"Berlin", "00033123456789", "+33123456789", "FR", ClassOrdinary}, // with the digit that leads outside
		{"Berlin", "04912345678", "+494912345678", "DE", ClassOrdinary},
		{"Berlin", "0170 1234567", "+491701234567", "DE", ClassMobile},
		{"Berlin", "00170 1234567", "+491701234567", "DE", ClassMobile},
		{"Berlin", "12345678", "+493012345678", "DE", ClassOrdinary},
		{"Berlin", "0900 1234567", "+499001234567", "DE", ClassPremium},
		{"Berlin", "+49 900 1234567 8", "+4990012345678", "DE", ClassPremium}, // as good as without the last digit
		{"Berlin", "0180 2123456", "+491802123456", "DE", ClassShared},
		{"Berlin", "0800 1234567", "+498001234567", "DE", ClassFree},
		{"Berlin", "116117", "", "DE", ClassShort},
		{"Berlin", "11833", "", "DE", ClassPremium},
		{"Berlin", "+870 773123456", "+870773123456", "001", ClassSatellite},
		{"Berlin", "+882 16 12345678", "+8821612345678", "001", ClassSatellite},
		{"Berlin", "+979 123456789", "+979123456789", "001", ClassPremium},
		{"Berlin", "+800 12345678", "+80012345678", "001", ClassFree},
		{"Berlin", "+1 876 5551234", "+18765551234", "JM", ClassMobile}, // another country behind the code of the USA
		{"Berlin", "+44 70 12345678", "+447012345678", "GB", ClassPersonal},
		{"Berlin", "*43", "", "", ClassNone},
		{"Berlin", "alice", "", "", ClassNone},
		{"Berlin", "", "", "", ClassNone},
		{"Berlin", "+", "", "", ClassNone},
		{"Berlin", "+49", "", "", ClassNone},
		{"Berlin", "00000000000000000000000000000000000000000000000000", "", "", ClassNone},
		{"Hamburg", "040 123456", "+4940123456", "DE", ClassOrdinary},
		{"New York", "5551234", "+12125551234", "US", ClassOrdinary},
		{"New York", "212 555 1234", "+12125551234", "US", ClassOrdinary},
		{"New York", "1 212 555 1234", "+12125551234", "US", ClassOrdinary},
		{"New York", "9 1 212 555 1234", "+12125551234", "US", ClassOrdinary},
		{"New York", "011 49 30 123456", "+4930123456", "DE", ClassOrdinary},
		{"New York", "1 900 555 1234", "+19005551234", "US", ClassPremium},
		{"Rome", "06 12345678", "+390612345678", "IT", ClassOrdinary},
		{"Madrid", "912345678", "+34912345678", "ES", ClassOrdinary},
		{"London", "020 7946 0958", "+442079460958", "GB", ClassOrdinary},
		{"London", "7946 0958", "+442079460958", "GB", ClassOrdinary},
		{"nowhere", "+4930123456", "+4930123456", "DE", ClassOrdinary},
		{"nowhere", "004930123456", "+4930123456", "DE", ClassOrdinary},
		{"nowhere", "030123456", "", "", ClassNone},
	} {
		n := plans[c.place].Number(c.dialled)
		if n.E164 != c.e164 || n.Country != c.country || n.Class != c.class {
			t.Errorf("%s dials %q: %+v, want %s %s %s", c.place, c.dialled, n, c.e164, c.country, c.class)
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"+4930123456", "0012", "*21*+49#", "+1 (212) 555", "112", "hours:x?open=1&closed=2", "\x00", "0"} {
		f.Add(s)
	}
	p, err := Compile(berlin(newHouse()))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := p.Number(s)
		if n.E164 != "" && (len(n.E164) > 16 || n.E164[0] != '+' || !digits(n.E164[1:]) || !n.Outside()) {
			t.Errorf("%q: %+v", s, n)
		}
		d := p.Decide(p.from("200", s))
		if d.Summary() == "" || len(d.Steps) == 0 {
			t.Errorf("%q: %+v", s, d)
		}
		_, _ = ParseMoment(s, noon)
		_, _ = readRanges([]string{s})
		_, _ = readHoliday(s)
	})
}
