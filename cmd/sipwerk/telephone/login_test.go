package telephone

import "testing"

func TestCallerURI(t *testing.T) {
	for _, c := range []struct{ user, server, want string }{
		{"", "192.0.2.1:5060", ""},
		{"alice", "192.0.2.1:5060", "sip:alice@192.0.2.1"},
		{"alice", "sip:pbx.example.org;transport=tcp", "sip:alice@pbx.example.org"},
		{"alice@example.org", "192.0.2.1", "sip:alice@example.org"},
		{"sips:alice@example.org", "192.0.2.1", "sips:alice@example.org"},
		{"alice", "", "sip:alice"},
	} {
		if got := callerURI(c.user, c.server); got != c.want {
			t.Errorf("user %q at %q: %q, want %q", c.user, c.server, got, c.want)
		}
	}
}
