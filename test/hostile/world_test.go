// A server under attack, what it counts, and the attacker's sockets.

package hostile

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sipwerk/sipwerk/server"
	"github.com/sipwerk/sipwerk/server/config"
	"github.com/sipwerk/sipwerk/server/store"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transaction"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a server for the domain example.org with the accounts alice, bob, user, j.user and watson, whose secrets are "secret of" them.
type house struct {
	t        *testing.T
	server   *server.Server
	trusts   bool // the attacker's address
	udp, tcp netip.AddrPort
	web      string
}

// trusting is a server that does not challenge: a challenge would hide what else is to be said.
func trusting(t *testing.T) *house { return open(t, map[string]string{"trust": "127.0.0.0/8"}) }

// strict is a server to which everyone here is a stranger.
func strict(t *testing.T) *house { return open(t, nil) }

// open starts a server whose transactions end early: 64 T1 are 640 ms.
func open(t *testing.T, set map[string]string) *house {
	t.Helper()
	return openWith(t, set, transaction.Timers{T1: 10 * time.Millisecond, T2: 40 * time.Millisecond, T4: 50 * time.Millisecond})
}

// unhurried are the timers of a server whose calls are answered by telephones of the same process, which a busy machine keeps from their turn: 64 T1 are 3.2 s.
var unhurried = transaction.Timers{T1: 50 * time.Millisecond, T2: 200 * time.Millisecond, T4: 50 * time.Millisecond}

func openWith(t *testing.T, set map[string]string, timers transaction.Timers) *house {
	t.Helper()
	flags := map[string]string{"data": filepath.Join(t.TempDir(), "data"), "domain": "example.org", "listen": "udp://127.0.0.1:0,tcp://127.0.0.1:0",
		"http": "127.0.0.1:0", "drain": "0s"}
	for k, v := range set {
		flags[k] = v
	}
	cfg, err := config.Load(config.Input{Flags: flags})
	if err != nil {
		t.Fatal(err)
	}
	s, err := server.Start(t.Context(), cfg, server.Options{Agent: "Sipwerk/test", Timers: timers})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []string{"alice", "bob", "user", "j.user", "watson"} {
		if err := s.Store.AddAccount(t.Context(), store.Account{Domain: "example.org", User: u}, "secret of "+u); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	ls := s.Listeners()
	h := &house{t: t, server: s, udp: ls[0].Addr, tcp: ls[1].Addr, web: "http://" + ls[len(ls)-1].Addr.String(), trusts: set["trust"] != ""}
	t.Cleanup(func() { s.Stop(context.Background()) })
	return h
}

// count returns the sum of a metric over its labels.
func (h *house) count(names ...string) int {
	h.t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get(h.web + "/metrics")
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil {
		h.t.Fatal(err)
	}
	sum := 0.0
	for _, name := range names {
		found := regexp.MustCompile(`(?m)^`+name+`(?:\{.*\})? (\S+)$`).FindAllStringSubmatch(text.String(), -1)
		if found == nil {
			h.t.Fatalf("no metric %s", name)
		}
		for _, f := range found {
			n, err := strconv.ParseFloat(f[1], 64)
			if err != nil {
				h.t.Fatal(err)
			}
			sum += n
		}
	}
	return int(sum)
}

// patience is how long a test waits for what must come. It is no measure of anything: a machine that is busy may take its time.
const patience = time.Minute

// audit waits until nothing is left of what was done, which takes no longer than the timers, and checks that nobody has panicked and everybody is served.
func (h *house) audit() {
	h.t.Helper()
	h.until(0, "sipwerk_transactions", "sipwerk_dialogs", "sipwerk_calls", "sipwerk_feature_calls", "sipwerk_media_streams")
	if n := h.count("sipwerk_panics_total"); n != 0 {
		h.t.Errorf("%d panics", n)
	}
	h.honest()
}

// until waits for the sum of metrics to be n.
func (h *house) until(n int, names ...string) {
	h.t.Helper()
	deadline := time.Now().Add(patience)
	for got := h.count(names...); got != n; got = h.count(names...) {
		if time.Now().After(deadline) {
			h.t.Fatalf("%v: %d, want %d", names, got, n)
		}
		<-time.After(20 * time.Millisecond)
	}
}

// honest has an honest telephone ask for the server's capabilities.
func (h *house) honest() {
	h.t.Helper()
	if got := h.attacker().ask(nil); len(got) != 0 {
		h.t.Errorf("the telephone heard %v", got)
	}
}

// attacker is a UDP socket and the server it sends to.
type attacker struct {
	t     *testing.T
	conn  *net.UDPConn
	heard map[string]bool // of one whose INVITEs get that far: their refusals, which are repeated until their ACK
}

func (h *house) attacker() *attacker {
	h.t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(h.udp))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	a := &attacker{t: h.t, conn: conn}
	if h.trusts {
		a.heard = make(map[string]bool)
	}
	return a
}

