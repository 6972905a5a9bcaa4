// Junk from everywhere, and connections that never say anything whole, while an honest telephone goes on. RFC 3261 §26.3.2.4.

package hostile

import (
	"bytes"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/load"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

// The flood by rate is a measurement, for a machine that does nothing else: `make hostile`.
var (
	floodRate  = flag.Int("rate", 0, "packets of junk a second; 0: as many as the server keeps up with")
	floodPeers = flag.Int("peers", 400, "connections that never say anything whole")
	floodTime  = flag.Duration("span", 20*time.Second, "how long calls are made in a flood by rate")
	floodAt    = flag.String("at", "", "flood this UDP address until the input ends, and nothing else: what the child of a flood by rate does")
)

const (
	floodSources = 16
	floodBurst   = 50  // packets between two looks whether the server keeps up
	floodAsked   = 100 // requests of the honest telephone
)

// junk are packets of every kind that costs a server something: bytes, text, half a message, a message with a fault, keep-alives.
func junk() [][]byte {
	good := request("OPTIONS", "sip:example.org", "UDP 203.0.113.1")
	noise := make([]byte, 300)
	_, _ = rand.Read(noise)
	noise[0] = 'O'
	return [][]byte{noise, []byte(strings.Repeat("hello ", 50)), []byte(good[:60]), []byte(strings.Replace(good, "CSeq: 1", "CSeq: x", 1)),
		[]byte("GET / HTTP/1.1\r\n\r\n"), []byte("\r\n\r\n"), []byte("\x80\x00junk")}
}

// flood sends bursts of junk from a source of its own, and waits behind each, until stop is closed. It returns how many packets that were.
func (h *house) flood(number int, wait func(a *attacker), stop <-chan struct{}) (sent int) {
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 1, byte(1+number))}, net.UDPAddrFromAddrPort(h.udp))
	if err != nil {
		h.t.Error(err)
		return 0
	}
	defer conn.Close()
	packets := junk()
	for {
		select {
		case <-stop:
			return sent
		default:
		}
		for range floodBurst {
			_, _ = conn.Write(packets[sent%len(packets)]) // a full socket drops it
			sent++
		}
		wait(&attacker{t: h.t, conn: conn})
	}
}

// floods has all sources send while f runs, and returns how many packets that were.
func (h *house) floods(wait func(a *attacker), f func()) int64 {
	stop := make(chan struct{})
	var all sync.WaitGroup
	var sent atomic.Int64
	for i := range floodSources {
		all.Go(func() { sent.Add(int64(h.flood(i, wait, stop))) })
	}
	f()
	close(stop)
	all.Wait()
	return sent.Load()
}

// slow opens connections of which one half says half a request, and the other nothing.
func (h *house) slow(n int) {
	for i := range n {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 2, byte(1+i%250))}}
		conn, err := d.Dial("tcp", h.tcp.String())
		if err != nil {
			h.t.Fatal(err)
		}
		h.t.Cleanup(func() { conn.Close() })
		if i%2 == 0 {
			_, _ = conn.Write([]byte("OPTIONS sip:example.org SIP/2.0\r\nVia: "))
		}
	}
}

// TestFloodOfJunk: each request of a telephone that sends it again as RFC 3261 §17.1.2.2 has it is answered. How fast is not for a test to say that runs beside others.
func TestFloodOfJunk(t *testing.T) {
	switch {
	case *floodAt != "":
		floodOthers(t)
		return
	case *floodRate > 0:
		floodByRate(t)
		return
	}
	h := open(t, nil)
	h.slow(*floodPeers)
	phone := h.attacker()
	again := 0
	sent := h.floods(func(a *attacker) { a.insist() }, func() {
		for range floodAsked {
			again += phone.insist()
		}
	})
	t.Logf("%d packets of junk, %d requests, %d sent again", sent, floodAsked, again)
	if n := h.count("sipwerk_messages_malformed_total", "sipwerk_noise_ignored_total"); n == 0 {
		t.Error("the server has seen no junk")
	}
	h.audit()
}

// insist sends a request until it is answered with 200, and returns how often again. A refusal for overload is no answer: the telephone waits and tries again.
func (a *attacker) insist() (again int) {
	a.t.Helper()
	call := rand.Text()
	message := []byte(request("OPTIONS", "sip:example.org", "UDP "+a.conn.LocalAddr().String(), "Call-ID: "+call))
	wait, timerF := 500*time.Millisecond, time.Now().Add(32*time.Second)
	for ; ; again++ {
		a.send(message)
		if a.hears(call, wait) {
			return again
		}
		if wait = min(2*wait, 4*time.Second); time.Now().After(timerF) {
			a.t.Error("a request is not answered")
			return again
		}
	}
}

// hears waits for the answer to a call's request.
func (a *attacker) hears(call string, wait time.Duration) bool {
	_ = a.conn.SetReadDeadline(time.Now().Add(wait))
	room := make([]byte, 4096)
	for {
		n, err := a.conn.Read(room)
		if err != nil {
			return false
		}
		if res, err := sip.ParseResponse(room[:n]); err == nil && res.CallID() == call && res.Status == sip.StatusOK {
			return true
		}
	}
}

// floodOthers is a process that sends at a rate, and says at the end how many packets a second that were.
func floodOthers(t *testing.T) {
	h := &house{t: t, udp: netip.MustParseAddrPort(*floodAt)}
	begin := time.Now()
	var bursts atomic.Int64
	pause := func(*attacker) {
		due := time.Duration(bursts.Add(1)) * time.Second * floodBurst / time.Duration(*floodRate)
		time.Sleep(time.Until(begin.Add(due)))
	}
	sent := h.floods(pause, func() { _, _ = io.Copy(io.Discard, os.Stdin) })
	t.Logf("%.0f packets of junk a second", float64(sent)/time.Since(begin).Seconds())
}

// floodByRate has real telephones, with the standard's timers, call each other: of their calls 99 in 100 succeed.
func floodByRate(t *testing.T) {
	h := openWith(t, nil, transaction.Timers{})
	h.slow(*floodPeers)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.v", "-test.run=^TestFloodOfJunk$", "-at="+h.udp.String(), fmt.Sprintf("-rate=%d", *floodRate))
	var said bytes.Buffer
	child.Stdout, child.Stderr = &said, &said
	end, err := child.StdinPipe()
	if err == nil {
		err = child.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	run := &load.Run{Plan: load.Plan{Scenario: load.Call, Target: h.udp, Domain: "example.org", Rate: 20, Warmup: time.Second, Window: *floodTime, Callees: 1,
		Users: load.Users{List: []load.User{{Name: "bob", Password: "secret of bob"}, {Name: "alice", Password: "secret of alice"}}}}}
	r, err := run.Do(t.Context())
	if err = errors.Join(err, end.Close(), child.Wait()); err != nil {
		t.Fatalf("%v\n%s", err, &said)
	}
	t.Logf("%d connections, %d calls, %d failed %v, %d messages sent again, p50 %.1f ms, p99 %.1f ms\n%s", *floodPeers, r.Counts.Started, r.Counts.Failed, r.Failures,
		r.Counts.Retransmitted, r.Latency.P50/1000, r.Latency.P99/1000, &said)
	if r.Counts.Started == 0 || 100*r.Counts.Failed > r.Counts.Started {
		t.Errorf("%d of %d calls failed", r.Counts.Failed, r.Counts.Started)
	}
}
