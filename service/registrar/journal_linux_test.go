package registrar

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"github.com/sipwerk/sipwerk/sip"
)

// childFolder tells the test binary, started again as a child, what to do with which folder.
const (
	childTask   = "SIPWERK_REGISTRAR_TASK"
	childFolder = "SIPWERK_REGISTRAR_FOLDER"
)

// TestKilled registers in a child process, kills it without warning, and looks for every binding that was confirmed.
func TestKilled(t *testing.T) {
	for _, task := range []string{"register", "register batched"} {
		dir := t.TempDir()
		cmd := child(t, task, dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var confirmed []string
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if confirmed = append(confirmed, lines.Text()); len(confirmed) == 2000 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil || len(confirmed) < 2000 {
			t.Fatalf("%s: the child ended by itself after %d bindings: %v", task, len(confirmed), err)
		}
		o := openOffice(t, dir)
		for _, user := range confirmed {
			if got := o.Lookup(sip.URI{Scheme: "sip", User: user, Host: "example.org"}); len(got) != 1 {
				t.Fatalf("%s: %s was confirmed and is lost, of %d", task, user, len(confirmed))
			}
		}
		closeOffice(t, o)
	}
}

// TestFileLimit lets a child process fill the file to its limit: what is not stored gets 503.
func TestFileLimit(t *testing.T) {
	dir := t.TempDir()
	cmd := child(t, "fill", dir)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkConfirmed(t, dir, strings.Fields(string(out)))
}

// TestDiskFull lets a child process fill a small disk of its own, and read it again. It has its answers wait for the barrier.
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	cmd := child(t, "fill disk batched", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || strings.Contains(string(out), noMount) {
		t.Skipf("this system gives tests no disk of their own: %v %s", err, out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// noMount is what the child says when it may not mount a disk.
const noMount = "no disk can be mounted"

func checkConfirmed(t *testing.T, dir string, confirmed []string) {
	t.Helper()
	o := openOffice(t, dir)
	defer closeOffice(t, o)
	for _, user := range confirmed {
		if got := o.Lookup(sip.URI{Scheme: "sip", User: user, Host: "example.org"}); len(got) != 1 {
			t.Fatalf("%s was confirmed and is lost, of %d", user, len(confirmed))
		}
	}
	if len(confirmed) < 1000 {
		t.Errorf("only %d bindings were confirmed", len(confirmed))
	}
}

func child(t *testing.T, task, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childTask+"="+task, childFolder+"="+dir)
	return cmd
}

// TestChild is no test: it is what the children of the tests above do.
func TestChild(t *testing.T) {
	task, batched := strings.CutSuffix(os.Getenv(childTask), " batched")
	dir := os.Getenv(childFolder)
	switch task {
	case "":
		t.Skip("runs in a child process only")
	case "fill":
		signal.Ignore(syscall.SIGXFSZ)
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 3<<20 - 100, Max: 3<<20 - 100}); err != nil {
			t.Fatal(err)
		}
	case "fill disk":
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3500k"); err != nil {
			t.Fatal(noMount, err)
		}
	}
	o := newOffice()
	o.Journal, o.Batched = dir, batched
	if err := o.Open(); err != nil {
		t.Fatal(err)
	}
	switch confirmed := registerUntilFull(t, o); task {
	case "fill disk":
		checkConfirmed(t, dir, confirmed)
	default:
		os.Exit(0) // without a word of the test framework among the users
	}
}

// registerUntilFull binds ever more users, in batches of ten, until one gets 503.
func registerUntilFull(t *testing.T, o *office) (confirmed []string) {
	for i := 0; ; i += 10 {
		var accepted []string
		full := false
		for n := range 10 {
			user := fmt.Sprint("u", i+n)
			res := o.send(t, call{user: user, to: "sip:" + user + "@example.org", headers: []string{"Contact: <sip:x@192.0.2.1>"}})
			if full = res.Status == sip.StatusServiceUnavailable; full {
				break
			}
			accepted = append(accepted, user)
		}
		if o.Batched {
			if err := o.Barrier(); err != nil {
				t.Error(err)
			}
		}
		report(accepted)
		if confirmed = append(confirmed, accepted...); full {
			return confirmed
		}
	}
}

// report says what has got its 200 and left, in one write.
func report(users []string) {
	if len(users) > 0 {
		fmt.Fprintln(os.Stdout, strings.Join(users, "\n"))
	}
}
