package sip

import "testing"

// RFC 3966 §5.1.4, RFC 6140 §5.2: "+" and digits, nothing else.
func TestGlobalNumber(t *testing.T) {
	for uri, want := range map[string]string{
		"sip:+12145550102@ssp.example.com":                    "+12145550102",
		"sip:+1-214-555-0102@ssp.example.com;user=phone":      "+12145550102",
		"sip:%2B12145550102@ssp.example.com":                  "+12145550102",
		"sips:+4930(123).45;ext=7@ssp.example.com;user=phone": "+493012345",
		"tel:+1-214-555-0102":                                 "+12145550102",
		"tel:5550102;phone-context=+1214":                     "",
		"sip:2145550102@ssp.example.com":                      "",
		"sip:+@ssp.example.com":                               "",
		"sip:+012@ssp.example.com":                            "",
		"sip:+1234567890123456@ssp.example.com":               "",
		"sip:+12a@ssp.example.com":                            "",
		"sip:ssp.example.com":                                 "",
		"http://+12145550102":                                 "",
	} {
		got, ok := MustParseURI(uri).GlobalNumber()
		if got != want || ok != (want != "") {
			t.Errorf("%s: %q, %t; want %q", uri, got, ok, want)
		}
	}
}

// RFC 6140 §5.2: the number becomes the user, bnc goes; §7.1.1: sg says which telephone.
func TestExpand(t *testing.T) {
	for _, tt := range []struct{ contact, sg, want string }{
		{"sip:198.51.100.3:5060;bnc", "", "sip:+12145550102@198.51.100.3:5060"},
		{"sip:198.51.100.3;transport=tcp;bnc;user=phone", "", "sip:+12145550102@198.51.100.3;transport=tcp;user=phone"},
		{"sip:198.51.100.3;bnc", "00:05:03", "sip:+12145550102@198.51.100.3;sg=00:05:03"},
	} {
		u := MustParseURI(tt.contact)
		if got := u.Expand("+12145550102", tt.sg).String(); !u.Bulk() || got != tt.want {
			t.Errorf("%s: %s, want %s", tt.contact, got, tt.want)
		}
	}
	if MustParseURI("sip:a@b").Bulk() {
		t.Error("a contact of one is taken for many")
	}
}
