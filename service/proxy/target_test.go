package proxy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// targets reads "a:900 b:900+ C:500": name and preference, + for a spare, a capital for sips.
func targets(text string) []Target {
	var ts []Target
	for f := range strings.FieldsSeq(text) {
		var t Target
		name, q, _ := strings.Cut(f, ":")
		t.URI = sip.URI{Scheme: "sip", User: name, Host: "h"}
		if strings.ToUpper(name) == name {
			t.URI.Scheme = "sips"
		}
		q, t.Spare = strings.CutSuffix(q, "+")
		_, _ = fmt.Sscan(q, &t.Q)
		ts = append(ts, t)
	}
	return ts
}

func names(ts []Target) string {
	s := ""
	for _, t := range ts {
		if s += t.URI.User; t.Spare {
			s += "+"
		}
	}
	return s
}

// RFC 3261 §16.6: by preference; RFC 5630 §5.3: sips goes to sips.
func TestArrange(t *testing.T) {
	for _, c := range []struct {
		in, scheme string
		most       int
		want       string
		groups     string // at most two leads each
	}{
		{"", "sip", 9, "", ""},
		{"a:1000+", "sip", 9, "a", "a"},
		{"a:1000 b:1000", "sip", 9, "ab", "ab"},
		{"a:500 b:1000 c:700 d:1000", "sip", 9, "bdca", "bd c a"},
		{"a:500 b:0+ c:700", "sip", 9, "cab+", "c ab+"},
		{"a:1 b:1 c:1", "sip", 2, "ab", "ab"},
		{"a:1 b:1+ c:1 d:1", "sip", 9, "ab+cd", "ab+c d"},
		{"a:9 B:5 c:5 D:9", "sips", 9, "DB", "D B"},
		{"A:9 B:9+ c:9 D:9+", "sips", 9, "AB+D", "AB+D"},
	} {
		ts := arrange(targets(c.in), c.scheme, c.most)
		if got := names(ts); got != c.want {
			t.Errorf("%s: %s, want %s", c.in, got, c.want)
		}
		var groups []string
		for len(ts) > 0 {
			n := max(group(ts, 2), 1)
			groups, ts = append(groups, names(ts[:n])), ts[n:]
		}
		if got := strings.Join(groups, " "); got != c.groups {
			t.Errorf("%s: groups %s, want %s", c.in, got, c.groups)
		}
	}
}

// RFC 3261 §16.7 step 6: which of two refusals is the better one.
func TestRank(t *testing.T) {
	for _, order := range [][]sip.Status{
		{603, 302, 401, 486, 480, 408, 500, 503},
		{600, 407, 404, 487, 502},
		{604, 300, 415, 488, 430, 487, 504},
		{606, 420, 403, 482},
		{484, 403, 483, 503},
	} {
		for i := 1; i < len(order); i++ {
			if rank(order[i-1]) >= rank(order[i]) {
				t.Errorf("%d is not better than %d", order[i-1], order[i])
			}
		}
	}
}
