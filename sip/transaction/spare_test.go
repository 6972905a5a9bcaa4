package transaction

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/transport"
)

// lateness is a table behind a real transport whose reader is late: every datagram of it has waited.
type lateness struct {
	ends
	layer transport.Layer
	from  network.PacketConn
	to    netip.AddrPort
	raw   string             // the datagram that is under way
	heard map[string]verdict // of each that was late
}

// verdict is what became of a datagram.
type verdict struct {
	took  bool   // what Spare said
	early string // what it answered
	full  string // what Receive answered to the same
}

// behind gives f a lateness in virtual time.
func behind(t *testing.T, f func(l *lateness)) {
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{Seed: 1}
		defer sim.Close()
		at, peer := netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("192.0.2.1")
		l := &lateness{ends: *newEnds(t), to: netip.AddrPortFrom(at, 5060)}
		l.table.Wire, l.table.UserAgent = l, "test"
		l.layer = transport.Layer{Network: sim.Host(at), Readers: 1, Log: slog.New(slog.DiscardHandler), Handle: l.handle, Spare: l.spare, Trace: func(tr transport.Trace) { l.raw = string(tr.Data) }}
		if _, err := l.layer.Listen(t.Context(), "udp://192.0.2.2:5060"); err != nil {
			t.Fatal(err)
		}
		defer l.layer.Close()
		conns, err := sim.Host(peer).ListenPacket(t.Context(), netip.AddrPortFrom(peer, 5060), 1)
		if err != nil {
			t.Fatal(err)
		}
		l.from = conns[0]
		defer l.from.Close()
		f(l)
	})
}

// Send keeps what is sent.
func (l *lateness) Send(_ *transport.Outbox, f sip.Flow, b []byte) error {
	if want := netip.MustParseAddrPort("192.0.2.1:5060"); f.Remote.Addr() != want.Addr() {
		return fmt.Errorf("sent to %v", f.Remote)
	}
	l.said = slices.Clone(b)
	return nil
}

// spare lets the packet go on, so that both ways to answer can be compared.
func (l *lateness) spare(p *transport.Packet) bool {
	l.said = nil
	took := l.table.Spare(p)
	l.heard[l.raw] = verdict{took: took, early: string(l.said)}
	return false
}

func (l *lateness) handle(p *transport.Packet) {
	if p.Waited == 0 { // one of those that make the others wait
		time.Sleep(100 * time.Millisecond)
		return
	}
	l.said = nil
	if p.Err == nil && p.Request.Validate() == nil {
		l.table.Receive(p)
	}
	v := l.heard[l.raw]
	v.full = string(l.said)
	l.heard[l.raw] = v
}

// come has messages arrive, each twice because a reader measures how late it is by full batches, and returns what became of them.
func (l *lateness) come(t *testing.T, messages ...string) (all []verdict) {
	t.Helper()
	l.heard = make(map[string]verdict)
	batch := slices.Repeat([]network.Datagram{{Buf: []byte(ask("BYE", "0")), Peer: l.to}}, 8)
	for _, m := range messages {
		batch = append(batch, slices.Repeat([]network.Datagram{{Buf: []byte(m), Peer: l.to}}, 2)...)
	}
	if _, err := l.from.WriteBatch(batch); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	synctest.Wait()
	for _, m := range messages {
		v, ok := l.heard[m]
		if !ok {
			t.Fatalf("it was not late: %q", m)
		}
		all = append(all, v)
	}
	return all
}

// took fails unless Spare took the messages that it should.
func took(t *testing.T, all []verdict, want ...bool) {
	t.Helper()
	for i, v := range all {
		if v.took != want[i] {
			t.Errorf("message %d: %v", i+1, v.took)
		}
	}
}

// ask is a request with a branch of its own.
func ask(method, branch string, edits ...string) string {
	return strings.NewReplacer(edits...).Replace(method + " sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK" + branch + ";rport\r\nVia: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK9\r\n" +
		"Max-Forwards: 70\r\nFrom: <sip:alice@192.0.2.1>;tag=a\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: c" + branch + "\r\nCSeq: 1 " + method + "\r\nContent-Length: 0\r\n\r\n")
}

