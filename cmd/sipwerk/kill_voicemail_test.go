// What a crash leaves of messages: of those that were left, all.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/media/audio"
	"github.com/sipwerk/sipwerk/phone"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/digest"
)

// lampOf is a telephone of u0 that shows the lamp of its mailbox. RFC 3842.
type lampOf struct {
	t    *testing.T
	conn net.Conn
	left int // messages, as it was told last
}

// watchBox subscribes to the lamp of u0.
func watchBox(t *testing.T, server string) *lampOf {
	t.Helper()
	l := &lampOf{t: t, conn: connect(t, server), left: -1}
	req, err := sip.ParseRequest(fmt.Appendf(nil, "SUBSCRIBE sip:u0@example.org SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKlamp\r\nMax-Forwards: 70\r\nFrom: <sip:u0@example.org>;tag=l\r\n"+
		"To: <sip:u0@example.org>\r\nCall-ID: lamp\r\nCSeq: 1 SUBSCRIBE\r\nEvent: message-summary\r\nExpires: 600\r\nContact: <sip:u0@%[1]s>\r\nContent-Length: 0\r\n\r\n", l.conn.LocalAddr()))
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 65536)
	fmt.Fprint(l.conn, req)
	l.conn.SetReadDeadline(time.Now().Add(time.Minute))
	n, err := l.conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	challenge, err := sip.ParseResponse(buf[:n])
	if err != nil {
		t.Fatal(err)
	}
	again, ok := (&digest.Client{User: "u0", Password: "p0", Host: "example.org"}).Authorize(req, challenge)
	if !ok {
		t.Fatalf("no challenge: %s", challenge)
	}
	again.Set(sip.HeaderCSeq, "2 SUBSCRIBE")
	again.Set(sip.HeaderVia, fmt.Sprintf("SIP/2.0/UDP %s;branch=z9hG4bKproof", l.conn.LocalAddr()))
	fmt.Fprint(l.conn, again)
	l.until(time.Minute, 0)
	return l
}

// until takes what comes until the lamp tells of so many messages, or for so long nothing comes; it reports whether it does.
func (l *lampOf) until(patience time.Duration, messages int) bool {
	l.t.Helper()
	buf := make([]byte, 65536)
	for l.left < messages {
		l.conn.SetReadDeadline(time.Now().Add(patience))
		n, err := l.conn.Read(buf)
		if err != nil {
			return false
		}
		text := string(buf[:n])
		if !strings.HasPrefix(text, "NOTIFY ") {
			continue
		}
		fmt.Fprintf(l.conn, "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContent-Length: 0\r\n\r\n", header(text, "Via"), header(text, "From"), header(text, "To"),
			header(text, "Call-ID"), header(text, "CSeq"))
		l.left = 0
		if _, count, ok := strings.Cut(text, "Voice-Message: "); ok {
			if _, err := fmt.Sscanf(count, "%d/", &l.left); err != nil {
				l.t.Fatal(text)
			}
		}
	}
	return true
}

// leaveMessages calls u0 many times at once and speaks into the mailbox: every second caller hangs up after some seconds, the others speak until the phone is closed.
func leaveMessages(t *testing.T, p *phone.Phone, callers int) *sync.WaitGroup {
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			call, err := p.Dial(t.Context(), "sip:u0@example.org")
			if err == nil {
				err = call.SendDigits(t.Context(), "#") // enough of the greeting
			}
			if err != nil {
				t.Errorf("caller %d: %v", i, err)
				return
			}
			tone := make([]int16, call.Rate()/50)
			for n := range tone {
				tone[n] = int16(8000 * math.Sin(2*math.Pi*500*float64(n)/float64(call.Rate())))
			}
			for n := 0; i%2 == 1 || n < 200; n++ {
				if call.WriteSamples(tone) != nil {
					return
				}
			}
			_ = call.Hangup()
		})
	}
	return &all
}

// TestKill9Voicemail: the process is killed while messages are spoken; each of which the lamp has told is there after the restart, with its sound, and the lamp says so.
func TestKill9Voicemail(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	for _, l := range []line{
		{args: "account import - --data DIR --domain example.org", in: "user,password\nu0,p0\n", want: "…"},
		{args: "mailbox add u0 --data DIR", want: "…"},
		{args: "account set u0 --forward-always voicemail --data DIR", want: "…"},
	} {
		l.run(t, dir, nil)
	}
	const callers, enough = 8, 2
	args := []string{"serve", "--data", dir, "--listen", "udp://127.0.0.1:0", "--http", "off"} // nobody is trusted: the lamp is for the owner
	p, lines := run(t, "ready", args...)
	lamp := watchBox(t, port(t, lines))
	talkers := &phone.Phone{URI: "sip:u0@example.org", Password: "p0", Outbound: "sip:" + port(t, lines), Listen: []string{"udp://127.0.0.1:0"}}
	speaking := leaveMessages(t, talkers, callers)
	told := lamp.until(time.Minute, enough)
	p.Process.Kill()
	p.end()
	if !told {
		t.Fatalf("the lamp tells of %d messages", lamp.left)
	}
	lamp.until(200*time.Millisecond, callers) // what was told before the end
	args[4] = "udp://" + port(t, lines)
	_, lines = run(t, "ready", args...) // where it was, so that the callers hear that their calls are over
	talkers.Close()
	speaking.Wait()
	var out, wrong bytes.Buffer
	reader := programWith(&out, &wrong, nil)
	if code := reader.run([]string{"voicemail", "list", "u0", "--json", "--data", dir}); code != 0 {
		t.Fatal(wrong.String())
	}
	var messages []struct {
		State   string
		File    string
		Seconds float64
	}
	if err := json.Unmarshal(out.Bytes(), &messages); err != nil {
		t.Fatal(err)
	}
	if len(messages) < lamp.left {
		t.Errorf("%d messages were told of, %d are there", lamp.left, len(messages))
	}
	for _, m := range messages {
		if pcm := samples(t, m.File); m.State != "new" || m.Seconds < 1 || float64(pcm) < 7900*m.Seconds {
			t.Errorf("%+v with %d samples", m, pcm)
		}
	}
	if again := watchBox(t, port(t, lines)); again.left != len(messages) {
		t.Errorf("the lamp tells of %d messages, there are %d", again.left, len(messages))
	}
}

// samples is how long a WAV file is, which must end as it says.
func samples(t *testing.T, file string) int {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := audio.NewWAVReader(f)
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := audio.ReadAll(r, 1<<22)
	if err != nil {
		t.Fatal(err)
	}
	return len(pcm)
}