// reply is one datagram that came back.
type reply struct {
	*sip.Response
	size int
}

// String is its status, for the log.
func (r reply) String() string { return strconv.Itoa(int(r.Status)) }

// final returns the only reply that counts: provisional ones left out, nil if there is none.
func final(t *testing.T, replies []reply) *sip.Response {
	t.Helper()
	var last *sip.Response
	for _, r := range replies {
		if r.Status.Provisional() {
			continue
		}
		if last != nil {
			t.Errorf("answered %d and %d", last.Status, r.Status)
		}
		last = r.Response
	}
	return last
}

// ask sends a datagram and returns the answers to it. It needs no time-out to know that there is none: what is sent behind it is answered behind it.
func (a *attacker) ask(datagram []byte) []reply {
	a.t.Helper()
	end := rand.Text()
	if len(datagram) > 0 {
		a.send(datagram)
	}
	a.send([]byte(request("OPTIONS", "sip:example.org", "UDP "+a.conn.LocalAddr().String(), "Call-ID: "+end)))
	var replies []reply
	for {
		r := a.read()
		if r.CallID() == end {
			if r.Status != sip.StatusOK {
				a.t.Fatalf("OPTIONS is answered %d", r.Status)
			}
			return replies
		}
		if text := r.Response.String(); a.heard == nil || !a.heard[text] {
			replies = append(replies, r)
			if a.heard != nil {
				a.heard[text] = true
			}
		}
	}
}

func (a *attacker) send(b []byte) {
	a.t.Helper()
	if _, err := a.conn.Write(b); err != nil {
		a.t.Fatal(err)
	}
}

// read takes the next datagram, which must be a well-formed response.
func (a *attacker) read() reply {
	a.t.Helper()
	var room [65536]byte
	if err := a.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		a.t.Fatal(err)
	}
	n, err := a.conn.Read(room[:])
	if err != nil {
		a.t.Fatalf("no answer: %v", err)
	}
	res, err := sip.ParseResponse(bytes.Clone(room[:n]))
	if err == nil {
		err = wellFormed(res)
	}
	if err != nil {
		a.t.Fatalf("the server sent a malformed response: %v\n%q", err, room[:n])
	}
	return reply{Response: res, size: n}
}

// size takes the next datagram, whatever it is, and returns its length.
func (a *attacker) size() int {
	a.t.Helper()
	var room [65536]byte
	if err := a.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		a.t.Fatal(err)
	}
	n, err := a.conn.Read(room[:])
	if err != nil {
		a.t.Fatalf("no answer: %v", err)
	}
	return n
}

// wellFormed checks what a response carries. A response to a request that lacked a header lacks it too; what is there must be legal.
func wellFormed(res *sip.Response) error {
	var faults []error
	check := func(h sip.Header, err error) {
		if res.Has(h) && err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", h, err))
		}
	}
	_, err := res.From()
	check(sip.HeaderFrom, err)
	_, err = res.To()
	check(sip.HeaderTo, err)
	_, err = res.CSeq()
	check(sip.HeaderCSeq, err)
	for v := range res.Values(sip.HeaderVia) {
		_, err = sip.ParseVia(v)
		check(sip.HeaderVia, err)
	}
	return errors.Join(faults...)
}

// request writes one; via is transport and address, lines are headers to add or, by their name, to replace.
func request(method, uri, via string, lines ...string) string {
	fields := []string{"Via: SIP/2.0/" + via + ";rport;branch=z9hG4bK" + rand.Text(), "Max-Forwards: 70", "From: <sip:alice@example.org>;tag=" + rand.Text(),
		"To: <" + uri + ">", "Call-ID: " + rand.Text(), "CSeq: 1 " + method}
	for _, l := range lines {
		name, _, _ := strings.Cut(l, ":")
		at := len(fields)
		for i, f := range fields {
			if strings.HasPrefix(f, name+":") {
				at = i
			}
		}
		fields = append(fields[:at], append([]string{l}, fields[min(at+1, len(fields)):]...)...)
	}
	return method + " " + uri + " SIP/2.0\r\n" + strings.Join(fields, "\r\n") + "\r\nContent-Length: 0\r\n\r\n"
}

// torture reads a file of sip/testdata.
func torture(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("../../sip/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
