package dtls

import (
	"errors"
	"strings"
	"testing"
)

// TestParseFingerprint: RFC 8122 §5.
func TestParseFingerprint(t *testing.T) {
	certificate := []byte("not quite a certificate")
	for _, hash := range []string{"sha-1", "sha-224", "sha-256", "sha-384", "sha-512"} {
		f := fingerprintOf(hash, certificate)
		got, err := ParseFingerprint(" " + strings.ToUpper(hash) + "  " + strings.ToLower(f.Value) + " ")
		if err != nil || got != f {
			t.Errorf("%s: %v, %v", hash, got, err)
		}
		if again, err := ParseFingerprint(f.String()); err != nil || again != f || !matches(certificate, []Fingerprint{again}) || matches(certificate[1:], []Fingerprint{again}) {
			t.Errorf("%s: %v, %v", hash, again, err)
		}
	}
	good := fingerprintOf("sha-1", certificate).Value
	for _, bad := range []string{
		"", "sha-1", "sha-1 ", "md5 " + good[:47], "sha-256 " + good, "sha-1 " + good[3:], "sha-1 " + strings.ReplaceAll(good, ":", ""), "sha-1 " + good + ":",
		"sha-1 GG" + good[2:], "sha-512 " + strings.Repeat("AA:", 1000) + "AA", "sha-1 " + good + "\r\na=x",
	} {
		if f, err := ParseFingerprint(bad); !errors.Is(err, ErrFingerprint) {
			t.Errorf("%.60q is %v, %v", bad, f, err)
		}
	}
}

// TestStrongestHashCounts: of several hashes a weak one does not help. RFC 8122 §5.
func TestStrongestHashCounts(t *testing.T) {
	ours, other := []byte("ours"), []byte("other")
	for _, c := range []struct {
		named []Fingerprint
		want  bool
	}{
		{nil, false},
		{[]Fingerprint{{Hash: "md5", Value: "AA"}}, false},
		{[]Fingerprint{fingerprintOf("sha-1", ours), fingerprintOf("sha-256", other)}, false},
		{[]Fingerprint{fingerprintOf("sha-1", other), fingerprintOf("sha-256", ours)}, true},
		{[]Fingerprint{fingerprintOf("sha-256", other), fingerprintOf("sha-256", ours)}, true},
	} {
		if got := matches(ours, c.named); got != c.want {
			t.Errorf("%v: %v", c.named, got)
		}
	}
}

func FuzzFingerprint(f *testing.F) {
	f.Add(fingerprintOf("sha-256", nil).String())
	f.Fuzz(func(t *testing.T, value string) {
		got, err := ParseFingerprint(value)
		if err != nil {
			return
		}
		if again, err := ParseFingerprint(got.String()); err != nil || again != got {
			t.Errorf("%q: printed %q", value, got)
		}
	})
}
