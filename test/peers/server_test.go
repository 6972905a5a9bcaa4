// The server under test: one process with a listener of each kind, and accounts.

package peers

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/peer"
)

const domain = "peers.example"

// server is a running sipwerk and the addresses it says that it listens on.
type server struct {
	data      string
	kinds     []string // how the media of an account goes, where that is set
	process   *peer.Process
	listeners map[string]netip.AddrPort // by scheme, "udp6" for UDP over IPv6
}

// binary is the program under test, built by make.
func binary(t *testing.T) string {
	t.Helper()
	if os.Getenv("SIPWERK_PEERS") == "" {
		t.Skip("set SIPWERK_PEERS, or run make peers")
	}
	path, err := filepath.Abs("../../bin/sipwerk")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("no program to test: run make build: %v", err)
	}
	return path
}

// need leaves a test out where a peer is not installed; with CI=true nothing is left out.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("%s is not installed", p)
			}
			t.Skipf("%s is not installed", p)
		}
	}
}

// serve starts a server with the accounts u=password.
func serve(t *testing.T, users ...string) *server {
	t.Helper()
	program := binary(t)
	s := &server{data: t.TempDir(), listeners: map[string]netip.AddrPort{}}
	accounts(t, program, s.data, domain, users...)
	for _, u := range users {
		if strings.HasPrefix(u, "dora") {
			s.kinds = append(s.kinds, u+"=webrtc")
		}
	}
	s.start(t, program)
	return s
}

// accounts puts users into the domain of a data folder.
func accounts(t *testing.T, program, data, domain string, users ...string) {
	t.Helper()
	csv := "user,password,name\n"
	for _, name := range users {
		csv += fmt.Sprintf("%s,%s,%s\n", name, password(name), name)
	}
	file := filepath.Join(data, "accounts.csv")
	if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(program, "account", "import", file, "--data", data, "--domain", domain).CombinedOutput(); err != nil {
		t.Fatalf("account import: %v: %s", err, out)
	}
}

func (s *server) start(t *testing.T, program string) {
	t.Helper()
	ports, err := peer.Ports(t)
	must(t, "ports", err)
	args := []string{"serve", "--data", s.data, "--domain", domain, "--http", "127.0.0.1:0", "--media-kinds", strings.Join(s.kinds, ","), "--turn-listen", "off",
		"--media-shared-port", strconv.Itoa(ports), "--media-ports", fmt.Sprintf("%d-%d", ports+2, ports+peer.BlockPorts-2)}
	for _, l := range []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0", "tls://127.0.0.1:0", "ws://127.0.0.1:0", "wss://127.0.0.1:0", "udp://[::1]:0"} {
		args = append(args, "--listen", l)
	}
	if s.process, err = peer.Start(t, s.data, program, args...); err != nil {
		t.Fatal(err)
	}
	if _, err := s.process.Wait(soon(t), 0, "ready"); err != nil {
		t.Fatal(err)
	}
	for _, line := range s.process.Last(100) {
		s.listener(line)
	}
	if len(s.listeners) < 6 {
		t.Fatalf("only these listeners were told of: %v", s.listeners)
	}
}

// listener reads a line such as "listening on udp://127.0.0.1:5060".
func (s *server) listener(line string) {
	_, url, ok := strings.Cut(line, "listening on ")
	if !ok {
		return
	}
	scheme, rest, ok := strings.Cut(strings.Fields(url)[0], "://")
	if !ok {
		return
	}
	addr, err := netip.ParseAddrPort(rest)
	if err != nil {
		return
	}
	if addr.Addr().Is6() {
		scheme += "6"
	}
	s.listeners[scheme] = addr
}

func (s *server) addr(scheme string) string { return s.listeners[scheme].String() }

func (s *server) account(name, transport, source string) peer.Account {
	return peer.Account{User: name, Password: password(name), Domain: domain, Server: s.addr(transport), Transport: transport, Source: source}
}

func password(name string) string { return "secret-of-" + name }

// patience is how long a test waits for what must come. It says nothing about how fast that should be.
const patience = time.Minute

// soon is within for one step of a flow.
func soon(t *testing.T) context.Context { return within(t, patience) }

// within is a context that ends with the test or after d.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
