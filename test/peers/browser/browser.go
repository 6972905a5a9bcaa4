// Package browser runs a JsSIP telephone in headless Chromium: the browser's own media, with ICE and DTLS-SRTP.
package browser

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/test/peers/peer"
)

//go:embed phone.mjs package.json package-lock.json
var files embed.FS

// patience is for an order that the page carries out.
const patience = time.Minute

// Install puts JsSIP and what drives Chromium into a folder, which several telephones can share.
func Install(ctx context.Context, dir string) error { return peer.InstallNode(ctx, dir, files) }

// Phone is one browser.
type Phone struct {
	dir     string
	process *peer.Process
	saved   atomic.Bool
}

// Start runs a browser for an account; modules is what [Install] returned.
func Start(t testing.TB, modules string, a peer.Account) (*Phone, error) {
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(modules, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		return nil, err
	}
	text, err := files.ReadFile("phone.mjs")
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "phone.mjs"), text, 0o600); err != nil {
		return nil, err
	}
	source := filepath.Join(dir, "source.wav") // Chromium's microphone wants this rate
	if out, err := exec.Command("sox", a.Source, "-r", "48000", "-c", "1", "-b", "16", source).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("sox: %w: %s", err, out)
	}
	url := a.Transport + "://" + a.Server
	p := &Phone{dir: dir}
	sight := "none"
	switch {
	case a.Layers:
		sight = "layers"
	case a.Video:
		sight = "video"
	}
	if p.process, err = peer.Start(t, dir, "node", "phone.mjs", url, "sip:"+a.User+"@"+a.Domain, a.Password, source, sight, strconv.FormatBool(a.Detour)); err != nil {
		return nil, err
	}
	t.Cleanup(p.Close) // before the process is killed, or Chromium stays
	return p, nil
}

// Name implements peer.Phone.
func (p *Phone) Name() string { return "browser" }

// order has the page do something.
func (p *Phone) order(words ...string) error {
	mark := p.process.Mark()
	if err := p.process.Write(strings.Join(words, " ")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := p.process.Wait(ctx, mark, "done "+words[0])
	return err
}

func (p *Phone) wait(ctx context.Context, text string) error {
	_, err := p.process.Wait(ctx, 0, text)
	return err
}

// WaitRegistered implements peer.Line.
func (p *Phone) WaitRegistered(ctx context.Context) error { return p.wait(ctx, "registered") }

// Dial implements peer.Line.
func (p *Phone) Dial(uri string) error { return p.order("dial", uri) }

// WaitIncoming implements peer.Line.
func (p *Phone) WaitIncoming(ctx context.Context) error { return p.wait(ctx, "newRTCSession remote") }

// Answer implements peer.Line.
func (p *Phone) Answer() error { return p.order("answer") }

// Hangup implements peer.Line.
func (p *Phone) Hangup() error { return p.order("hangup") }

// WaitEstablished implements peer.Talk: the call is answered, and the way for sound is found.
func (p *Phone) WaitEstablished(ctx context.Context) error {
	if err := p.wait(ctx, "confirmed"); err != nil {
		return err
	}
	return p.wait(ctx, "connection connected")
}

// WaitEnded implements peer.Talk.
func (p *Phone) WaitEnded(ctx context.Context) error { return p.wait(ctx, "ended") }

// Hold implements peer.Talk.
func (p *Phone) Hold() error { return p.order("hold") }

// Resume implements peer.Talk.
func (p *Phone) Resume() error { return p.order("resume") }

// WaitFrames implements peer.Viewer.
func (p *Phone) WaitFrames(ctx context.Context, lines, frames int) error {
	for {
		mark := p.process.Mark()
		if err := p.order("frames"); err != nil {
			return err
		}
		said, err := p.process.Wait(ctx, mark, "seen ")
		if err != nil {
			return err
		}
		_, text, _ := strings.Cut(said, "seen ")
		var shown map[string]int
		if err := json.Unmarshal([]byte(text), &shown); err != nil {
			return err
		}
		enough := 0
		for _, n := range shown {
			if n >= frames {
				enough++
			}
		}
		if enough >= lines {
			return nil
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("browser: pictures by line %s: %w", text, ctx.Err())
		}
	}
}

// Figures are what the browser counts of its pictures.
type Figures struct {
	Sent     map[string]int // packets, by the name of the layer
	Widths   map[string]int // of what is shown, by line
	Repaired int            // packets that came again as a stream of their own
	Lost     int            // packets that the browser has asked for again
}

// WaitFigures waits until the figures are as f wants them; the error says what they were at last.
func (p *Phone) WaitFigures(ctx context.Context, f func(Figures) bool) error {
	for {
		mark := p.process.Mark()
		if err := p.order("figures"); err != nil {
			return err
		}
		said, err := p.process.Wait(ctx, mark, "figures {")
		if err != nil {
			return err
		}
		_, text, _ := strings.Cut(said, "figures ")
		var now Figures
		if err := json.Unmarshal([]byte(text), &now); err != nil {
			return err
		}
		if f(now) {
			return nil
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("browser: %s: %w", text, ctx.Err())
		}
	}
}

// Lose lets the detour lose so many percent of the RTP and RTCP that comes.
func (p *Phone) Lose(percent int) error { return p.order("lose", strconv.Itoa(percent)) }

// Recordings implements peer.Talk. After [Phone.Close] they are those up to then.
func (p *Phone) Recordings() ([]string, error) {
	file := filepath.Join(p.dir, "heard.wav")
	if !p.saved.Load() {
		if err := p.order("save", file); err != nil {
			return nil, err
		}
	}
	return []string{file}, nil
}

// Close implements peer.Phone. It keeps the recording.
func (p *Phone) Close() {
	if p.saved.Load() {
		return
	}
	if _, err := p.Recordings(); err == nil {
		p.saved.Store(true)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if p.process.Write("quit") == nil {
		_, _ = p.process.WaitExit(ctx)
	}
}
