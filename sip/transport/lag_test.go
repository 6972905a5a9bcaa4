package transport

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// TestLag: what was there when a read filled its buffer has waited since then, and what came later has not.
func TestLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g lag
		behind, asked := 0, 0
		unread := func() int { asked++; return behind }
		read := func(n int, want time.Duration) {
			t.Helper()
			if got := g.read(n, 100, unread); got != want {
				t.Errorf("waited %v, want %v", got, want)
			}
		}
		read(99, 0)
		if asked > 0 {
			t.Error("a reader that keeps up asks the system")
		}
		behind = 250
		read(100, 0)
		time.Sleep(50 * time.Millisecond)
		read(100, 50*time.Millisecond)
		time.Sleep(50 * time.Millisecond)
		behind = 10
		read(100, 100*time.Millisecond)
		read(60, 100*time.Millisecond) // with it the last of the 250
		read(60, 0)
		behind = 30
		read(100, 0)
		time.Sleep(time.Second)
		read(100, time.Second)
		read(20, 0)
		if asked != 3 {
			t.Errorf("the system was asked %d times", asked)
		}
	})
}

// backlog is a connection on which more waits than is read.
type backlog struct {
	network.Stream
	unread int
}

func (b *backlog) Read(p []byte) (int, error) { return len(p), nil }
func (b *backlog) Unread() int                { return b.unread }

// TestLagBelow: what comes through TLS and WebSocket has waited as long as the bytes below, and the gate before new requests hears of it.
func TestLagBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := &backlog{unread: 250}
		o := &outlet{Conn: conn, direct: conn}
		var gate []time.Duration
		l := &Layer{Log: slog.New(slog.DiscardHandler), Spare: func(p *Packet) bool { gate = append(gate, p.Waited); return true }}
		s, secure := &stream{layer: l, outlet: o}, &byteWire{conn: o, outlet: o}
		message := []byte("OPTIONS sip:a@example.org SIP/2.0\r\nContent-Length: 0\r\n\r\n")
		read := func(after, want time.Duration) {
			t.Helper()
			time.Sleep(after)
			if n, err := o.Read(make([]byte, 100)); n != 100 || err != nil {
				t.Fatal(n, err)
			}
			if secure.measure(100, 16384); o.behind() != want || secure.waited != want {
				t.Errorf("waited %v and %v, want %v", o.behind(), secure.waited, want)
			}
		}
		read(0, 0)
		read(noLag/2, 0)
		read(50*time.Millisecond, 50*time.Millisecond+noLag/2)
		l.readFrame(s, message)
		if len(gate) != 1 || gate[0] != o.waited {
			t.Errorf("the gate heard %v", gate)
		}
	})
	if (*outlet)(nil).behind() != 0 {
		t.Error("without a system that tells nothing has waited")
	}
}
