// Package sipp plays the call flows of RFC 3665 with SIPp 3.6: one process a side, one scenario file a flow.
package sipp

import (
	"context"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/sipwerk/sipwerk/test/peers/peer"
)

//go:embed scenario/*.xml
var scenarios embed.FS

// Side is one SIPp process: who it is and what it plays.
type Side struct {
	Scenario       string // name of a file in scenario/, without .xml
	Server         string // host:port
	Domain         string
	User, Password string // whose credentials it has
	Service        string // who is registered or called; for a called side itself
	IP             string // own address
	Port           int    // own port; the same for registering and for the call that comes
	TCP            bool
}

// Run is a SIPp process under way.
type Run struct {
	name    string
	process *peer.Process
}

// Start begins to play.
func Start(t testing.TB, s Side) (*Run, error) {
	dir := t.TempDir()
	text, err := scenarios.ReadFile("scenario/" + s.Scenario + ".xml")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, s.Scenario+".xml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	transport := "u1"
	if s.TCP {
		transport = "t1"
	}
	port := strconv.Itoa(s.Port)
	media, err := peer.Ports(t)
	if err != nil {
		return nil, err
	}
	p, err := peer.Start(t, dir, "sipp", s.Server, "-sf", file, "-i", s.IP, "-mi", s.IP, "-p", port, "-mp", strconv.Itoa(media),
		"-s", s.Service, "-au", s.User, "-ap", s.Password, "-key", "domain", s.Domain, "-key", "caller", s.User, "-t", transport,
		"-m", "1", "-r", "1", "-nostdin", "-recv_timeout", "15000", "-timeout", "40", "-trace_err", "-error_file", filepath.Join(dir, "errors"))
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() {
		if errors, err := os.ReadFile(filepath.Join(dir, "errors")); err == nil && t.Failed() {
			t.Logf("sipp %s: %s", s.Scenario, errors)
		}
	})
	return &Run{name: s.Scenario, process: p}, nil
}

// Wait returns nil when the scenario was played to its end as written.
func (r *Run) Wait(ctx context.Context) error {
	code, err := r.process.WaitExit(ctx)
	if err == nil && code != 0 {
		err = fmt.Errorf("sipp %s: exit code %d", r.name, code)
	}
	return err
}

// Play starts a side and waits for its end.
func Play(ctx context.Context, t testing.TB, s Side) error {
	r, err := Start(t, s)
	if err != nil {
		return err
	}
	return r.Wait(ctx)
}
