package server

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/turn/v5"

	"github.com/sipwerk/sipwerk/server/config"
)

// allocate asks the first TURN listener of s for a relay.
func allocate(t *testing.T, s *Server, c TurnCredential) error {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	at := s.turn.Addrs()[0].String()
	k, err := pion.NewClient(&pion.ClientConfig{STUNServerAddr: at, TURNServerAddr: at, Username: c.Username, Password: c.Password, Realm: s.Domain.Name, Conn: conn})
	if err == nil {
		err = k.Listen()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	relay, err := k.Allocate()
	if err != nil {
		return err
	}
	return relay.Close()
}

// TestTurn: an account gets a relay with what was issued for it, as long as it is an account. RFC 8656 §7.
func TestTurn(t *testing.T) {
	s := start(t, map[string]string{"turn.listen": "udp://127.0.0.1:0,tcp://127.0.0.1:0,tls://127.0.0.1:0", "turn.private": "127.0.0.0/8"})
	c, err := IssueTurn(s.Config, "alice", "example.org", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if err := allocate(t, s, c); err != nil {
		t.Error(err)
	}
	device, err := IssueTurn(s.Config, "alice-desk", "example.org", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if allocate(t, s, device) == nil {
		t.Error("a relay for what is no account")
	}
	if err := s.Store.RemoveAccount(t.Context(), "example.org", "alice"); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if allocate(t, s, c) == nil {
		t.Error("a relay for an account that was removed")
	}
}

// TestTurnPorts: nobody asked for the default ports, so a server starts without them; those that were asked for must be free.
func TestTurnPorts(t *testing.T) {
	withDefault := configuration(t, nil)
	flags := map[string]string{"data": withDefault.Data, "domain": "example.org", "listen": "udp://127.0.0.1:0", "http": "127.0.0.1:0", "drain": "0s"}
	load := func(set map[string]string) *config.Config {
		for k, v := range set {
			flags[k] = v
		}
		cfg, err := config.Load(config.Input{Flags: flags})
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	cfg := load(nil)
	if got := turnListen(cfg); !slices.Equal(got, []string{"udp://127.0.0.1:3478", "tcp://127.0.0.1:3478", "tls://127.0.0.1:5349"}) {
		t.Errorf("listens on %v", got)
	}
	taken, err := net.ListenPacket("udp4", "127.0.0.1:3478") // or another program has it, which is the same
	if err == nil {
		defer taken.Close()
	}
	s, err := Start(t.Context(), cfg, Options{Log: testLog(t)})
	if err != nil {
		t.Fatal(err)
	}
	if s.turn != nil {
		t.Error("TURN is up on a port that is taken")
	}
	s.Stop(t.Context())

	cfg = load(map[string]string{"turn.listen": "udp://127.0.0.1:3478"})
	if _, err := Start(t.Context(), cfg, Options{}); err == nil || !strings.Contains(err.Error(), "--turn-listen: udp://127.0.0.1:3478: another program uses this port") {
		t.Errorf("error %v", err)
	}
}

func TestTurnURLs(t *testing.T) {
	for _, c := range []struct {
		set  map[string]string
		want string
	}{
		{map[string]string{"turn.listen": "udp://:3478,tls://:443", "advertise": "turn.example.org"}, "turn:turn.example.org:3478?transport=udp turns:turn.example.org:443?transport=tcp"},
		{map[string]string{"turn.listen": "tcp://192.0.2.7:3478"}, "turn:192.0.2.7:3478?transport=tcp"},
		{map[string]string{"turn.listen": "udp://:3478", "listen": "udp://[2001:db8::1]:0"}, "turn:[2001:db8::1]:3478?transport=udp"},
		{map[string]string{"turn.listen": "off"}, ""},
	} {
		if got := strings.Join(turnURLs(configuration(t, c.set)), " "); got != c.want {
			t.Errorf("%v: %s", c.set, got)
		}
	}
}
