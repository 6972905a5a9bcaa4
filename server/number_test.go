// Calls to and from the numbers of an account: a telephone system that has registered for all of them at once. RFC 6140.

package server

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/sip"
)

// refuses reads until a request of a method comes, refuses it, and returns it.
func (h *handset) refuses(method sip.Method, status sip.Status) (*sip.Request, error) {
	buf := make([]byte, 65536)
	h.conn.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		n, err := h.conn.Read(buf)
		if err != nil {
			return nil, err
		}
		req, err := sip.ParseRequest(buf[:n])
		if err != nil || req.Method != method {
			continue
		}
		req = req.Clone()
		res := req.Reply(status)
		res.Set(sip.HeaderTo, req.Get(sip.HeaderTo)+";tag=h")
		_, err = h.conn.Write([]byte(res.String()))
		return req, err
	}
}

// startNumbers starts a server on which a number is bob's.
func startNumbers(t *testing.T, service, number string) *Server {
	t.Helper()
	s := start(t, map[string]string{"service": service})
	if err := s.Store.AddNumbers(t.Context(), "example.org", "bob", []string{number}); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNumbers(t *testing.T) {
	const number = "+12145550102"
	for _, service := range []string{"pbx", "proxy"} {
		t.Run(service, func(t *testing.T) {
			s := startNumbers(t, service, number)
			system, alice := newHandset(t, s), newHandset(t, s)
			register := func(h *handset, user, contact string, lines ...string) {
				lines = append(lines, "Contact: <"+contact+">")
				if res := h.prove(h.request("REGISTER", "sip:example.org", "sip:"+user+"@example.org", lines...), user, "secret of "+user); res.Status != sip.StatusOK {
					t.Fatalf("%s: %s", user, res)
				}
			}
			register(system, "bob", fmt.Sprintf("sip:%s;bnc", system.conn.LocalAddr()), "Require: gin", "Proxy-Require: gin", "Supported: path")
			register(alice, "alice", fmt.Sprintf("sip:alice@%s", alice.conn.LocalAddr()))
			for _, c := range []struct {
				to               *handset
				caller, who, uri string
				status           sip.Status
				target, identity string
			}{
				{system, "alice", "sip:alice@example.org", "sip:" + number + "@example.org", sip.StatusBusyHere, fmt.Sprintf("sip:%s@%s", number, system.conn.LocalAddr()), "alice@example.org"},
				{system, "alice", "sip:alice@example.org", "sip:+1-214-555-0102@example.org;user=phone", sip.StatusBusyHere, fmt.Sprintf("sip:%s@%s", number, system.conn.LocalAddr()), "alice@example.org"},
				{alice, "bob", "sip:" + number + "@example.org", "sip:alice@example.org", sip.StatusBusyHere, fmt.Sprintf("sip:alice@%s", alice.conn.LocalAddr()), number + "@example.org"},
				{nil, "alice", "sip:alice@example.org", "sip:bob@example.org", sip.StatusTemporarilyUnavailable, "", ""},
				{nil, "alice", "sip:alice@example.org", "sip:+12145550103@example.org", sip.StatusNotFound, "", ""},
				{nil, "alice", "sip:" + number + "@example.org", "sip:bob@example.org", sip.StatusForbidden, "", ""},
			} {
				came := make(chan *sip.Request, 1)
				go func() {
					defer close(came)
					if c.to != nil {
						if req, err := c.to.refuses(sip.MethodInvite, sip.StatusBusyHere); err == nil {
							came <- req
						}
					}
				}()
				from := newHandset(t, s)
				req := from.request("INVITE", c.uri, c.who, fmt.Sprintf("Contact: <sip:%s>", from.conn.LocalAddr()))
				if res := from.prove(req, c.caller, "secret of "+c.caller); res.Status != c.status {
					t.Errorf("%s calls %s: %d, want %d", c.who, c.uri, res.Status, c.status)
				}
				got := <-came
				if c.to == nil {
					continue
				}
				if got == nil || got.URI.String() != c.target || !strings.Contains(got.Get(sip.HeaderFrom)+got.Get(sip.HeaderPAssertedIdentity), c.identity) {
					t.Errorf("%s calls %s: want %s from %s, got\n%s", c.who, c.uri, c.target, c.identity, got)
				}
			}
		})
	}
}

// TestWatchRegistrations: whoever has registered may ask what is registered, whatever serves the calls. RFC 3680.
func TestWatchRegistrations(t *testing.T) {
	for _, service := range []string{"pbx", "proxy"} {
		t.Run(service, func(t *testing.T) {
			s := start(t, map[string]string{"service": service})
			h := newHandset(t, s)
			contact := fmt.Sprintf("sip:alice@%s", h.conn.LocalAddr())
			if res := h.prove(h.request("REGISTER", "sip:example.org", "sip:alice@example.org", "Contact: <"+contact+">"), "alice", "secret of alice"); res.Status != sip.StatusOK {
				t.Fatal(res)
			}
			ask := func(of string) *sip.Response {
				req := h.request("SUBSCRIBE", "sip:"+of+"@example.org", "sip:alice@example.org", "Contact: <"+contact+">", "Event: reg", "Expires: 0")
				return h.prove(req, "alice", "secret of alice")
			}
			if res := ask("bob"); res.Status != sip.StatusForbidden {
				t.Errorf("bob's registrations: %s", res)
			}
			if res := ask("alice"); res.Status != sip.StatusOK {
				t.Fatal(res)
			}
			_ = h.conn.SetReadDeadline(time.Now().Add(time.Minute))
			if notify := h.notify(); notify.Method != sip.MethodNotify || !strings.Contains(string(notify.Body()), "<uri>"+contact+"</uri>") {
				t.Fatal(notify)
			}
		})
	}
}

// TestWatchBehind: who is registered at a number of a system is asked of the system, by way of the proxy; at its own name, and where calls are not forwarded, it is asked here. RFC 6140 §7.2.2.
func TestWatchBehind(t *testing.T) {
	const number = "+12145550102"
	for _, service := range []string{"pbx", "proxy"} {
		t.Run(service, func(t *testing.T) {
			s := startNumbers(t, service, number)
			system := newHandset(t, s)
			req := system.request("REGISTER", "sip:example.org", "sip:bob@example.org", fmt.Sprintf("Contact: <sip:%s;bnc>", system.conn.LocalAddr()), "Require: gin", "Proxy-Require: gin", "Supported: path")
			if res := system.prove(req, "bob", "secret of bob"); res.Status != sip.StatusOK {
				t.Fatal(res)
			}
			ask := func(of string) sip.Status {
				bob := newHandset(t, s) // and its NOTIFY is nobody else's
				req := bob.request("SUBSCRIBE", "sip:"+of+"@example.org", "sip:bob@example.org", fmt.Sprintf("Contact: <sip:bob@%s>", bob.conn.LocalAddr()), "Event: reg", "Expires: 0")
				return bob.prove(req, "bob", "secret of bob").Status
			}
			if got := ask("bob"); got != sip.StatusOK {
				t.Errorf("about the account: %d", got)
			}
			if service == "pbx" {
				if got := ask(number); got != sip.StatusOK {
					t.Errorf("about the number: %d", got)
				}
				return
			}
			came := make(chan *sip.Request, 1)
			go func() {
				req, _ := system.refuses(sip.MethodSubscribe, sip.StatusBadEvent)
				came <- req
			}()
			if got := ask(number); got != sip.StatusBadEvent {
				t.Errorf("about the number: %d", got)
			}
			if got := <-came; got == nil || got.URI.String() != fmt.Sprintf("sip:%s@%s", number, system.conn.LocalAddr()) {
				t.Errorf("the system is asked\n%s", got)
			}
		})
	}
}

// neighbour adds a domain with an account that has the name of one in the first domain, and its own secret.
func neighbour(t *testing.T, s *Server) {
	t.Helper()
	if _, _, err := s.Store.EnsureDomain(t.Context(), "example.net"); err != nil {
		t.Fatal(err)
	}
	if err := s.Store.AddAccount(t.Context(), store.Account{Domain: "example.net", User: "alice"}, "another secret"); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestWatchNeighbour: an account of the same name in another domain of the server sees nothing of this one. RFC 3680 §4.6.
func TestWatchNeighbour(t *testing.T) {
	s := start(t, nil)
	neighbour(t, s)
	for _, c := range []struct {
		event, of, from, secret string
		want                    sip.Status
	}{
		{"reg", "alice@example.org", "alice@example.net", "another secret", sip.StatusUnauthorized},
		{"reg", "alice@example.org", "alice@example.net", "secret of alice", sip.StatusForbidden},
		{"dialog", "alice@example.org", "alice@example.net", "another secret", sip.StatusForbidden},
		{"message-summary", "alice@example.org", "alice@example.net", "another secret", sip.StatusNotFound},
		{"reg", "alice@example.net", "alice@example.net", "another secret", sip.StatusOK},
		{"reg", "alice@example.org", "alice@example.org", "secret of alice", sip.StatusOK},
	} {
		h := newHandset(t, s)
		req := h.request("SUBSCRIBE", "sip:"+c.of, "sip:"+c.from, "Contact: <sip:alice@"+h.conn.LocalAddr().String()+">", "Event: "+c.event, "Expires: 0")
		if res := h.prove(req, "alice", c.secret); res.Status != c.want {
			t.Errorf("%s of %s for %s: %d, want %d", c.event, c.of, c.from, res.Status, c.want)
		}
	}
}

// TestWatchTrusted: who is trusted asks for somebody, and sees what they may see. RFC 3325 §5.
func TestWatchTrusted(t *testing.T) {
	s := start(t, map[string]string{"trust": "127.0.0.0/8"})
	for _, c := range []struct {
		of, from, asserted string
		want               sip.Status
	}{
		{"alice", "alice", "", sip.StatusOK},
		{"bob", "alice", "", sip.StatusForbidden},
		{"bob", "alice", "bob", sip.StatusOK},
		{"alice", "alice", "bob", sip.StatusForbidden},
	} {
		h := newHandset(t, s)
		lines := []string{"Contact: <sip:peer@" + h.conn.LocalAddr().String() + ">", "Event: reg", "Expires: 0"}
		if c.asserted != "" {
			lines = append(lines, "P-Asserted-Identity: <sip:"+c.asserted+"@example.org>")
		}
		if res := h.ask(h.request("SUBSCRIBE", "sip:"+c.of+"@example.org", "sip:"+c.from+"@example.org", lines...)); res.Status != c.want {
			t.Errorf("%+v: %d", c, res.Status)
		}
	}
}

// TestWatchEnds: when an account is removed, whoever watches it is told so, and nothing else. RFC 6665 §4.1.3.
func TestWatchEnds(t *testing.T) {
	s := start(t, nil)
	h := newHandset(t, s)
	req := h.request("SUBSCRIBE", "sip:alice@example.org", "sip:alice@example.org", "Contact: <sip:alice@"+h.conn.LocalAddr().String()+">", "Event: reg")
	if res := h.prove(req, "alice", "secret of alice"); res.Status != sip.StatusOK {
		t.Fatal(res)
	}
	if err := s.Store.RemoveAccount(t.Context(), "example.org", "alice"); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	_ = h.conn.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		notify := h.notify()
		switch state := notify.Get(sip.HeaderSubscriptionState); {
		case strings.HasPrefix(state, "active"):
		case state == "terminated;reason=noresource" && len(notify.Body()) == 0:
			return
		default:
			t.Fatal(notify)
		}
	}
}
