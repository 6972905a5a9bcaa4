// The program as a process: what scripts see of `serve` and `demo`, and what a crash leaves behind.

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is the program itself if the environment says so: the tests start it as a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("SIPWERK_TEST_PROCESS") != "" {
		main()
	}
	os.Exit(m.Run())
}

// process is a running program.
type process struct {
	*exec.Cmd
	out    *bufio.Reader
	errors bytes.Buffer
}

// run starts the program in a data folder and reads its standard output up to and with the line `until`.
func run(t *testing.T, until string, args ...string) (*process, []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	p := &process{Cmd: exec.CommandContext(ctx, os.Args[0], args...)}
	p.Env = append(os.Environ(), "SIPWERK_TEST_PROCESS=1", "LANG=C")
	p.Stderr = &p.errors
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReader(out)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Process.Kill(); p.Wait() })
	var lines []string
	for {
		l, err := p.out.ReadString('\n')
		if err != nil {
			p.Wait()
			t.Fatalf("sipwerk %s ended before %q: %s\n%s", args, until, lines, &p.errors)
		}
		lines = append(lines, strings.TrimSuffix(l, "\n"))
		if strings.HasPrefix(l, until) {
			return p, lines
		}
	}
}

// end waits for the end of the process and returns its exit code.
func (p *process) end() int {
	io.Copy(io.Discard, p.out)
	p.Wait()
	return p.ProcessState.ExitCode()
}

func serveArgs(dir string) []string {
	return []string{"serve", "--data", dir, "--domain", "example.org", "--listen", "udp://127.0.0.1:0", "--listen", "tcp://127.0.0.1:0", "--http", "127.0.0.1:0", "--trust", "127.0.0.0/8"}
}

// port returns the address of the first listener that an announcement names.
func port(t *testing.T, lines []string) string {
	t.Helper()
	for _, l := range lines {
		if a, ok := strings.CutPrefix(l, "listening on udp://"); ok {
			return a
		}
	}
	t.Fatalf("no listener in %q", lines)
	return ""
}

func TestServe(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p, lines := run(t, "ready", serveArgs(dir)...)
	if got := strings.Join(lines, "\n"); !matches(got, "made the data folder DIR\nmade the domain example.org\nmade a certificate authority; telephones that check certificates need DIR/tls/ca.pem\n"+
		"listening on udp://127.0.0.1:…\nlistening on tcp://127.0.0.1:…\nlistening on http://127.0.0.1:…\nready", dir) {
		t.Errorf("announcement\n%s", got)
	}
	taken := port(t, lines)

	// While it runs, a second server is refused in one sentence, and accounts can be added.
	line{args: "serve --data DIR --listen udp://127.0.0.1:0 --http off", code: 1,
		fails: fmt.Sprintf("sipwerk: --data: the data folder DIR is in use by another server (process %d); stop that server, or name another folder\n", p.Process.Pid)}.run(t, dir, nil)
	line{args: "serve --data DIR2 --listen udp://" + taken + " --http off", code: 1,
		fails: "sipwerk: --listen: udp://" + taken + ": another program uses this port; stop it, or name another port\n"}.run(t, dir, nil)
	line{args: "check --data DIR --listen udp://127.0.0.1:0 --http off", code: 1, want: "…", fails: "sipwerk: --data: the data folder DIR is in use…"}.run(t, dir, nil)
	line{args: "account add carol --data DIR", want: "…"}.run(t, dir, nil)

	p.Process.Signal(syscall.SIGTERM)
	if code := p.end(); code != 0 || !strings.Contains(p.errors.String(), "msg=stopped") {
		t.Errorf("after SIGTERM: exit code %d\n%s", code, &p.errors)
	}
	line{args: "check --data DIR --listen udp://127.0.0.1:0 --http off", want: "…the server would start\n"}.run(t, dir, nil)
	line{args: "serve --data DIR --lisen x", code: 2, fails: "…--lisen…"}.run(t, dir, nil)
	line{args: "serve --data DIR --listen sctp://:1", code: 1, fails: "sipwerk: --listen: sctp://:1: \"sctp\" is no transport; write one of udp, tcp, tls, ws, wss\n"}.run(t, dir, nil)
}

