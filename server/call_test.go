// Calls between two telephones through a whole server, over every transport, with sound both ways.

package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/service/pbx"
	"github.com/sipwerk/sipwerk/sip"
)

// telephone returns a phone of user that reaches the server over a transport.
func telephone(t *testing.T, s *Server, user, transport string) *phone.Phone {
	t.Helper()
	pem, err := os.ReadFile(s.certificates.local.file("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	p := &phone.Phone{
		URI: "sip:" + user + "@example.org", Password: "secret of " + user, Listen: []string{"udp://127.0.0.1:0"},
		TLS: &tls.Config{RootCAs: roots}, Log: slog.New(slog.DiscardHandler),
	}
	for _, l := range s.Listeners() {
		if l.Transport == transport {
			p.Outbound = "sip:" + l.Addr.String() + ";transport=" + transport
		}
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func TestCalls(t *testing.T) {
	s := start(t, map[string]string{"listen": "udp://127.0.0.1:0,tcp://127.0.0.1:0,tls://127.0.0.1:0,ws://127.0.0.1:0,wss://127.0.0.1:0"})
	for _, c := range []struct{ caller, callee string }{{"udp", "udp"}, {"udp", "tcp"}, {"tcp", "tls"}, {"tls", "ws"}, {"ws", "udp"}, {"wss", "wss"}} {
		t.Run(c.caller+" to "+c.callee, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			bob := telephone(t, s, "bob", c.callee)
			served := make(chan error, 1)
			go func() {
				served <- bob.Serve(ctx, func(ctx context.Context, call *phone.Call) error {
					if name := call.Remote().Name(); name != "ALICE" {
						t.Errorf("bob sees %q", name)
					}
					if err := call.Answer(ctx); err != nil {
						return err
					}
					_, err := io.Copy(call, call)
					return err
				})
			}()
			for !bob.Registered() {
				select {
				case err := <-served:
					t.Fatal(err)
				case <-time.After(10 * time.Millisecond):
				}
			}
			alice := telephone(t, s, "alice", c.caller)
			call, err := alice.Dial(ctx, "sip:bob@example.org")
			if err != nil {
				t.Fatal(err)
			}
			if !comesBack(ctx, call) {
				t.Error("what alice says is not heard")
			}
			if err := call.Hangup(); err != nil {
				t.Error(err)
			}
			cancel()
			if err := <-served; err != nil && !errors.Is(err, sip.ErrClosed) {
				t.Error(err)
			}
		})
	}
	if got := s.journal.ended[2].Load(); got != 6 {
		t.Errorf("%d answered calls in the journal, want 6", got)
	}
	if lost := s.journal.lost.Load(); lost > 0 {
		t.Errorf("%d packets lost on loopback", lost)
	}
}

// comesBack speaks a tone until it is heard.
func comesBack(ctx context.Context, call *phone.Call) bool {
	stop := context.AfterFunc(ctx, func() { call.Hangup() })
	defer stop()
	heard := make(chan bool, 1)
	go func() {
		pcm := make([]int16, 160)
		for {
			n, err := call.ReadSamples(pcm)
			for _, v := range pcm[:n] {
				if v > 1000 {
					heard <- true
					return
				}
			}
			if err != nil {
				heard <- false
				return
			}
		}
	}()
	tone := make([]int16, call.Rate()/50)
	for i := range tone {
		tone[i] = int16(8000 * math.Sin(2*math.Pi*500*float64(i)/float64(call.Rate())))
	}
	for {
		select {
		case ok := <-heard:
			return ok
		default:
			if call.WriteSamples(tone) != nil {
				return <-heard
			}
		}
	}
}

// TestNobodyThere: how a call ends that reaches nobody.
func TestNobodyThere(t *testing.T) {
	s := start(t, nil)
	for uri, want := range map[string]sip.Status{
		"sip:bob@example.org": sip.StatusTemporarilyUnavailable, "sip:nobody@example.org": sip.StatusNotFound, "sip:bob@example.net": sip.StatusNotFound,
	} {
		_, err := telephone(t, s, "alice", "udp").Dial(t.Context(), uri)
		if sip.StatusOf(err) != want {
			t.Errorf("%s: %v, want %d", uri, err, want)
		}
	}
}

// TestFeatures: the feature numbers answer, in any way of dialling them.
func TestFeatures(t *testing.T) {
	s := start(t, nil)
	alice := telephone(t, s, "alice", "udp")
	for _, n := range setup.Numbers() {
		if n.Feature == string(pbx.GroupPickup) {
			continue // nothing rings that could be picked up
		}
		for _, user := range append(n.Names, n.Dial, strings.ToUpper(n.Names[0])) {
			call, err := alice.Dial(t.Context(), "sip:"+user+"@example.org")
			if err != nil {
				t.Errorf("%s: %v", user, err)
				continue
			}
			if err := call.Hangup(); err != nil {
				t.Errorf("%s: %v", user, err)
			}
		}
	}
}
