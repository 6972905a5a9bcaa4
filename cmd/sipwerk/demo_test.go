// What a newcomer sees.

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDemo: the robot's call is seen to its end, and nothing stays behind.
func TestDemo(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	p, lines := run(t, "alice and bob call each other", "demo", "--listen", "udp://127.0.0.1:0", "--http", "127.0.0.1:0")
	got := strings.Join(lines, "\n")
	if !matches(got, "…listening on udp://127.0.0.1:…ready\n\na robot calls the echo number\n\n…INVITE…401 Unauthorized…INVITE…200 OK…ACK…BYE…200 OK…\n"+
		"the call is over: … packets of sound came back, 0 were lost, and the echo took … ms\n…user      alice   password  …", "") {
		t.Errorf("demo\n%s\n%s", got, &p.errors)
	}
	p.Process.Signal(os.Interrupt)
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d\n%s", code, &p.errors)
	}
	if left, err := filepath.Glob(filepath.Join(os.TempDir(), "sipwerk-demo-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