// sameAnswer fails unless two responses say the same.
func sameAnswer(t *testing.T, a, b string) {
	t.Helper()
	one, err1 := sip.ParseResponse([]byte(a))
	two, err2 := sip.ParseResponse([]byte(b))
	if err1 != nil || err2 != nil {
		t.Fatalf("%v %v\n%s\n%s", err1, err2, a, b)
	}
	for _, h := range [...]sip.Header{sip.HeaderVia, sip.HeaderFrom, sip.HeaderTo, sip.HeaderCallID, sip.HeaderCSeq, sip.HeaderRetryAfter, sip.HeaderServer, sip.HeaderContentLength} {
		if x, y := slices.Collect(one.Values(h)), slices.Collect(two.Values(h)); !slices.Equal(x, y) {
			t.Errorf("%v: %q, read in full %q", h, x, y)
		}
	}
	if one.Status != sip.StatusServiceUnavailable || two.Status != one.Status {
		t.Errorf("got %d and %d", one.Status, two.Status)
	}
}

// What is refused before it is read gets the answer that it gets when it is read, and nothing else is refused so. RFC 3261 §8.2.6, §18.2.1; RFC 3581 §4.
func TestSpare(t *testing.T) {
	behind(t, func(l *lateness) {
		l.table.Load = closedGate{}
		all := l.come(t, ask("INVITE", "1"), ask("OPTIONS", "2", ";rport", ""), ask("INVITE", "3", "192.0.2.1;branch", "a.test:5070;branch"),
			ask("INVITE", "4", "To: <sip:bob@192.0.2.2>", "To: <sip:bob@192.0.2.2>;tag=b"), ask("CANCEL", "5"), ask("INVITE", "6", "z9hG4bK6", "old"),
			ask("INVITE", "7", "Max-Forwards: 70", "Subject: a\r\n b"))
		took(t, all, true, true, true, false, false, false, false)
		for _, v := range all[:3] {
			sameAnswer(t, v.early, v.full)
			if len(v.early)%evenly != 0 {
				t.Errorf("%d bytes", len(v.early))
			}
		}
		if first := all[0].early; !strings.Contains(first, ";received=192.0.2.1;rport=5060\r\n") || !strings.Contains(first, "Server: test\r\n") {
			t.Error(first)
		}
		// The ACK to the refusal ends where it came in; that with another tag may be for a 2xx.
		res, err := sip.ParseResponse([]byte(all[0].early))
		if err != nil {
			t.Fatal(err)
		}
		refused := "To: " + res.Get(sip.HeaderTo)
		absorbed := l.table.Stats().Absorbed
		took(t, l.come(t, ask("ACK", "1", "To: <sip:bob@192.0.2.2>", refused), ask("ACK", "8", "To: <sip:bob@192.0.2.2>", refused),
			ask("ACK", "1", "To: <sip:bob@192.0.2.2>", "To: <sip:bob@192.0.2.2>;tag=b")), true, false, false)
		if got := l.table.Stats().Absorbed - absorbed; got < 2 {
			t.Errorf("%d absorbed", got)
		}
	})
}

// The copy of a request that was let in is not refused: its answer is on its way.
func TestSpareNoCopy(t *testing.T) {
	behind(t, func(l *lateness) {
		took(t, l.come(t, ask("INVITE", "1")), false)
		l.table.Load = closedGate{}
		took(t, l.come(t, ask("INVITE", "1"), ask("INVITE", "2")), false, true)
	})
}

// Of the torture messages of RFC 4475, what is refused unread gets the answer that it gets when it is read.
func TestSpareTorture(t *testing.T) {
	files, err := filepath.Glob("../testdata/rfc4475/*.dat")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var messages []string
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, string(raw))
	}
	behind(t, func(l *lateness) {
		l.table.Load = closedGate{}
		alike := 0
		for i, m := range messages {
			if sip.IsResponse([]byte(m)) || !strings.Contains(m, "SIP/2.0\r\n") {
				continue // it is not offered
			}
			v := l.come(t, m)[0]
			if v.took && v.full != "" {
				alike++
				sameAnswer(t, v.early, v.full)
			}
			if v.took != (v.early != "") {
				t.Errorf("%s: %v, %q", files[i], v.took, v.early)
			}
		}
		if alike < 3 {
			t.Errorf("%d were refused both ways", alike)
		}
	})
}
