package conference

import (
	"strings"
	"testing"
)

// TestPINs: what is a PIN, and that it is kept as a hash of its own.
func TestPINs(t *testing.T) {
	one, err := NewPIN("4711")
	other, err2 := NewPIN("4711")
	if err != nil || err2 != nil || one == other || strings.Contains(string(one), "4711") {
		t.Fatal(one, other, err, err2)
	}
	if !one.Matches("4711") || one.Matches("4712") || one.Matches("") || PIN("").Matches("") {
		t.Error("the wrong PIN matches, or the right one does not")
	}
	for _, bad := range []string{"", "123", "12345678901234567", "12a4", "１２３４"} {
		if _, err := NewPIN(bad); err == nil {
			t.Errorf("%q is a PIN", bad)
		}
	}
	for _, broken := range []PIN{"x", "pbkdf2-sha256$0$AAAA$AAAA", "pbkdf2-sha256$99999999$AAAA$AAAA", one[:len(one)-3], "pbkdf2-sha256$10$!$" + one[len(one)-43:]} {
		if broken.Matches("4711") {
			t.Errorf("%s matches", broken)
		}
	}
}
