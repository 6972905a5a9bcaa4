// Package chromium drives JsSIP in headless Chromium: a telephone with the WebRTC of a browser.
package chromium

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/peer"
)

//go:embed browser.mjs page.mjs package.json package-lock.json
var files embed.FS

// Phone is one page with a JsSIP user agent.
type Phone struct {
	process *peer.Process
	heard   string
	mark    int // output up to here has been acted upon
	closed  bool
}

// Install puts the program and what it needs into a folder of the test and returns it.
func Install(ctx context.Context, t testing.TB) (string, error) {
	dir := t.TempDir()
	for _, name := range []string{"browser.mjs", "page.mjs", "package.json", "package-lock.json"} {
		text, err := files.ReadFile(name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			return "", err
		}
	}
	for _, command := range [][]string{
		{"npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"},
		{"npx", "esbuild", "page.mjs", "--bundle", "--outfile=page.js", "--log-level=error"},
	} {
		c := exec.CommandContext(ctx, command[0], command[1:]...)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil {
			return "", fmt.Errorf("%v: %w: %s", command, err, out)
		}
	}
	return dir, nil
}

// Start opens a page, which registers over a WebSocket URL.
func Start(t testing.TB, dir, url string, a peer.Account) (*Phone, error) {
	own := t.TempDir()
	source := filepath.Join(own, "source.wav")
	if out, err := exec.Command("sox", a.Source, "-r", "48000", source).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("sox: %w: %s", err, out)
	}
	p := &Phone{heard: filepath.Join(own, "heard.wav")}
	var err error
	p.process, err = peer.Start(t, dir, "node", "browser.mjs", url, "sip:"+a.User+"@"+a.Domain, a.Password, source, p.heard)
	if err != nil {
		return nil, err
	}
	t.Cleanup(p.Close)
	return p, nil
}

// Name implements [peer.Phone].
func (p *Phone) Name() string { return "chromium" }

func (p *Phone) wait(ctx context.Context, text string) error {
	_, err := p.process.Wait(ctx, p.mark, text)
	return err
}

func (p *Phone) order(line string) error {
	p.mark = p.process.Mark()
	return p.process.Write(line)
}

// WaitRegistered implements [peer.Line].
func (p *Phone) WaitRegistered(ctx context.Context) error { return p.wait(ctx, "registered") }

// Dial implements [peer.Line].
func (p *Phone) Dial(uri string) error { return p.order("dial " + uri) }

// WaitIncoming implements [peer.Line].
func (p *Phone) WaitIncoming(ctx context.Context) error { return p.wait(ctx, "incoming") }

// Answer implements [peer.Line].
func (p *Phone) Answer() error { return p.order("answer") }

// Hangup implements [peer.Line].
func (p *Phone) Hangup() error { return p.order("hangup") }

// WaitEstablished implements [peer.Talk].
func (p *Phone) WaitEstablished(ctx context.Context) error { return p.wait(ctx, "established") }

// WaitEnded implements [peer.Talk].
func (p *Phone) WaitEnded(ctx context.Context) error { return p.wait(ctx, "ended") }

// Hold implements [peer.Talk].
func (p *Phone) Hold() error { return p.order("hold") }

// Resume implements [peer.Talk].
func (p *Phone) Resume() error { return p.order("resume") }

// Recordings implements [peer.Talk]: there is one, written by Close.
func (p *Phone) Recordings() ([]string, error) { return []string{p.heard}, nil }

// Close writes the recording and ends the browser.
func (p *Phone) Close() {
	if p.closed {
		return
	}
	p.closed = true
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	if p.process.Write("quit") == nil {
		// One that does not end is killed with the test.
		_, _ = p.process.WaitExit(ctx)
	}
}
