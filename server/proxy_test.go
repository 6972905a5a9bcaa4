// A server whose first domain has a proxy.

package server

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/server/object"
	"github.com/sipwerk/sipwerk/sip"
)

// TestProxyReception: what the proxy does with requests outside dialogs. RFC 3261 §16.5, §22.3.
func TestProxyReception(t *testing.T) {
	s := start(t, map[string]string{"service": "proxy", "trust": "127.0.0.0/8"})
	h := newHandset(t, s)
	own := s.Listeners()[0].Addr
	for _, c := range []struct {
		method, uri string
		want        sip.Status
	}{
		{"MESSAGE", "sip:bob@example.org", sip.StatusTemporarilyUnavailable},
		{"SUBSCRIBE", fmt.Sprintf("sip:bob@%v", own), sip.StatusTemporarilyUnavailable},
		{"OPTIONS", "sip:bob@example.org", sip.StatusTemporarilyUnavailable},
		{"INVITE", "sip:nobody@example.org", sip.StatusNotFound},
		{"SUBSCRIBE", "sip:nobody@example.org", sip.StatusBadEvent},
		{"MESSAGE", "sip:echo@example.org", sip.StatusNotFound},
		{"INVITE", "sip:bob@elsewhere.test", sip.StatusForbidden},
		{"INVITE", fmt.Sprintf("sip:bob@%v:9", own.Addr()), sip.StatusForbidden},
		{"INVITE", "http://example.org", sip.StatusUnsupportedURIScheme},
		{"OPTIONS", "sip:example.org", sip.StatusOK},
		{"BYE", "sip:bob@example.org", sip.StatusTemporarilyUnavailable},
	} {
		if res := h.ask(h.request(c.method, c.uri, "sip:alice@example.org", "Contact: <sip:alice@127.0.0.1>")); res.Status != c.want {
			t.Errorf("%s %s: %d, want %d", c.method, c.uri, res.Status, c.want)
		}
	}
	// Not 404: registrations of other domains are the proxy's to reach, like everything of theirs.
	if res := h.ask(h.request("SUBSCRIBE", "sip:bob@elsewhere.test", "sip:alice@example.org", "Contact: <sip:alice@127.0.0.1>", "Event: reg")); res.Status != sip.StatusForbidden {
		t.Errorf("registrations elsewhere: %d", res.Status)
	}
	if n := s.proxied().Refused; n == 0 {
		t.Error("the proxy has counted nothing")
	}
}

// TestProxyProof: a proxy challenges with 407, and a REGISTER with 401.
func TestProxyProof(t *testing.T) {
	s := start(t, map[string]string{"service": "proxy"})
	h := newHandset(t, s)
	for method, want := range map[string]sip.Status{"INVITE": sip.StatusProxyAuthRequired, "MESSAGE": sip.StatusProxyAuthRequired, "REGISTER": sip.StatusUnauthorized} {
		for _, uri := range []string{"sip:bob@example.org", "sip:bob@elsewhere.test"} {
			if method == "REGISTER" {
				uri = "sip:example.org"
			}
			if res := h.ask(h.request(method, uri, "sip:alice@example.org", "Contact: <sip:alice@127.0.0.1>")); res.Status != want {
				t.Errorf("%s %s: %d, want %d", method, uri, res.Status, want)
			}
		}
	}
}

// TestProxyHouse: what is no account's is reached in the domain of a proxy too, and its sound comes from here.
func TestProxyHouse(t *testing.T) {
	s := start(t, map[string]string{"service": "proxy"})
	edit(t, s, func(set *object.Settings) { set.Put(&object.Room{Number: "4000", Quiet: true}) })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	alice := telephone(t, s, "alice", "udp")
	for _, number := range []string{"4000", "echo"} {
		call, err := alice.Dial(ctx, "sip:"+number+"@example.org")
		if err != nil {
			t.Fatalf("%s: %v", number, err)
		}
		if s.relay.Streams() == 0 {
			t.Errorf("%s: its sound does not come from here", number)
		}
		if err := call.Hangup(); err != nil {
			t.Error(err)
		}
	}
}

// TestProxyCall: two telephones talk, and their sound does not come by here.
func TestProxyCall(t *testing.T) {
	s := start(t, map[string]string{"service": "proxy", "listen": "udp://127.0.0.1:0,tcp://127.0.0.1:0,tls://127.0.0.1:0"})
	for _, c := range []struct{ caller, callee string }{{"udp", "udp"}, {"tcp", "tls"}, {"tls", "udp"}} {
		t.Run(c.caller+" to "+c.callee, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			bob := telephone(t, s, "bob", c.callee)
			served, hung := make(chan error, 1), make(chan struct{})
			go func() {
				served <- bob.Serve(ctx, func(ctx context.Context, call *phone.Call) error {
					defer close(hung)
					if err := call.Answer(ctx); err != nil {
						return err
					}
					<-call.Done()
					return nil
				})
			}()
			for !bob.Registered() {
				select {
				case err := <-served:
					t.Fatal(err)
				case <-time.After(10 * time.Millisecond):
				}
			}
			call, err := telephone(t, s, "alice", c.caller).Dial(ctx, "sip:bob@example.org")
			if err != nil {
				t.Fatal(err)
			}
			if n := s.relay.Streams(); n != 0 {
				t.Errorf("%d streams in the relay", n)
			}
			if err := call.Hangup(); err != nil {
				t.Error(err)
			}
			select {
			case <-hung:
			case <-ctx.Done():
				t.Error("bob does not hear the end")
			}
			cancel()
			<-served
		})
	}
}
