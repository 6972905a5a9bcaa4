// Package peer holds what the drivers of foreign telephones have in common: what a test asks of a telephone, and a process whose
// output can be waited for.
package peer

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Account is what a telephone is set up with.
type Account struct {
	User, Password string
	Domain         string // host part of the address-of-record
	Server         string // host:port of the listener
	Transport      string // udp, tcp, tls
	Source         string // WAV file that is spoken into every call
	Media          Media  // how its sound goes over the wire
	Video          bool   // it has a camera and a screen
	Layers         bool   // the camera sends its picture in two sizes at once, where the telephone can (simulcast)
	Detour         bool   // its media goes by way of somebody who can lose it, where the telephone can
	Lamp           bool   // it shows the lamp of its mailbox
	Watch          string // whose lamp it shows, of telephones that have one; "": nobody's
}

// Media is how a telephone sends sound.
type Media int

// What the telephones can be set up to.
const (
	Plain Media = iota
	SDES
	DTLS // with ICE where the telephone has it
)

// Phone is a telephone that no one here wrote. Every method that waits gives up when ctx ends.
type Phone interface {
	Name() string
	Line
	Talk
	// Close ends the program.
	Close()
}

// Line is how a telephone gets into a call and out of it.
type Line interface {
	// WaitRegistered returns when the server has accepted the registration.
	WaitRegistered(ctx context.Context) error
	Dial(uri string) error
	// WaitIncoming returns when the telephone rings.
	WaitIncoming(ctx context.Context) error
	Answer() error
	Hangup() error
}

// Talk is what happens in a call.
type Talk interface {
	WaitEstablished(ctx context.Context) error
	WaitEnded(ctx context.Context) error
	Hold() error
	Resume() error
	// Recordings are the WAV files of what was heard so far, oldest first.
	Recordings() ([]string, error)
}

// Viewer is a telephone that tells what it shows.
type Viewer interface {
	// WaitFrames waits until so many pictures were shown on each of so many lines of the call that is up.
	WaitFrames(ctx context.Context, lines, frames int) error
}

// Transferor is a telephone that can transfer its call.
type Transferor interface {
	// Transfer asks that the other side call uri.
	Transfer(uri string) error
}

// Process is a running program with its output kept line by line.
type Process struct {
	cmd  *exec.Cmd
	In   io.WriteCloser
	done chan struct{}

	mu    sync.Mutex
	lines []string
	news  chan struct{} // closed and made anew at each line
}

// Start runs a program in dir. Its output, both streams, is kept and, if the test fails, logged.
func Start(t testing.TB, dir, name string, args ...string) (*Process, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Environ(), "HOME="+dir, "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	p := &Process{cmd: cmd, In: in, done: make(chan struct{}), news: make(chan struct{})}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go p.read(r)
	go func() {
		_ = cmd.Wait()
		_ = w.Close()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, strings.Join(p.Last(400), "\n"))
		}
	})
	return p, nil
}

// read keeps lines; a carriage return ends one too, so that status lines that overwrite each other are seen.
func (p *Process) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	lines.Split(func(b []byte, end bool) (int, []byte, error) {
		if i := bytes.IndexAny(b, "\r\n"); i >= 0 {
			return i + 1, b[:i], nil
		}
		if end && len(b) > 0 {
			return len(b), b, nil
		}
		return 0, nil, nil
	})
	for lines.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		close(p.news)
		p.news = make(chan struct{})
		p.mu.Unlock()
	}
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Mark is a place in the output from which Wait can look on.
func (p *Process) Mark() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lines)
}

// Wait returns the first line from mark on that contains text.
func (p *Process) Wait(ctx context.Context, mark int, text string) (string, error) {
	for {
		p.mu.Lock()
		for ; mark < len(p.lines); mark++ {
			if strings.Contains(p.lines[mark], text) {
				line := p.lines[mark]
				p.mu.Unlock()
				return line, nil
			}
		}
		news := p.news
		p.mu.Unlock()
		select {
		case <-news:
		case <-p.done:
			return "", fmt.Errorf("%s ended before it said %q", p.cmd.Path, text)
		case <-ctx.Done():
			return "", fmt.Errorf("%s never said %q: %w", p.cmd.Path, text, ctx.Err())
		}
	}
}

// Last returns the last n lines of output.
func (p *Process) Last(n int) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.lines[max(0, len(p.lines)-n):]...)
}

// Write sends one line to standard input.
func (p *Process) Write(line string) error {
	_, err := io.WriteString(p.In, line+"\n")
	return err
}

// Signal sends a signal to the process.
func (p *Process) Signal(s syscall.Signal) error { return p.cmd.Process.Signal(s) }

// WaitExit waits for the end of the process and returns its exit code.
func (p *Process) WaitExit(ctx context.Context) (int, error) {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return -1, fmt.Errorf("%s did not end: %w", p.cmd.Path, ctx.Err())
	}
}

// Kill ends the process at once and waits for it.
func (p *Process) Kill() {
	if err := p.cmd.Process.Signal(syscall.SIGKILL); errors.Is(err, syscall.ESRCH) {
		return
	}
	select {
	case <-p.done:
	case <-time.After(5 * time.Second):
	}
}
