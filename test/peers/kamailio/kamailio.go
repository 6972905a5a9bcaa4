// Package kamailio runs Kamailio as a proxy on the way of a call.
package kamailio

import (
	"context"
	_ "embed"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/peer"
)

//go:embed proxy.cfg
var config []byte

// Route is where it listens, and where it sends what comes.
type Route struct {
	IP   string // UDP port 5060
	User string // goes to To, everybody else to Loop
	To   string // URI
	Loop string // URI
}

// Start starts it; it ends with the test.
func Start(t testing.TB, r Route) (*peer.Process, error) {
	dir := t.TempDir()
	file := filepath.Join(dir, "proxy.cfg")
	if err := os.WriteFile(file, config, 0o600); err != nil {
		return nil, err
	}
	p, err := peer.Start(t, dir, "kamailio", "-f", file, "-DD", "-E", "-Y", dir, "-m", "32", "-M", "4", "-l", "udp:"+r.IP+":5060",
		"-A", `USER="`+r.User+`"`, "-A", `TO="`+r.To+`"`, "-A", `LOOP="`+r.Loop+`"`)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { // killed, it would leave its children behind
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if p.Signal(syscall.SIGTERM) == nil {
			_, _ = p.WaitExit(ctx)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return p, answers(ctx, r.IP+":5060")
}
