// What the settings of calls and registrations do to requests of telephones.

package server

import (
	"strings"
	"testing"

	"github.com/sipwerk/sipwerk/media/session"
	"github.com/sipwerk/sipwerk/sip"
)

// TestRegistrationSettings: RFC 3608 §6, RFC 5626 §5.4.
func TestRegistrationSettings(t *testing.T) {
	s := start(t, map[string]string{"registrations.flow-timer": "45s", "registrations.service-route": "sip:p1.example.org;lr, sip:p2.example.org;lr"})
	h := newHandset(t, s)
	res := h.prove(h.request("REGISTER", "sip:example.org", "sip:bob@example.org", "Supported: outbound, path",
		`Contact: <sip:bob@127.0.0.1:9>;+sip.instance="<urn:uuid:1>";reg-id=1`), "bob", "secret of bob")
	var routes []string
	for route := range res.Values(sip.HeaderServiceRoute) {
		routes = append(routes, route)
	}
	if got := strings.Join(routes, " "); got != "<sip:p1.example.org;lr> <sip:p2.example.org;lr>" {
		t.Errorf("Service-Route %s", got)
	}
	if got := res.Get(sip.HeaderFlowTimer); got != "45" {
		t.Errorf("Flow-Timer %q", got)
	}
}

// TestCallSettings: RFC 4028 §9; RFC 3261 §13.2.2.1.
func TestCallSettings(t *testing.T) {
	s := start(t, map[string]string{"calls.session-expires": "1h", "calls.min-session": "4m", "calls.pass-redirects": "yes", "calls.ring-time": "1s", "calls.silence": "0"})
	h := newHandset(t, s)
	invite := func(lines ...string) *sip.Response {
		return h.prove(h.request("INVITE", "sip:bob@example.org", "sip:alice@example.org", append(lines, "Contact: <sip:alice@127.0.0.1:9>")...), "alice", "secret of alice")
	}
	if res := invite("Supported: timer", "Session-Expires: 100"); res.Status != sip.StatusSessionIntervalTooSmall || res.Get(sip.HeaderMinSE) != "240" {
		t.Errorf("a session that lasts too short got\n%s", res)
	}
	if s.calls.Silence >= 0 || s.conferences.Voice.Silence != 0 || s.features.Voice.Silence != 0 {
		t.Errorf("silence ends calls after %v, in rooms after %v, at numbers of the server after %v", s.calls.Silence, s.conferences.Voice.Silence, s.features.Voice.Silence)
	}
	if c := s.calls; !c.PassRedirects || c.RingTime.Seconds() != 1 || s.dialogs.SessionExpires.Hours() != 1 {
		t.Errorf("redirects %t, %v of ringing, %v of session", c.PassRedirects, c.RingTime, s.dialogs.SessionExpires)
	}
}

// TestMediaSettings: what is set for an account goes before what its connection suggests.
func TestMediaSettings(t *testing.T) {
	s := start(t, map[string]string{"media.music": "none", "media.kinds": "bob=dtls"})
	if s.calls.Media.Music != nil {
		t.Error("there is music")
	}
	l := s.calls.Locator.(*locator)
	for account, want := range map[string]session.Kind{"bob": session.DTLS, "alice": session.WebRTC} {
		if got := l.kind(sip.URI{Scheme: "sip", User: account, Host: "example.org"}, sip.WSS); got != want {
			t.Errorf("%s is called as %v, want %v", account, got, want)
		}
	}
	if got := l.kind(sip.URI{User: "alice"}, sip.TLS); got != session.Opportunistic {
		t.Errorf("over TLS: %v", got)
	}
	if _, err := Start(t.Context(), configuration(t, map[string]string{"media.music": "./settings_test.go"}), Options{}); err == nil || !strings.HasPrefix(err.Error(), "media.music: ") {
		t.Errorf("music that is none: %v", err)
	}
}

// TestNoSessionTimers: a server that wants none refuses none for its length.
func TestNoSessionTimers(t *testing.T) {
	h := newHandset(t, start(t, map[string]string{"calls.session-expires": "0"}))
	req := h.request("INVITE", "sip:bob@example.org", "sip:alice@example.org", "Supported: timer", "Session-Expires: 20", "Contact: <sip:alice@127.0.0.1:9>")
	if res := h.prove(req, "alice", "secret of alice"); res.Status != sip.StatusTemporarilyUnavailable {
		t.Errorf("got\n%s", res)
	}
}
