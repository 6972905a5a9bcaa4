// `sipwerk demo`: a server with two accounts that needs nothing, a first call that a robot makes, and how to connect a telephone.

package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sipwerk/sipwerk/cmd/sipwerk/terminal"
	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/setup"
	"github.com/sipwerk/sipwerk/server/store"
)

// The accounts of the demonstration. The robot has one too, so that it logs in as everyone does.
const robotUser = "robot"

// robotTime is how long the robot's call may take before the demonstration says that it failed.
const robotTime = 15 * time.Second

func (p *program) newDemo() *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: p.Text("Show a first call, then wait for telephones"),
		Long: p.Text("Starts a server with the accounts alice and bob, an echo number and a music number. A robot calls the echo number; the ladder of its call is shown " +
			"with the loss and the delay of its sound. Then the server waits for telephones.\n" +
			"Without --data everything lies in a temporary folder and is gone afterwards. If the usual ports are taken, others are used."),
		Example: terminal.Examples("sipwerk demo", "sipwerk demo --data ./demo --listen udp://127.0.0.1:5060"),
		Args:    p.Exactly(),
	}
	load := p.Settings(c)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, err := load()
		if err != nil {
			return err
		}
		if cfg.Origin("data") == "" {
			dir, err := os.MkdirTemp("", "sipwerk-demo-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			cfg.Data = filepath.Join(dir, "data")
		}
		if cfg.Origin("log.level") == "" {
			cfg.Log.Level = "warn" // the ladder is to be seen
		}
		p.choosePorts(c.Context(), cfg)
		return p.demo(c.Context(), cfg)
	}
	return c
}

// choosePorts moves what was not asked for to ports that are free, and says so.
func (p *program) choosePorts(ctx context.Context, cfg *config.Config) {
	if cfg.Origin("listen") == "" {
		for shift := 0; shift < 500; shift += 10 {
			listen := []string{fmt.Sprintf("udp://:%d", 5060+shift), fmt.Sprintf("tcp://:%d", 5060+shift), fmt.Sprintf("tls://:%d", 5061+shift), fmt.Sprintf("wss://:%d", 7443+shift)}
			if !server.Free(ctx, listen...) {
				continue
			}
			if shift > 0 {
				p.Printf("port 5060 or one of its companions is taken; this server uses %d\n", 5060+shift)
			}
			cfg.Listen = listen
			break
		}
	}
	if cfg.Origin("http") == "" && !server.Free(ctx, "tcp://"+cfg.HTTP) {
		cfg.HTTP = "127.0.0.1:0"
	}
}

func (p *program) demo(ctx context.Context, cfg *config.Config) error {
	signals := catchSignals()
	defer signal.Stop(signals)
	tap := new(tap)
	opt := p.options(cfg)
	opt.Trace = tap.see
	s, err := server.Start(ctx, cfg, opt)
	if err != nil {
		return err
	}
	accounts, err := p.demoAccounts(ctx, s)
	if err == nil {
		p.announce(s)
		err = p.robot(ctx, s, tap, accounts[robotUser])
	}
	if err != nil {
		s.Stop(ctx)
		return err
	}
	p.inviteTelephones(s, accounts)
	untilSignal(ctx, signals, s)
	return nil
}

// demoAccounts makes the accounts that are missing and returns the secrets of those it made; the robot gets a new one each time.
func (p *program) demoAccounts(ctx context.Context, s *server.Server) (map[string]string, error) {
	secrets := make(map[string]string)
	for _, a := range []store.Account{{User: "alice", Name: "Alice"}, {User: "bob", Name: "Bob"}, {User: robotUser, Name: "Robot"}} {
		secret := store.NewSecret()
		a.Domain = s.Domain.Name
		err := s.Store.AddAccount(ctx, a, secret)
		if errors.Is(err, store.ErrExists) {
			if a.User != robotUser {
				continue
			}
			err = s.Store.SetSecret(ctx, a.Domain, a.User, secret)
		}
		if err != nil {
			return nil, err
		}
		secrets[a.User] = secret
	}
	return secrets, s.Refresh(ctx)
}

// robot makes the first call and shows it.
func (p *program) robot(ctx context.Context, s *server.Server, tap *tap, secret string) error {
	ctx, cancel := context.WithTimeout(ctx, robotTime)
	defer cancel()
	p.Printf("\na robot calls the echo number\n\n")
	r := robot{domain: s.Domain.Name, secret: secret, server: nearest(s), tap: tap}
	heard, err := r.call(ctx)
	fmt.Fprint(p.Out, tap.draw())
	if err != nil {
		return p.Errorf("the robot's call failed: %v; `sipwerk demo --log-level debug` shows more", err)
	}
	p.Printf("\nthe call is over: %d packets of sound came back, %d were lost, and the echo took %d ms\n",
		heard.packets, heard.lost, heard.delay.Milliseconds())
	return nil
}

// nearest is the UDP or TCP listener as the robot reaches it, as an outbound proxy.
func nearest(s *server.Server) string {
	for _, l := range s.Listeners() {
		if l.Transport != "udp" && l.Transport != "tcp" {
			continue
		}
		addr := l.Addr
		if addr.Addr().IsUnspecified() {
			addr = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), addr.Port())
		}
		return "sip:" + addr.String() + ";transport=" + l.Transport
	}
	return ""
}

// inviteTelephones says how to connect one.
func (p *program) inviteTelephones(s *server.Server, secrets map[string]string) {
	p.Printf("\nNow connect a telephone:\n")
	p.Printf("  server    %s\n", strings.Join(reachable(s), ", "))
	p.Printf("  domain    %s\n", s.Domain.Name)
	for _, user := range []string{"alice", "bob"} {
		if secret, ok := secrets[user]; ok {
			p.Printf("  user      %-6s  password  %s\n", user, secret)
		} else {
			p.Printf("  user      %-6s  its password was shown when it was made; `sipwerk account password %s` makes a new one\n", user, user)
		}
	}
	for _, n := range setup.Numbers() {
		p.Printf("  number    %-6s  or %s: it %s\n", n.Dial, strings.Join(n.Names, ", "), p.Text(n.Description))
	}
	p.Printf("alice and bob call each other by their names. Ctrl-C ends the demonstration.\n")
}

// reachable are the SIP listeners with an address that a telephone can be told.
func reachable(s *server.Server) []string {
	var all []string
	for _, l := range s.Listeners() {
		if l.Transport == "http" {
			continue
		}
		addr := l.Addr
		if addr.Addr().IsUnspecified() {
			addr = netip.AddrPortFrom(s.Address(), addr.Port())
		}
		all = append(all, fmt.Sprintf("%s (%s)", addr, l.Transport))
	}
	return all
}
