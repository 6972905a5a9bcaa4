// Overload over one connection, whose sender keeps back what it cannot get rid of. RFC 7339 §5.3.

package stack_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/network"
	"github.com/sipwerk/sipwerk/sip"
	"github.com/sipwerk/sipwerk/sip/siptest"
	"github.com/sipwerk/sipwerk/sip/stack"
)

// eager is a simulated host whose streams can be read without waiting, as those of the operating system can.
type eager struct{ *network.SimHost }

func (e eager) ListenStream(ctx context.Context, addr netip.AddrPort) (net.Listener, error) {
	l, err := e.SimHost.ListenStream(ctx, addr)
	return eagerListener{l}, err
}

type eagerListener struct{ net.Listener }

func (l eagerListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c := &eagerConn{Conn: conn}
	c.wake = sync.NewCond(&c.mu)
	go c.receive()
	return c, nil
}

// eagerConn is a [network.Stream] with a buffer of its own in front of the reader.
type eagerConn struct {
	net.Conn
	mu   sync.Mutex // guards what follows
	wake *sync.Cond
	come []byte
	err  error
}

const eagerBuffer = 64 << 10

func (c *eagerConn) receive() {
	var b [4096]byte
	for {
		n, err := c.Conn.Read(b[:])
		c.mu.Lock()
		for len(c.come) > eagerBuffer {
			c.wake.Wait()
		}
		c.come, c.err = append(c.come, b[:n]...), err
		c.wake.Broadcast()
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (c *eagerConn) takeLocked(b []byte) int {
	n := copy(b, c.come)
	c.come = c.come[n:]
	c.wake.Broadcast()
	return n
}

func (c *eagerConn) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.come) == 0 && c.err == nil {
		c.wake.Wait()
	}
	if len(c.come) == 0 {
		return 0, c.err
	}
	return c.takeLocked(b), nil
}

func (c *eagerConn) TryRead(b []byte) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.takeLocked(b)
}

func (c *eagerConn) Await(pool *sync.Pool) (*[]byte, int, error) {
	buf := pool.Get().(*[]byte)
	n, err := c.Read(*buf)
	if err != nil {
		pool.Put(buf)
		buf = nil
	}
	return buf, n, err
}

func (c *eagerConn) TryWrite(b []byte) int {
	n, _ := c.Conn.Write(b)
	return n
}

func (c *eagerConn) Block(func()) bool { return false }

// crowd sends requests over one connection at a fixed beat, however slowly it takes them, and notes the answers.
type crowd struct {
	conn           net.Conn
	beat           time.Duration
	start          time.Time
	served, late   int
	refused, other int
}

// rush sends n requests and waits for their answers.
func (c *crowd) rush(n int) {
	var done sync.WaitGroup
	done.Go(func() { c.hear(n) })
	c.start = time.Now()
	for i := range n {
		<-time.After(time.Until(c.start.Add(time.Duration(i) * c.beat)))
		call := fmt.Sprintf("%d@crowd", i)
		fmt.Fprintf(c.conn, "OPTIONS sip:bob.test SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\nFrom: <sip:c@crowd.test>;tag=%d\r\nTo: <sip:bob.test>\r\n"+
			"Call-ID: %s\r\nCSeq: 1 OPTIONS\r\nX-Load: %s\r\nContent-Length: 0\r\n\r\n", c.conn.LocalAddr(), i, i, call, strings.Repeat("x", 500))
	}
	done.Wait()
}

// hear takes n answers.
func (c *crowd) hear(n int) {
	var got []byte
	b := make([]byte, 64<<10)
	for n > 0 {
		k, err := c.conn.Read(b)
		if err != nil {
			return
		}
		got = append(got, b[:k]...)
		for end := bytes.Index(got, []byte("\r\n\r\n")); end >= 0; end = bytes.Index(got, []byte("\r\n\r\n")) {
			c.note(string(got[:end+4]))
			got = got[end+4:]
			n--
		}
	}
}

// note counts an answer: it is late if it comes half a second after its request was due.
func (c *crowd) note(text string) {
	var i int
	_, rest, _ := strings.Cut(text, "\r\nCall-ID: ")
	_, _ = fmt.Sscanf(rest, "%d@", &i)
	switch {
	case strings.HasPrefix(text, "SIP/2.0 503 ") && strings.Contains(text, "\r\nRetry-After:"):
		c.refused++
	case !strings.HasPrefix(text, "SIP/2.0 200 "):
		c.other++
	case time.Since(c.start)-time.Duration(i)*c.beat > 500*time.Millisecond:
		c.late++
	default:
		c.served++
	}
}

// TestRush: of four times what it can do, all by one connection, a server does nearly as much as it can, in time, and refuses the rest.
func TestRush(t *testing.T) {
	const work, seconds = 2 * time.Millisecond, 3
	siptest.Run(t, func(b *siptest.Bench) {
		host := b.Host("bob")
		bob := &stack.Stack{Network: eager{host}, Resolver: &b.Net.Names, Handler: on{sip.EventRequest: func(ev *sip.Event) {
			<-time.After(work)
			reply(sip.StatusOK)(ev)
		}}}
		if err := bob.Listen(context.Background(), "tcp://"+b.Addr("bob").String()+":5060"); err != nil {
			t.Fatal(err)
		}
		b.Watch(siptest.Watched{Name: "bob", Host: host, Left: func() []string { return left(bob) }, Close: func() { bob.Close() }})
		conn, err := b.Host("crowd").DialStream(context.Background(), netip.Addr{}, netip.AddrPortFrom(b.Addr("bob"), 5060))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		c := &crowd{conn: conn, beat: work / 4}
		n := int(seconds * time.Second / c.beat)
		c.rush(n)
		if can := int(seconds * time.Second / work); c.served < can*9/10 || c.late > 0 || c.other > 0 || c.served+c.refused != n {
			t.Errorf("of %d that could be served %d were, and %d late; %d refused, %d otherwise, of %d", can, c.served, c.late, c.refused, c.other, n)
		}
	})
}
