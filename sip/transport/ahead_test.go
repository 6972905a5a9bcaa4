package transport

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
)

// backlog is a connection on which lies what was not read yet.
type backlog struct {
	network.Stream
	come  []byte
	asked int
}

func (b *backlog) Read(p []byte) (int, error) {
	if len(b.come) == 0 {
		return 0, io.EOF
	}
	return b.take(p), nil
}

func (b *backlog) Write(p []byte) (int, error) { return len(p), nil }

func (b *backlog) SetDeadline(time.Time) error { return nil }

func (b *backlog) Close() error { b.come = nil; return nil }

func (b *backlog) take(p []byte) int {
	n := copy(p, b.come)
	b.come = b.come[n:]
	return n
}

func (b *backlog) TryRead(p []byte) int {
	b.asked++
	return b.take(p)
}

func (b *backlog) Await(pool *sync.Pool) (*[]byte, int, error) {
	buf := pool.Get().(*[]byte)
	n, err := b.Read(*buf)
	return buf, n, err
}

// newAhead returns a stream that reads a backlog.
func newAhead(limits Limits) (*ahead, *backlog) {
	l := &Layer{Log: slog.New(slog.DiscardHandler), Limits: limits}
	l.begin()
	conn := new(backlog)
	return &ahead{layer: l, conn: conn}, conn
}

// TestAhead: what has come while the reader was behind is taken off the connection at once, and its age is known.
func TestAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, conn := newAhead(Limits{})
		read := func(size, n int, waited time.Duration) {
			t.Helper()
			if got, err := a.Read(make([]byte, size)); got != n || err != nil || a.waited != waited {
				t.Errorf("%d bytes after %v, %v; want %d after %v", got, a.waited, err, n, waited)
			}
		}
		conn.come = make([]byte, 99)
		read(100, 99, 0)
		if conn.asked > 0 {
			t.Error("a reader that keeps up asks the system")
		}
		conn.come = make([]byte, 400)
		read(100, 100, 0)
		read(100, 100, 0)
		if len(conn.come) > 0 {
			t.Errorf("%d bytes are left with the system", len(conn.come))
		}
		time.Sleep(noWait / 2)
		read(100, 100, 0)
		time.Sleep(50 * time.Millisecond)
		conn.come = make([]byte, 30)
		read(100, 100, 50*time.Millisecond+noWait/2)
		read(100, 30, 0)
		if _, err := a.Read(make([]byte, 100)); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v", err)
		}
	})
}

// TestAheadGoesOn: a reader that stays behind asks again before it has handled everything, so that what comes meanwhile is no younger than it is.
func TestAheadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, conn := newAhead(Limits{})
		conn.come = make([]byte, 4*streamBuffer)
		for range 3 {
			if _, err := a.Read(make([]byte, streamBuffer)); err != nil {
				t.Fatal(err)
			}
			conn.come = append(conn.come, make([]byte, streamBuffer)...)
			time.Sleep(100 * time.Millisecond)
		}
		var buf [streamBuffer]byte
		var ages []time.Duration
		for len(a.parts) > 0 {
			_, _ = a.Read(buf[:])
			ages = append(ages, a.waited)
		}
		want := []time.Duration{200 * time.Millisecond, 200 * time.Millisecond, 100 * time.Millisecond}
		if len(ages) < 3 || ages[0] != want[0] || ages[1] != want[1] || ages[2] != want[2] {
			t.Errorf("waited %v, want %v", ages, want)
		}
	})
}

// TestAheadOrder: whoever reads in whatever pieces gets every byte in its place.
func TestAheadOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	a, conn := newAhead(Limits{})
	sent, got := make([]byte, 1<<20), []byte(nil)
	for i := range sent {
		sent[i] = byte(rng.Uint32())
	}
	for next := 0; len(got) < len(sent); {
		more := min(rng.IntN(100_000), len(sent)-next)
		conn.come, next = append(conn.come, sent[next:next+more]...), next+more
		if len(conn.come) == 0 && len(a.parts) == 0 {
			continue
		}
		if rng.IntN(2) == 0 {
			buf, n, err := a.await()
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, (*buf)[:n]...)
			a.layer.pools.buffers.Put(buf)
			continue
		}
		b := make([]byte, 1+rng.IntN(20_000))
		n, err := a.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b[:n]...)
	}
	if !bytes.Equal(got, sent) {
		t.Error("other bytes")
	}
	if n := a.layer.ahead.Load(); n != 0 {
		t.Errorf("%d bytes are counted when nothing is kept", n)
	}
}

