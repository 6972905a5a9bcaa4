package network_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// ends returns both ends of a connection over the loopback.
func ends(t *testing.T) (a, b network.Stream) {
	t.Helper()
	l, err := network.OS{}.ListenStream(t.Context(), netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := network.OS{}.DialStream(t.Context(), netip.Addr{}, l.Addr().(*net.TCPAddr).AddrPort())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialed.Close(); accepted.Close() })
	return dialed.(network.Stream), accepted.(network.Stream)
}

// A connection carries the same in the poller, blocking, and in the poller again.
func TestStreamBlocksAndRests(t *testing.T) {
	a, b := ends(t)
	pool := &sync.Pool{New: func() any { buf := make([]byte, 4096); return &buf }}
	echoed := make(chan error)
	go func() {
		_, err := io.Copy(struct{ io.Writer }{b}, struct{ io.Reader }{b})
		echoed <- err
	}()
	rested := make(chan struct{})
	ask := func() {
		t.Helper()
		for i := range 100 {
			message := bytes.Repeat([]byte{byte(i)}, 1000)
			if n := a.TryWrite(message); n != len(message) {
				t.Fatalf("TryWrite = %d", n)
			}
			for got := 0; got < len(message); {
				buf, n, err := a.Await(pool)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal((*buf)[:n], message[got:got+n]) {
					t.Fatal("other bytes")
				}
				got += n
				pool.Put(buf)
			}
		}
	}
	ask()
	if local := a.LocalAddr().String(); !a.Block(func() { close(rested) }) || a.LocalAddr().String() != local || a.RemoteAddr().String() != b.LocalAddr().String() {
		t.Error("it does not block")
	}
	if a.Block(func() {}) {
		t.Error("it blocks twice")
	}
	ask()
	// The deadline comes after the silence.
	_ = a.SetReadDeadline(time.Now().Add(1200 * time.Millisecond))
	if _, _, err := a.Await(pool); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	<-rested
	_ = a.SetReadDeadline(time.Time{})
	ask()
	a.Close()
	if err := <-echoed; err != nil {
		t.Error(err)
	}
}

func TestStreamThatBlocksEnds(t *testing.T) {
	a, b := ends(t)
	done := make(chan struct{})
	if !a.Block(func() { close(done) }) {
		t.Fatal("it does not block")
	}
	ended := make(chan error)
	go func() {
		_, err := a.Read(make([]byte, 10))
		ended <- err
	}()
	a.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("read: %v", err)
	}
	<-done
	if n := a.TryWrite([]byte("x")); n != 0 {
		t.Errorf("TryWrite = %d", n)
	}
	if _, err := a.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("write: %v", err)
	}
	if _, err := b.Read(make([]byte, 10)); err != io.EOF {
		t.Errorf("peer reads %v", err)
	}
}

// A peer that does not read holds up nobody beyond the deadline.
func TestStreamThatBlocksWaitsForRoom(t *testing.T) {
	a, b := ends(t)
	if !a.Block(func() {}) {
		t.Fatal("it does not block")
	}
	room := make([]byte, 1<<20)
	for n := 1; n > 0; {
		n = a.TryWrite(room)
	}
	_ = a.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
	if _, err := a.Write(room); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("write: %v", err)
	}
	_ = a.SetWriteDeadline(time.Time{})
	go io.Copy(io.Discard, struct{ io.Reader }{b})
	if n, err := a.Write(room); n != len(room) || err != nil {
		t.Errorf("write: %d, %v", n, err)
	}
}

// What has come is read without waiting for more, in the poller and blocking.
func TestTryRead(t *testing.T) {
	a, b := ends(t)
	for _, block := range []bool{false, true} {
		if block && !b.Block(func() {}) {
			t.Fatal("it does not block")
		}
		buf := make([]byte, 2000)
		if n := b.TryRead(buf); n != 0 {
			t.Errorf("blocking %t: %d bytes from nowhere", block, n)
		}
		if _, err := a.Write(make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(b, buf[:1]); err != nil { // by now all of them have come
			t.Fatal(err)
		}
		if n := b.TryRead(buf); n != 999 {
			t.Errorf("blocking %t: %d bytes", block, n)
		}
	}
	b.Close()
	if n := b.TryRead(make([]byte, 1)); n != 0 {
		t.Errorf("%d bytes of a closed connection", n)
	}
}