// TestKill9: every binding that got its 200 is there after the process was killed and started again.
func TestKill9(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var csv strings.Builder
	csv.WriteString("user,password\n")
	const users = 200
	for i := range users {
		fmt.Fprintf(&csv, "u%d,p%d\n", i, i)
	}
	line{args: "account import - --data DIR --domain example.org", in: csv.String(), want: "200 accounts imported into example.org\n"}.run(t, dir, nil)
	p, lines := run(t, "ready", serveArgs(dir)...)
	conn := connect(t, port(t, lines))
	for i := range users {
		send(t, conn, i, 1, fmt.Sprintf("Contact: <sip:u%d@127.0.0.1:9>\r\n", i))
	}
	acknowledged := make(map[string]bool)
	for len(acknowledged) < users/2 {
		user, _ := receive(t, conn)
		acknowledged[user] = true
	}
	p.Process.Kill()
	p.end()
	for { // what was answered before the end
		conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		buf := make([]byte, 65536)
		n, err := conn.Read(buf)
		if err != nil {
			break
		}
		acknowledged[userOf(string(buf[:n]))] = true
	}
	_, lines = run(t, "ready", serveArgs(dir)...)
	conn = connect(t, port(t, lines))
	for i := range users {
		send(t, conn, i, 2, "")
		user, text := receive(t, conn)
		if acknowledged[user] && !strings.Contains(text, "@127.0.0.1:9>") {
			t.Errorf("the binding of %s is lost", user)
		}
	}
}

func connect(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// send sends a REGISTER of user number i.
func send(t *testing.T, conn net.Conn, i, cseq int, contact string) {
	t.Helper()
	_, err := fmt.Fprintf(conn, "REGISTER sip:example.org SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d-%d\r\nMax-Forwards: 70\r\nFrom: <sip:u%d@example.org>;tag=a\r\n"+
		"To: <sip:u%d@example.org>\r\nCall-ID: kill-%d\r\nCSeq: %d REGISTER\r\n%sContent-Length: 0\r\n\r\n", conn.LocalAddr(), i, cseq, i, i, i, cseq, contact)
	if err != nil {
		t.Fatal(err)
	}
}

// receive returns the user and the text of the next 200.
func receive(t *testing.T, conn net.Conn) (user, text string) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(time.Minute))
	buf := make([]byte, 65536)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	if text = string(buf[:n]); !strings.HasPrefix(text, "SIP/2.0 200 ") {
		t.Fatal(text)
	}
	return userOf(text), text
}

// userOf returns the user of the To of a response.
func userOf(text string) string {
	_, to, _ := strings.Cut(text, "\r\nTo: <sip:")
	user, _, _ := strings.Cut(to, "@")
	return user
}

// TestSecondSignal: a running call delays the end, and a second signal does not wait.
func TestSecondSignal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p, lines := run(t, "ready", append(serveArgs(dir), "--drain", "10m")...)
	conn := connect(t, port(t, lines))
	sdp := "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
	fmt.Fprintf(conn, "INVITE sip:music@example.org SIP/2.0\r\nVia: SIP/2.0/UDP %[1]s;branch=z9hG4bK1\r\nMax-Forwards: 70\r\nFrom: <sip:x@example.org>;tag=a\r\nTo: <sip:music@example.org>\r\n"+
		"Call-ID: second\r\nCSeq: 1 INVITE\r\nContact: <sip:x@%[1]s>\r\nContent-Type: application/sdp\r\nContent-Length: %[2]d\r\n\r\n%[3]s", conn.LocalAddr(), len(sdp), sdp)
	receive(t, conn)
	p.Process.Signal(syscall.SIGTERM)
	deadline := time.Now().Add(time.Minute)
	for refused := false; !refused; { // from the first signal on, no new calls
		if time.Now().After(deadline) {
			t.Fatal("new calls are still taken")
		}
		fmt.Fprintf(conn, "INVITE sip:music@example.org SIP/2.0\r\nVia: SIP/2.0/UDP %[1]s;branch=z9hG4bK%[2]d\r\nMax-Forwards: 70\r\nFrom: <sip:x@example.org>;tag=b\r\nTo: <sip:music@example.org>\r\n"+
			"Call-ID: next%[2]d\r\nCSeq: 1 INVITE\r\nContact: <sip:x@%[1]s>\r\nContent-Length: 0\r\n\r\n", conn.LocalAddr(), time.Now().UnixNano())
		buf := make([]byte, 65536)
		conn.SetReadDeadline(time.Now().Add(time.Second))
		n, err := conn.Read(buf)
		refused = err == nil && bytes.HasPrefix(buf[:n], []byte("SIP/2.0 503 "))
	}
	p.Process.Signal(syscall.SIGTERM)
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d\n%s", code, &p.errors)
	}
}