// TestAheadEnds: no connection takes more than its share, all together no more than the limit, and what ends gives it back.
func TestAheadEnds(t *testing.T) {
	a, conn := newAhead(Limits{Ahead: farthestAhead + streamBuffer})
	other, second := &ahead{layer: a.layer}, new(backlog)
	other.conn = second
	for _, c := range []*backlog{conn, second} {
		c.come = make([]byte, 2*farthestAhead)
	}
	for _, r := range []*ahead{a, other} {
		for range 2 {
			if _, err := r.Read(make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(a.parts) != farthestAhead/streamBuffer || len(other.parts) != 1 {
		t.Errorf("%d and %d parts", len(a.parts), len(other.parts))
	}
	a.drop()
	other.drop()
	if n := a.layer.ahead.Load(); n != 0 {
		t.Errorf("%d bytes are counted when both have ended", n)
	}
}

// TestAheadBelow: what comes through TLS and WebSocket has waited as long as the bytes below, and the gate before new requests hears of it.
func TestAheadBelow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gate []time.Duration
		spare, conn := newAhead(Limits{})
		l := spare.layer
		l.Spare = func(p *Packet) bool { gate = append(gate, p.Waited); return true }
		s := l.stream(conn, sip.Flow{Transport: sip.WSS})
		s.outlet.pass()
		message := []byte("OPTIONS sip:a@example.org SIP/2.0\r\nContent-Length: 0\r\n\r\n")
		conn.come = bytes.Repeat(message, 3)
		for range 2 {
			if _, err := s.outlet.Read(make([]byte, len(message))); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if _, err := s.outlet.Read(make([]byte, len(message))); err != nil {
			t.Fatal(err)
		}
		l.readFrame(s, message)
		if len(gate) != 1 || gate[0] != 50*time.Millisecond {
			t.Errorf("the gate heard %v", gate)
		}
	})
}

// TestAheadHandshake: whoever does not end the handshake holds nothing that was read ahead, before it fails and after.
func TestAheadHandshake(t *testing.T) {
	errTest := errors.New("no")
	lots := bytes.Repeat([]byte("x"), 8*streamBuffer)
	for _, tt := range []struct {
		name, begin string
		transport   sip.Transport
		handshake   func(*stream) error
	}{
		{"TLS", "\x16\x03\x01\x40\x00\x7f", sip.TLS, (*stream).greet},
		{"WebSocket", "GET / HTTP/1.1\r\nHost: a\r\nX: " + string(lots[:5000]) + "\r\n\r\n", sip.WS, (*stream).greet},
		{"another that reads ahead", "", sip.TCP, func(s *stream) error {
			for range 2 {
				_, _ = s.ahead.Read(make([]byte, 100))
			}
			if s.layer.Ahead() == 0 {
				t.Error("nothing was read ahead")
			}
			return errTest
		}},
	} {
		l := &Layer{Log: slog.New(slog.DiscardHandler), TLS: new(tls.Config)}
		l.begin()
		conn := &backlog{come: append([]byte(tt.begin), lots...)}
		s := l.stream(conn, sip.Flow{Transport: tt.transport})
		if s.accepted = true; !l.flows.enter(s) {
			t.Fatal("no room")
		}
		var err error
		if s.open(tt.handshake, func(e error) { err = e }) || err == nil {
			t.Errorf("%s: the handshake has not failed", tt.name)
		}
		if n := l.Ahead(); n != 0 || tt.transport != sip.TCP && conn.asked > 0 {
			t.Errorf("%s: %d bytes are kept, %d asked for ahead", tt.name, n, conn.asked)
		}
	}
}

// TestAheadClosed: of a connection that was closed here nothing more is handled, for there is nobody to answer.
func TestAheadClosed(t *testing.T) {
	l := &Layer{Log: slog.New(slog.DiscardHandler)}
	l.begin()
	conn := &backlog{come: make([]byte, 8*streamBuffer)}
	s := l.stream(conn, sip.Flow{Transport: sip.TCP})
	for range 2 {
		if buf, _, err := s.ahead.await(); err != nil {
			t.Fatal(err)
		} else {
			l.pools.buffers.Put(buf)
		}
	}
	if l.Ahead() == 0 {
		t.Fatal("nothing was read ahead")
	}
	s.close()
	if _, n, err := s.ahead.await(); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n := l.Ahead(); n != 0 {
		t.Errorf("%d bytes are kept", n)
	}
}
