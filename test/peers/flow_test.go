// The flows of RFC 3665 §2 and §3, played by SIPp on both sides of the server, and registration over every transport.

package peers

import (
	"strconv"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/jssip"
	"github.com/sipwerk/sipwerk/test/peers/sipp"
)

// side is a SIPp process at the server.
func (s *server) side(t *testing.T, scenario, user, service string) sipp.Side {
	t.Helper()
	return sipp.Side{Scenario: scenario, Server: s.addr("udp"), Domain: domain, User: user, Password: password(user), Service: service, IP: "127.0.0.1", Port: freePort(t)}
}

// TestRegistrations: RFC 3665 §2.1 to §2.5.
func TestRegistrations(t *testing.T) {
	t.Parallel()
	need(t, "sipp")
	s := serve(t, "r1", "r2", "r3", "r4", "r5", "r6", "r7")
	for i, scenario := range []string{"register_new", "register_update", "register_fetch", "register_cancel"} {
		t.Run(scenario, func(t *testing.T) {
			user := "r" + strconv.Itoa(i+1)
			must(t, scenario, sipp.Play(soon(t), t, s.side(t, scenario, user, user)))
		})
	}
	t.Run("register_refused", func(t *testing.T) {
		side := s.side(t, "register_refused", "r5", "r5")
		side.Password = "wrong"
		must(t, "refused", sipp.Play(soon(t), t, side))
	})
	t.Run("tcp", func(t *testing.T) {
		side := s.side(t, "register_new", "r6", "r6")
		side.Server, side.TCP = s.addr("tcp"), true
		must(t, "tcp", sipp.Play(soon(t), t, side))
	})
	t.Run("udp over IPv6", func(t *testing.T) {
		side := s.side(t, "register_new", "r7", "r7")
		side.Server, side.IP = s.addr("udp6"), "::1"
		must(t, "IPv6", sipp.Play(soon(t), t, side))
	})
}

// play registers the called side, and lets both play their parts of a call.
func play(t *testing.T, called, caller sipp.Side) {
	t.Helper()
	ctx := within(t, 2*time.Minute)
	register := called
	register.Scenario = "register_new"
	must(t, "register", sipp.Play(ctx, t, register))
	rings, err := sipp.Start(t, called)
	must(t, "called side", err)
	must(t, "caller", sipp.Play(ctx, t, caller))
	must(t, "called side", rings.Wait(ctx))
}

// TestCallFlows: RFC 3665 §3, with the server between the two sides.
func TestCallFlows(t *testing.T) {
	t.Parallel()
	need(t, "sipp")
	s := serve(t, "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan")
	for _, c := range []struct{ name, caller, called, callee string }{
		{"3.3 answered", "caller_answered", "called_answers", "bob"},
		{"3.6 offer in the 200", "caller_late_offer", "called_late_offer", "carol"},
		{"3.7 re-INVITE", "caller_reinvite", "called_reinvite", "dave"},
		{"3.8 cancelled", "caller_cancels", "called_cancelled", "erin"},
		{"3.9 busy", "caller_busy", "called_busy", "frank"},
		{"3.10 no response", "caller_no_response", "called_silent", "heidi"},
	} {
		t.Run(c.name, func(t *testing.T) {
			play(t, s.side(t, c.called, c.callee, c.callee), s.side(t, c.caller, "alice", c.callee))
		})
	}
	t.Run("3.3 answered, over IPv6", func(t *testing.T) {
		called, caller := s.side(t, "called_answers", "ivan", "ivan"), s.side(t, "caller_answered", "alice", "ivan")
		called.Server, called.IP = s.addr("udp6"), "::1"
		caller.Server, caller.IP = called.Server, called.IP
		play(t, called, caller)
	})
	t.Run("3.11 offline", func(t *testing.T) {
		must(t, "caller", sipp.Play(soon(t), t, s.side(t, "caller_offline", "alice", "grace")))
	})
	t.Run("3.11 unknown", func(t *testing.T) {
		must(t, "caller", sipp.Play(soon(t), t, s.side(t, "caller_unknown", "alice", "nobody")))
	})
}

// TestWebSocket: a browser's stack registers over WS and WSS, and is rung over the connection that it opened.
func TestWebSocket(t *testing.T) {
	t.Parallel()
	need(t, "node", "npm", "sipp")
	s := serve(t, "alice", "bob", "carol")
	dir := t.TempDir()
	must(t, "install", jssip.Install(within(t, 5*time.Minute), dir))
	for scheme, user := range map[string]string{"ws": "bob", "wss": "carol"} {
		t.Run(scheme, func(t *testing.T) {
			ctx := within(t, 2*time.Minute)
			p, err := jssip.Start(t, dir, scheme+"://"+s.addr(scheme), s.account(user, scheme, ""))
			must(t, "start", err)
			_, err = p.WaitFor(ctx, "registered")
			must(t, "register", err)
			must(t, "call", sipp.Play(ctx, t, s.side(t, "caller_busy", "alice", user)))
			_, err = p.WaitFor(ctx, "newRTCSession remote")
			must(t, "ring", err)
			must(t, "quit", p.Quit(ctx))
		})
	}
}
