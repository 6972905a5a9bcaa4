package relay

import (
	"testing"
	"time"

	"github.com/sipwerk/sipwerk/internal/kernel"
	"github.com/sipwerk/sipwerk/network"
)

// byHand is the call of expressed, whose streams begin when the test says so; nil where the system allows none.
func byHand(t *testing.T) (*conversation, *express) {
	t.Helper()
	table, err := kernel.Open()
	if err != nil {
		t.Logf("this system allows none: %v", err)
		return nil, nil
	}
	r := &Relay{Network: network.OS{}}
	e := &express{relay: r, table: table, asking: make(chan *Stream, 2), stop: make(chan struct{})}
	r.express = e
	phones, streams := callOn(t, r)
	to, _ := streams[0].Local()
	c := &conversation{relay: r, phones: phones, streams: streams, to: to}
	c.talks(t, phones[0], 0, 7)
	streams[0].old()
	streams[1].old()
	c.talks(t, phones[0], 3, 7)
	return c, e
}

// TestExpressReuse: what a former way has counted in its place is not counted again for the next one there, whether that begins or is stopped before.
func TestExpressReuse(t *testing.T) {
	c, e := byHand(t)
	if c == nil {
		return
	}
	e.begin(c.streams[0])
	c.talks(t, c.phones[0], 6, 7)
	if n := e.tracks[0].entry.Count().Packets; n != 3 {
		t.Fatalf("%d were carried, want 3", n)
	}
	c.streams[0].halt()
	e.tidy()
	e.tidy()
	for _, begins := range []bool{false, true} {
		entry, err := e.table.Reserve()
		if err != nil {
			t.Fatal(err)
		}
		x, w := &track{entry: entry, from: c.streams[0]}, kernel.Way{}
		if !x.from.lend(x, &w) || !x.to.borrow(x, &w) {
			t.Error("it is refused")
		}
		c.counted(t, 9)
		if !begins {
			entry.Stop()
		}
		if err := e.table.Start(entry, w); (err == nil) != begins {
			t.Error(err)
		}
		c.counted(t, 9)
		e.release(x)
	}
}

// counted expects so many packets from each phone, all of which came and went.
func (c *conversation) counted(t *testing.T, n uint64) {
	t.Helper()
	for i, s := range c.streams {
		if k := s.Counters(); k.PacketsIn != n || k.Packets != n || k.PacketsOut != n {
			t.Errorf("stream %d: %+v, want %d packets", i, k, n)
		}
	}
}

// TestExpressTires: a stream waits for longer each time a way of it carries next to nothing, up to a limit, and no longer than at first after one that was worthwhile.
func TestExpressTires(t *testing.T) {
	c, e := byHand(t)
	if c == nil {
		return
	}
	s := c.streams[0]
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 64} {
		before := c.relay.now()
		e.begin(s)
		if n := c.relay.Carried(); n != 1 {
			t.Fatalf("the kernel carries %d", n)
		}
		if due := time.Duration(s.tracks().due.Load()); due < before+want*time.Second || due > c.relay.now()+want*time.Second {
			t.Errorf("way %d: the next one is due after %v, want %d s", i, due-before, want)
		}
		s.halt()
		e.tidy()
		e.tidy()
	}
	e.begin(s)
	for seq := uint16(6); seq < 6+worthwhile; seq += 3 {
		c.talks(t, c.phones[0], seq, 7)
	}
	s.Counters()
	s.halt()
	e.begin(s)
	if pause := time.Duration(s.tracks().due.Load()) - c.relay.now(); pause > askAgain {
		t.Errorf("after a good way it waits for %v", pause)
	}
}

// TestExpressHears: who begins to record or to filter in the middle of a call gets the next packet already, a digit (RFC 4733) that nobody else is to hear. When that has ended, the kernel carries the call again.
func TestExpressHears(t *testing.T) {
	const event = 101
	c, ok := expressed(t)
	c.talks(t, c.phones[0], 6, 7)
	s, heard := c.streams[0], make(chan uint8, 8)
	s.Record(func(b []byte, _ time.Time, _ bool) { heard <- b[1] })
	s.Filter(func(b []byte, _ bool) []byte {
		if b[1] == event {
			return nil
		}
		return b
	})
	digit := rtpPacket(9, 7, "digit")
	digit[1] = event
	c.phones[0].send(digit, c.to)
	c.talks(t, c.phones[0], 10, 7)
	for i, want := range []uint8{event, 0, 0, 0} {
		if got := <-heard; got != want {
			t.Errorf("packet %d is of type %d, want %d", i, got, want)
		}
	}
	s.Record(nil)
	s.Filter(nil)
	for _, s := range c.streams {
		s.tracks().due.Store(0)
	}
	c.talks(t, c.phones[0], 13, 7)
	if !ok {
		return
	}
	c.carry(t)
	c.talks(t, c.phones[0], 16, 7)
	for i := range c.streams {
		if n := c.passed(i); n != 3 {
			t.Errorf("stream %d: %d passed, want 3", i, n)
		}
	}
}
