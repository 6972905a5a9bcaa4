// What the queue promises in its own time: a mail server that is away, one that answers late, and one whose answer is lost. RFC 5321 §4.5.3.2.6, §4.5.4.1, §6.1.

package mail

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sipwerk/sipwerk/network"
)

// office is a mail server and a queue on a simulated network.
type office struct {
	t      *testing.T
	mailer *network.SimHost
	folder string
	trust  atomic.Value // file of its certificate
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	queue  *Queue
	stop   func()
}

var mailAddr = netip.MustParseAddrPort("192.0.2.2:587")

// inTime runs a test in virtual time.
func inTime(t *testing.T, f func(o *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sim := &network.Sim{}
		o := &office{t: t, mailer: sim.Host(mailAddr.Addr()), folder: filepath.Join(t.TempDir(), "mail")}
		here := sim.Host(netip.MustParseAddr("192.0.2.1"))
		o.trust.Store("")
		o.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return here.DialStream(ctx, netip.Addr{}, mailAddr)
		}
		o.start()
		f(o)
		o.stop()
	})
}

// settings are those of the mail server, by the name in its certificate.
func (o *office) settings(string) (Settings, error) {
	return Settings{Host: "127.0.0.1", User: "phone", Password: "secret", From: "phone@example.org", Trust: o.trust.Load().(string), Dial: o.dial}, nil
}

// start starts the program.
func (o *office) start() {
	o.t.Helper()
	o.queue = newQueue(o.t, o.folder, o.settings)
	o.queue.Pauses = nil // those of the product
	ctx, cancel := context.WithCancel(o.t.Context())
	ended := make(chan struct{})
	go func() { o.queue.Run(ctx); close(ended) }()
	o.stop = func() { cancel(); <-ended }
}

// serve starts the mail server.
func (o *office) serve() *mailServer {
	o.t.Helper()
	l, err := o.mailer.ListenStream(o.t.Context(), mailAddr)
	if err != nil {
		o.t.Fatal(err)
	}
	m := serveMailOn(o.t, l, false)
	o.trust.Store(m.trust)
	return m
}

func (o *office) put(to string) {
	o.t.Helper()
	if err := o.queue.Put(Message{Domain: "example.org", To: to, Subject: to, Text: "x"}); err != nil {
		o.t.Fatal(err)
	}
}

// TestDownForAMinute: a mail comes every ten seconds while the mail server is away for a minute, and the program starts again in between. Each arrives, once, soon after.
func TestDownForAMinute(t *testing.T) {
	inTime(t, func(o *office) {
		const mails = 6
		for i := range mails {
			o.put(fmt.Sprintf("%d@example.com", i))
			time.Sleep(10 * time.Second)
			if i == mails/2 {
				o.stop()
				o.start()
			}
		}
		if c := o.queue.Counts(); c.Waiting != mails || c.Sent != 0 {
			t.Errorf("after the minute: %+v", c)
		}
		server := o.serve()
		time.Sleep(time.Minute) // the pause before the third attempt
		times := make(map[string]int)
		for _, m := range server.received() {
			times[m.to]++
		}
		for to, n := range times {
			if n != 1 {
				t.Errorf("%s has %d", to, n)
			}
		}
		if c := o.queue.Counts(); len(times) != mails || c.Waiting != 0 {
			t.Errorf("%d of %d arrived, %+v", len(times), mails, c)
		}
		time.Sleep(24 * time.Hour)
		if n := len(server.received()); n != mails {
			t.Errorf("%d mails a day later", n)
		}
	})
}

// TestLateAnswer: a mail server that takes nine minutes to say that it has taken the mail gets it once.
func TestLateAnswer(t *testing.T) {
	inTime(t, func(o *office) {
		server := o.serve()
		server.taken = func() { time.Sleep(9 * time.Minute) }
		o.put("a@example.com")
		time.Sleep(time.Hour)
		if n, c := len(server.received()), o.queue.Counts(); n != 1 || c.Sent != 1 || c.Retried != 0 {
			t.Errorf("%d mails, %+v", n, c)
		}
	})
}

// TestLostAnswer: the connection breaks after the mail server has taken the mail and before it says so. Nobody can know better than to send it again, once, and so that
// its receiver can tell: with the same Message-ID.
func TestLostAnswer(t *testing.T) {
	inTime(t, func(o *office) {
		server := o.serve()
		server.taken = func() { // of the first
			server.taken = func() {}
			o.mailer.Cut()
		}
		o.put("a@example.com")
		time.Sleep(time.Second)
		if list, err := List(o.folder); err != nil || len(list) != 1 || !list[0].Unsure {
			t.Fatalf("%+v %v", list, err)
		}
		time.Sleep(24 * time.Hour)
		got := server.received()
		if len(got) != 2 || messageID(t, got[0].text) == "" || messageID(t, got[0].text) != messageID(t, got[1].text) {
			t.Errorf("%d mails: %+v", len(got), got)
		}
		if c := o.queue.Counts(); c.Sent != 1 || c.Retried != 1 || c.Waiting != 0 {
			t.Errorf("%+v", c)
		}
	})
}
