package sip

import (
	"strings"
	"testing"
)

func TestSessionID(t *testing.T) {
	const a, b = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	unknown := SessionID{NilUUID, NilUUID}
	for _, c := range []struct {
		in    string
		want  SessionID
		known bool
	}{
		{a + ";remote=" + b, SessionID{a, b}, true},
		{a + " ; Remote=" + b + ";x=y", SessionID{a, b}, true},
		{a + ";remote=" + NilUUID, SessionID{a, NilUUID}, true},
		{a, SessionID{a, NilUUID}, true},
		{strings.ToUpper(a), SessionID{a, NilUUID}, true},
		{NilUUID + ";remote=" + b, SessionID{NilUUID, b}, false},
		{a[1:], unknown, false},
		{a + ";remote=" + b[1:], unknown, false},
		{strings.Replace(a, "f", "g", 1), unknown, false},
		{"", unknown, false},
	} {
		var r Request
		r.Set(HeaderSessionID, c.in)
		if got := r.SessionID(); got != c.want || got.Known() != c.known {
			t.Errorf("%q: %v, known %v", c.in, got, got.Known())
		}
	}
	for want, id := range map[string]SessionID{a + ";remote=" + NilUUID: {Local: a}, NilUUID + ";remote=" + NilUUID: {}, a + ";remote=" + b: {a, b}} {
		if got := id.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestNewSessionUUID(t *testing.T) {
	id := NewSessionUUID("call")
	if !isUUID(id) || id[12] != '5' || id != NewSessionUUID("call") || id == NewSessionUUID("call2") {
		t.Errorf("identifier %q", id)
	}
}
