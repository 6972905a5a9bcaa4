// SIPp as the provider of a trunk: it challenges the registration, leads a call in, and of two providers the first fails. RFC 3261 §10.2, §21.5.4, §22.

package peers

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/peer"
	"github.com/sipwerk/sipwerk/test/peers/sipp"
)

// provider is a SIPp process in the place of a provider.
func (s *server) provider(t *testing.T, scenario string, port int) sipp.Side {
	side := s.side(t, scenario, "u1", "+4930100")
	side.Domain, side.Port = "provider.example", port
	return side
}

// order runs a command of the program on the data of the server.
func (s *server) order(t *testing.T, in string, args ...string) string {
	t.Helper()
	c := exec.Command(binary(t), append(args, "--data", s.data, "--domain", domain)...)
	c.Stdin = strings.NewReader(in)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// trunk sets a trunk up that leads to a port here.
func (s *server) trunk(t *testing.T, name string, port int, more ...string) {
	t.Helper()
	s.order(t, password("u1"), append([]string{"trunk", "add", name, "--server", "127.0.0.1:" + strconv.Itoa(port), "--transport", "udp", "--user", "u1", "--secret", "-",
		"--realm", "provider.example", "--from-domain", "provider.example", "--numbers", "+4930100", "--country", "49", "--options-interval", "-1s"}, more...)...)
}

// until asks for the state of the trunks again and again until it holds a text.
func (s *server) until(ctx context.Context, t *testing.T, want string) {
	t.Helper()
	for {
		out := s.order(t, "", "trunk", "status", "--json")
		if strings.Contains(out, want) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("no %s in %s", want, out)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// freePort finds one, or ends the test.
func freePort(t *testing.T) int {
	t.Helper()
	port, err := peer.Ports(t)
	must(t, "port", err)
	return port
}

func TestTrunkProvider(t *testing.T) {
	need(t, "sipp")
	s := serve(t, "alice", "bob")
	s.order(t, "", "account", "number", "add", "bob", "+4930100")
	ctx := within(t, 2*time.Minute)

	port := freePort(t)
	registrar, err := sipp.Start(t, s.provider(t, "provider_registers", port))
	must(t, "provider", err)
	s.trunk(t, "provider", port)
	must(t, "registration", registrar.Wait(ctx))
	s.until(ctx, t, `"registered":true`)

	bob := s.side(t, "called_answers", "bob", "bob")
	register := bob
	register.Scenario = "register_new"
	must(t, "bob", sipp.Play(ctx, t, register))
	rings, err := sipp.Start(t, bob)
	must(t, "bob", err)
	must(t, "a call comes in", sipp.Play(ctx, t, s.provider(t, "provider_calls", port)))
	must(t, "bob", rings.Wait(ctx))
	s.until(ctx, t, `"calls_in":1`)
	s.order(t, "", "trunk", "remove", "provider")

	full, good := freePort(t), freePort(t)
	first, err := sipp.Start(t, s.provider(t, "provider_full", full))
	must(t, "the first provider", err)
	second, err := sipp.Start(t, s.provider(t, "provider_takes", good))
	must(t, "the second provider", err)
	s.trunk(t, "first", full, "--kind", "address", "--priority", "1")
	s.trunk(t, "second", good, "--kind", "address", "--priority", "2")
	s.until(ctx, t, strconv.Itoa(good))
	must(t, "a call goes out", sipp.Play(ctx, t, s.side(t, "caller_answered", "alice", "+4940123456")))
	must(t, "the first provider", first.Wait(ctx))
	must(t, "the second provider", second.Wait(ctx))
}
